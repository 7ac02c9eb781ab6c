"""A real API server over HTTP: plain JSON in, plain JSON out.

Of the official client only its kubeconfigs, credentials and connections are used; its models would
drop unknown fields and turn times into objects. This file must not know scenarios.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from gpusched.controllers.protocol import ApiError, Key
from gpusched.errors import Fault, GpuschedError, InvalidInputError
from gpusched.sim.kinds import KINDS, Kind
from gpusched.sim.pod import Json

PATCHES: Final[Mapping[str, str]] = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
_REFUSED: Final = 400
_TIMEOUT: Final = 30
_WATCH_SECONDS: Final = "21600"
_CLIENT: Final = "the official Kubernetes client is not installed: pip install 'gpusched[live]'"


class ClusterError(GpuschedError):
    """A cluster cannot be used; the message says why."""


class Cluster:
    """The verbs of an API server.

    Args:
        client: An ``ApiClient`` of the official library.
        context: The name of the kubeconfig's context.
        kubeconfig: The kubeconfig's file, for programs that are called; None for the usual one.
    """

    def __init__(self, client: Any, context: str, kubeconfig: str | None = None) -> None:
        self.context = context
        self.kubeconfig = kubeconfig
        self._configuration = client.configuration
        self._connections = client.rest_client.pool_manager

    def read(self, kind: str, namespace: str, name: str) -> Json:
        """Return one object.

        Raises:
            ApiError: It is not there, or the server refuses.
        """
        return self._json("GET", path_of(KINDS[kind], namespace, name))

    def find(self, kind: str, namespace: str, name: str) -> Json | None:
        """Return one object, or None."""
        try:
            return self.read(kind, namespace, name)
        except ApiError as refusal:
            if refusal.reason == "NotFound":
                return None
            raise

    def read_all(self, kind: str, namespace: str = "", selector: str = "") -> list[Json]:
        """Return all objects of a kind, with ``kind`` and ``apiVersion`` in each."""
        return self.listed(kind, namespace, selector)[0]

    def listed(self, kind: str, namespace: str = "", selector: str = "") -> tuple[list[Json], str]:
        """Return all objects of a kind, and the resourceVersion of the list."""
        known = KINDS[kind]
        query = {"labelSelector": selector} if selector else {}
        answer = self._json("GET", path_of(known, namespace), query=query)
        named = {"apiVersion": known.api_version, "kind": kind}
        items = [{**named, **item} for item in answer.get("items") or ()]
        return items, answer["metadata"]["resourceVersion"]

    def watch(self, kind: str, version: str) -> "Stream":
        """Return the stream of changes of a kind from a resourceVersion on.

        Raises:
            ApiError: The server refuses.
        """
        query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": _WATCH_SECONDS}
        return Stream(self._send("GET", path_of(KINDS[kind]), query=query, timeout=None))

    def create(self, obj: Json) -> Json:
        """Create an object and return what is stored."""
        query = {"fieldManager": "gpusched", "fieldValidation": "Strict"}
        namespace = obj["metadata"].get("namespace", "")
        return self._json("POST", path_of(KINDS[obj["kind"]], namespace), obj, query)

    def patch(
        self, kind: str, key: Key, patch: Any, form: str = "strategic", subresource: str = ""
    ) -> Json:
        """Patch an object and return what is stored."""
        path = path_of(KINDS[kind], *key) + (f"/{subresource}" if subresource else "")
        query = {"fieldManager": "gpusched"}
        return self._json("PATCH", path, patch, query, PATCHES[form])

    def delete(
        self, kind: str, key: Key, grace: int | None = None, policy: str = "Background"
    ) -> None:
        """Ask for an object's deletion."""
        options: Json = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        self._json("DELETE", path_of(KINDS[kind], *key), options)

    def delete_all(self, kind: str, namespace: str, query: Mapping[str, str]) -> None:
        """Ask for the deletion of all objects of a kind that a query selects."""
        options: Json = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
        self._json("DELETE", path_of(KINDS[kind], namespace), options, query)

    def version(self) -> str:
        """Return the server's version, e.g. ``v1.36.1``."""
        return str(self._json("GET", "/version")["gitVersion"])

    def _json(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        form: str = "application/json",
    ) -> Json:
        answer = self._send(method, path, body, query, form, _TIMEOUT)
        decoded: Json = json.loads(answer.data)
        return decoded

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, str] | None = None,
        form: str = "application/json",
        timeout: float | None = _TIMEOUT,
    ) -> Any:
        url = self._configuration.host + path + (f"?{urlencode(query)}" if query else "")
        answer = self._connections.request(
            method,
            url,
            body=None if body is None else json.dumps(body),
            headers={"Content-Type": form, "Accept": "application/json", **self._credentials()},
            timeout=timeout,
            retries=False,
            preload_content=False,
        )
        if answer.status >= _REFUSED:
            raise refusal_of(answer.status, answer.data)
        return answer

    def _credentials(self) -> dict[str, str]:
        settings = self._configuration.auth_settings().values()
        return {each["key"]: each["value"] for each in settings if each["in"] == "header"}


