"""Random devices: slices, classes, claims, and pods that ask for them."""

from typing import Any

from conformance.decide.draw import Draw
from conformance.decide.nodes import ZONE

Json = dict[str, Any]

DRIVER = "gpu.example.com"
GROUP = "resource.k8s.io/v1"
MODELS = ("a100", "h100", "l4")
MEMORY = "device.capacity['gpu.example.com'].memory"
CLASSES = ("gpu.example.com", "gpu.example.com", "big-gpu", "any", "gone")
SELECTORS = (
    f"device.driver == '{DRIVER}'",
    f"device.attributes['{DRIVER}'].model == 'a100'",
    f"device.attributes['{DRIVER}'].model in ['a100', 'l4']",
    f"{MEMORY}.compareTo(quantity('40Gi')) >= 0",
    f"{MEMORY}.isGreaterThan(quantity('24Gi'))",
    f"device.attributes['{DRIVER}'].index > 0",
    f"device.attributes['{DRIVER}'].mig == true",
    f"!device.attributes['{DRIVER}'].mig",
    f"has(device.attributes['{DRIVER}'].rack) && device.attributes['{DRIVER}'].rack == 'k1'",
    f"device.attributes['{DRIVER}'].rack == 'k1'",
    f"device.attributes['{DRIVER}'].model.startsWith('a')",
    "device.driver.endsWith('example.com')",
)


def device_objects(draw: Draw, nodes: int, pods: list[str]) -> list[Json]:
    """Return slices, classes and claims; ``pods`` are the names of bound pods."""
    classes = [
        _class("gpu.example.com", [SELECTORS[0]]),
        _class("big-gpu", [f"{SELECTORS[0]} && {SELECTORS[1]}"]),
        _class("any", []),
    ]
    if draw.often(0.15):
        classes[0]["spec"]["extendedResourceName"] = "example.com/gpu"
    slices = [
        _slice(draw, f"node-{i:02d}", draw.number(0, 4)) for i in range(nodes) if draw.often(0.75)
    ]
    if draw.often(0.2):
        slices.append(_network_slice(draw))
    if draw.often(0.15):
        slices += _partitioned(draw, draw.number(0, nodes - 1))
    claims = [_claim(draw, f"claim-{i}") for i in range(draw.number(1, 6))]
    taken = [device for made in slices if "nodeName" in made["spec"] for device in _named(made)]
    for at, (node, device) in enumerate(draw.some(taken, 0, 3)):
        claims.append(_used(draw, f"used-{at}", node, device, pods))
    return classes + slices + claims


def use_devices(draw: Draw, pod: Json, names: list[str]) -> None:
    """Let a pod refer to some claims."""
    references: list[Json] = []
    for at, name in enumerate(draw.some(names, 0, 2)):
        references.append({"name": f"d{at}", "resourceClaimName": name})
    if draw.often(0.05):
        references.append({"name": "dx", "resourceClaimName": "gone"})
    if draw.often(0.05):
        references.append({"name": "dt", "resourceClaimTemplateName": "template"})
    if not references:
        return
    pod["metadata"]["namespace"] = "default"
    pod["spec"]["resourceClaims"] = references
    resources = pod["spec"]["containers"][0].setdefault("resources", {})
    resources["claims"] = [{"name": reference["name"]} for reference in references]


def _class(name: str, selectors: list[str]) -> Json:
    spec: Json = {"selectors": [{"cel": {"expression": text}} for text in selectors]}
    return {"apiVersion": GROUP, "kind": "DeviceClass", "metadata": {"name": name}, "spec": spec}


def _slice(draw: Draw, node: str, count: int) -> Json:
    devices = [_device(draw, i) for i in range(count)]
    pool = {"name": node, "generation": 1, "resourceSliceCount": 2 if draw.often(0.03) else 1}
    spec = {"driver": DRIVER, "nodeName": node, "pool": pool, "devices": devices}
    metadata = {"name": f"slice-{node}"}
    return {"apiVersion": GROUP, "kind": "ResourceSlice", "metadata": metadata, "spec": spec}


def _device(draw: Draw, index: int) -> Json:
    attributes: Json = {
        "model": {"string": draw.one(MODELS)},
        "index": {"int": index},
        "mig": {"bool": draw.often(0.2)},
    }
    if draw.often(0.5):
        attributes["rack"] = {"string": draw.one(("k1", "k2"))}
    memory = draw.one(("24Gi", "40Gi", "80Gi"))
    device: Json = {
        "name": f"gpu-{index}",
        "attributes": attributes,
        "capacity": {"memory": {"value": memory}},
    }
    if draw.often(0.06):
        effect = draw.one(("NoSchedule", "NoExecute"))
        device["taints"] = [{"key": "broken", "value": "x", "effect": effect}]
    return device


