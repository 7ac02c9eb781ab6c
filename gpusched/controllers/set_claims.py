"""The claims of a StatefulSet's pods: one for each template and ordinal, kept when the pod goes.

Not modelled: persistentVolumeClaimRetentionPolicy `Delete`; claims are always retained.

Source: kubernetes/kubernetes pkg/controller/statefulset/stateful_pod_control.go
(createPersistentVolumeClaims), stateful_set_utils.go (getPersistentVolumeClaims, updateStorage),
v1.36.1
"""

from collections.abc import Iterator
from typing import Any

from gpusched.controllers.protocol import ApiError, Create, Emit, Json, Reader, reference

CLAIM = "PersistentVolumeClaim"


def templates_of(found: Json) -> list[Json]:
    """Return a StatefulSet's claim templates."""
    return found["spec"].get("volumeClaimTemplates") or []


def with_claims(found: Json, spec: Json, ordinal: int) -> Json:
    """Return a pod spec whose volumes are the claims of its ordinal, then its other volumes."""
    templates = templates_of(found)
    if not templates:
        return spec
    claimed = {template["metadata"]["name"]: template for template in templates}
    volumes = [
        {"name": name, "persistentVolumeClaim": {"claimName": _claim_name(found, name, ordinal)}}
        for name in claimed
    ]
    others = [volume for volume in spec.get("volumes") or () if volume["name"] not in claimed]
    return {**spec, "volumes": [*volumes, *others]}


def provide_claims(found: Json, ordinal: int, reader: Reader) -> Any:
    """Create the claims of an ordinal that are missing; return what is wrong, or nothing."""
    problems: list[str] = []
    for claim in _claims(found, ordinal):
        meta = claim["metadata"]
        name = meta["name"]
        known = reader.get(CLAIM, meta["namespace"], name)
        if known is not None:
            if known["metadata"].get("deletionTimestamp"):
                problems.append(f"pvc {name} is being deleted")
            continue
        try:
            yield Create(claim)
        except ApiError as refusal:
            problems.append(f"failed to create PVC {name}: {refusal.message}")
            if refusal.reason != "AlreadyExists":
                yield _event(found, name, ordinal, refusal)
        else:
            yield _event(found, name, ordinal, None)
    return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]" if problems else ""


def _event(found: Json, claim: str, ordinal: int, refusal: ApiError | None) -> Emit:
    name = found["metadata"]["name"]
    pod = f"{name}-{ordinal}"
    if refusal is None:
        text = f"Create Claim {claim} Pod {pod} in StatefulSet {name} success"
        return Emit(reference(found), "Normal", "SuccessfulCreate", text)
    what = f"Create Claim {claim} for Pod {pod} in StatefulSet {name}"
    text = f"{what} failed error: {refusal.message}"
    return Emit(reference(found), "Warning", "FailedCreate", text)


def _claims(found: Json, ordinal: int) -> Iterator[Json]:
    matched = found["spec"]["selector"].get("matchLabels") or {}
    for template in templates_of(found):
        meta = template["metadata"]
        labels = {**(meta.get("labels") or {}), **matched}
        yield {
            **template,
            "metadata": {
                **meta,
                "name": _claim_name(found, meta["name"], ordinal),
                "namespace": found["metadata"]["namespace"],
                **({"labels": labels} if labels else {}),
            },
        }


def _claim_name(found: Json, template: str, ordinal: int) -> str:
    return f"{template}-{found['metadata']['name']}-{ordinal}"