class Stream:
    """Changes as the API server tells of them.

    Args:
        answer: The open answer to a watch.
    """

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._closed = False

    def changes(self) -> Iterator[tuple[str, Json]]:
        """Yield (``ADDED``, ``MODIFIED`` or ``DELETED``, object) until the stream ends."""
        rest = b""
        for piece in self._pieces():
            if self._closed:
                return  # what a connection still yields while it is shut down is no text
            *lines, rest = (rest + piece).split(b"\n")
            for line in filter(None, lines):
                change = json.loads(line)
                yield change["type"], change["object"]

    def _pieces(self) -> Iterator[bytes]:
        """Yield what comes in; a connection that breaks off ends it like one that is closed."""
        try:
            yield from self._answer.stream(None, decode_content=True)
        except Exception as error:
            if not _is_broken_connection(error):
                raise

    def close(self) -> None:
        """End the stream, from whatever thread."""
        self._closed = True
        self._answer.shutdown()


def _is_broken_connection(error: Exception) -> bool:
    return isinstance(error, OSError) or type(error).__module__.startswith(("urllib3", "http."))


def path_of(kind: Kind, namespace: str = "", name: str = "") -> str:
    """Return the path of an object, or of all objects of a kind.

    >>> path_of(KINDS["Deployment"], "a", "b")
    '/apis/apps/v1/namespaces/a/deployments/b'
    """
    root = f"/apis/{kind.api_version}" if kind.group else f"/api/{kind.api_version}"
    place = f"/namespaces/{quote(namespace)}" if kind.namespaced and namespace else ""
    return f"{root}{place}/{kind.resource}" + (f"/{quote(name)}" if name else "")


def refusal_of(code: int, data: bytes) -> ApiError:
    """Return the refusal in an answer's body; a body of another kind is told as it is."""
    try:
        status = json.loads(data)
        causes = [
            cause.get("message", "") for cause in (status.get("details") or {}).get("causes", ())
        ]
        return ApiError(
            code, status.get("reason") or "Unknown", status.get("message") or "", causes
        )
    except (ValueError, AttributeError):
        return ApiError(code, "Unknown", data.decode(errors="replace").strip())


def connect(kubeconfig: str | None, context: str | None) -> Cluster:
    """Return the cluster that was named: by its context, or as the only one of a named file.

    Raises:
        InvalidInputError: No context was named, or it does not exist.
        ClusterError: The client library is not installed.
    """
    try:
        from kubernetes import config  # noqa: PLC0415 - an extra; only this room needs it
    except ImportError:
        raise ClusterError(_CLIENT) from None
    try:
        contexts, _current = _untyped(config.list_kube_config_contexts)(config_file=kubeconfig)
    except (config.ConfigException, OSError) as error:
        raise InvalidInputError([Fault(str(error), kubeconfig or "kubeconfig")]) from None
    chosen = _chosen([item["name"] for item in contexts], kubeconfig, context)
    client = _untyped(config.new_client_from_config)(config_file=kubeconfig, context=chosen)
    return Cluster(client, chosen, kubeconfig)


def _untyped(function: Any) -> Any:
    """The client library has no types."""
    return function


def _chosen(contexts: list[str], kubeconfig: str | None, context: str | None) -> str:
    """Never fall back to the current context: it is whatever was used last."""
    if context is None and kubeconfig is not None and len(contexts) == 1:
        return contexts[0]
    known = ", ".join(contexts)
    if context is None:
        words = (
            f"name the cluster with --context; the current context is never used. Known: {known}"
        )
        raise InvalidInputError([Fault(words, kubeconfig or "")])
    if context not in contexts:
        words = f'context "{context}" does not exist. Known: {known}'
        raise InvalidInputError([Fault(words, kubeconfig or "")])
    return context
