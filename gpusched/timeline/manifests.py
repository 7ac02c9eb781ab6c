"""Manifests as kubectl takes them from standard input.

Read, matched to a kind, checked for unknown fields.

Source: kubernetes/cli-runtime pkg/resource, kubernetes/kubectl pkg/validation, v0.36.1
"""

from collections.abc import Iterator
from typing import Any

import yaml

from gpusched.api.decode import STRICT, strict
from gpusched.controllers.protocol import ApiError
from gpusched.sim.kinds import KINDS
from gpusched.sim.pod import Json
from gpusched.sim.refusals import unreadable
from gpusched.timeline.arguments import Arguments, UsageError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_manifests(given: Arguments, verb: str) -> list[Json]:
    """Return the objects of standard input, each with its namespace.

    Raises:
        UsageError: There are none, or one is of no known kind or has no name.
    """
    objects = []
    for obj in _documents(given.stdin):
        _check_kind(obj)
        kind, meta = KINDS[obj["kind"]], dict(obj.get("metadata") or {})
        if kind.namespaced:
            meta.setdefault("namespace", given.namespace)
        if verb == "apply" and not meta.get("name"):
            raise UsageError(_nameless(obj, meta.get("namespace", "")))
        objects.append({**obj, "metadata": meta})
    if not objects:
        raise UsageError(f"error: no objects passed to {verb}\n")
    return objects


def _documents(text: str) -> Iterator[Json]:
    try:
        documents = list(yaml.load_all(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(
            "error: error parsing STDIN: error converting YAML to JSON:"
            f" yaml: line {line}: {error.problem}\n"
        ) from None
    for document in documents:
        if document and document.get("kind") == "List":
            yield from document["items"]
        elif document:
            yield document


def _check_kind(obj: Json) -> None:
    kind, version = obj.get("kind"), obj.get("apiVersion")
    if not kind or not version:
        field = "kind" if not kind else "apiVersion"
        raise UsageError(
            f'error: error validating "STDIN": error validating data: {field} not set;'
            " if you choose to ignore these errors, turn validation off with --validate=false\n"
        )
    known = KINDS.get(kind)
    if known is None or known.api_version != version:
        meta = obj.get("metadata") or {}
        raise UsageError(
            f'error: resource mapping not found for name: "{meta.get("name", "")}"'
            f' namespace: "{meta.get("namespace", "")}" from "STDIN":'
            f' no matches for kind "{kind}" in version "{version}"\n'
            "ensure CRDs are installed first\n"
        )


def _nameless(obj: Json, namespace: str) -> str:
    kind = KINDS[obj["kind"]]
    group = obj["apiVersion"] if "/" in obj["apiVersion"] else f"/{obj['apiVersion']}"
    return (
        "error: error when retrieving current configuration of:\n"
        f'Resource: "{group}, Resource={kind.resource}",'
        f' GroupVersionKind: "{group}, Kind={kind.name}"\n'
        f'Name: "", Namespace: "{namespace}"\n'
        'from server for: "STDIN": resource name may not be empty\n'
    )


def check_fields(obj: Json, validate: str) -> list[str]:
    """Return warnings for unknown fields, or refuse the object, as ``--validate`` says.

    Raises:
        ApiError: There are some, and the validation is strict.
    """
    findings: list[Any] = (
        [] if validate in ("false", "ignore") else [found.message for found in strict(obj)]
    )
    unknown = [text.removeprefix(STRICT) for text in findings if text.startswith(STRICT)]
    if not unknown:
        return []
    if validate == "warn":
        return unknown
    raise ApiError(400, "BadRequest", unreadable(obj, STRICT + ", ".join(unknown)))
