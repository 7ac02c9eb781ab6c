"""What kubectl v1.36.1 prints about a set of objects at an instant, byte for byte.

The room takes plain JSON objects and an explicit instant (a :class:`~gpusched.kubectl.view.View`)
and returns text. It must not know the clock, the scheduler, how a run was made or saved, nor does
it open files or print: ``cli/`` does that.

Source: kubernetes/kubernetes staging/src/k8s.io/{kubectl,cli-runtime} and pkg/printers, v1.36.1
"""

from gpusched.kubectl.output import Output
from gpusched.kubectl.run import run, watch
from gpusched.kubectl.view import Snapshot, View

__all__ = ["Output", "Snapshot", "View", "run", "watch"]