def _network_slice(draw: Draw) -> Json:
    """Return devices that several nodes, or all of them, can reach."""
    spec: Json = {
        "driver": "net.example.com",
        "pool": {"name": "net", "generation": 1, "resourceSliceCount": 1},
        "devices": [
            {"name": f"nic-{i}", "attributes": {"speed": {"int": draw.one((25, 100))}}}
            for i in range(draw.number(1, 3))
        ],
    }
    if draw.often(0.5):
        spec["allNodes"] = True
    else:
        zones = {"key": ZONE, "operator": "In", "values": draw.some(("z1", "z2", "z3"), 1, 2)}
        spec["nodeSelector"] = {"nodeSelectorTerms": [{"matchExpressions": [zones]}]}
    if draw.often(0.3):
        for device in spec["devices"]:
            device["allowMultipleAllocations"] = True
            device["capacity"] = {"bandwidth": {"value": draw.one(("10G", "100G"))}}
    metadata = {"name": "slice-net"}
    return {"apiVersion": GROUP, "kind": "ResourceSlice", "metadata": metadata, "spec": spec}


def _partitioned(draw: Draw, at: int) -> list[Json]:
    """Return a pool whose devices share counters."""
    node = f"node-{at:02d}"
    pool = {"name": f"{node}-parts", "generation": 1, "resourceSliceCount": 2}
    head = {"driver": DRIVER, "nodeName": node, "pool": pool}
    counters = [{"name": "whole", "counters": {"memory": {"value": "80Gi"}}}]
    devices = [_device(draw, i) for i in range(draw.number(1, 4))]
    for device in devices:
        share = {"memory": {"value": draw.one(("20Gi", "40Gi", "80Gi"))}}
        device["name"] += "-part"
        device["consumesCounters"] = [{"counterSet": "whole", "counters": share}]
    specs = ({**head, "sharedCounters": counters}, {**head, "devices": devices})
    return [
        {
            "apiVersion": GROUP,
            "kind": "ResourceSlice",
            "metadata": {"name": f"parts-{node}-{i}"},
            "spec": spec,
        }
        for i, spec in enumerate(specs)
    ]


def _named(made: Json) -> list[tuple[str, str]]:
    node = made["spec"]["nodeName"]
    pool = made["spec"]["pool"]["name"]
    return [(node, device["name"]) for device in made["spec"].get("devices", ()) if pool == node]


def _claim(draw: Draw, name: str) -> Json:
    requests = [_request(draw, f"r{i}") for i in range(draw.one((1, 1, 1, 2)))]
    devices: Json = {"requests": requests}
    if draw.often(0.2):
        kind = draw.one(("matchAttribute", "distinctAttribute"))
        attribute = f"{DRIVER}/{draw.one(('model', 'rack', 'index', 'none'))}"
        devices["constraints"] = [{"requests": [], kind: attribute}]
    return _resource_claim(name, devices)


def _resource_claim(name: str, devices: Json) -> Json:
    metadata = {"name": name, "namespace": "default", "uid": f"uid-{name}"}
    return {
        "apiVersion": GROUP,
        "kind": "ResourceClaim",
        "metadata": metadata,
        "spec": {"devices": devices},
    }


def _request(draw: Draw, name: str) -> Json:
    if draw.often(0.12):
        alternatives = [{"name": f"s{i}", **_exactly(draw)} for i in range(draw.number(1, 3))]
        return {"name": name, "firstAvailable": alternatives}
    return {"name": name, "exactly": _exactly(draw)}


def _exactly(draw: Draw) -> Json:
    request: Json = {"deviceClassName": draw.one(CLASSES)}
    if draw.often(0.3):
        request["allocationMode"] = "ExactCount"
        request["count"] = draw.one((1, 2, 3))
    elif draw.often(0.1):
        request["allocationMode"] = "All"
    if draw.often(0.5):
        selectors = draw.some(SELECTORS, 1, 2)
        request["selectors"] = [{"cel": {"expression": text}} for text in selectors]
    if draw.often(0.08):
        request["tolerations"] = [{"key": "broken", "operator": "Exists"}]
    if draw.often(0.03):
        request["capacity"] = {"requests": {"bandwidth": draw.one(("1G", "5G"))}}
    return request


def _used(draw: Draw, name: str, node: str, device: str, pods: list[str]) -> Json:
    requests = [{"name": "r0", "exactly": {"deviceClassName": "gpu.example.com"}}]
    claim = _resource_claim(name, {"requests": requests})
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    result = {"request": "r0", "driver": DRIVER, "pool": node, "device": device}
    claim["status"] = {
        "allocation": {
            "devices": {"results": [result]},
            "nodeSelector": {"nodeSelectorTerms": [{"matchFields": [field]}]},
        }
    }
    if pods and draw.often(0.7):
        pod = draw.one(pods)
        consumer = {"resource": "pods", "name": pod, "uid": f"default/{pod}"}
        claim["status"]["reservedFor"] = [consumer]
    return claim
