"""Manifests from files: YAML, JSON, JSON Lines, lists, dumps, compressed or from standard input.

What kubectl would read from a file is read here, safely: nothing in a file can run code, exhaust
the memory or end in a traceback, and all faults of all files are told at once with file, document,
line and remedy. The room knows no kind and judges no object itself.

* ``sources``: bytes to documents of text.
* ``kubectl_yaml``: a document of YAML to a JSON value, as kubectl's parser resolves it.
* ``documents``: a document of YAML or JSON to values, with the line of each field on demand.
* ``meter``: how far the reading of a file has come.
* ``sharing``: what many manifests have in common, held once.
* ``manifests``: files to manifests.

Source: kubernetes/cli-runtime pkg/resource, sigs.k8s.io/yaml v1.6.0
"""

from gpusched.api.load.manifests import Manifest, load, stream
from gpusched.api.load.meter import Tell

__all__ = ["Manifest", "Tell", "load", "stream"]
