"""Scenarios that bring pods and nodes into conflict: small fleets, few sizes, few labels."""

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

GPU = "nvidia.com/gpu"
ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"
NAMESPACE = "lab"
CLASSES = {"low": -10, "usual": 0, "high": 100, "firm": 100}
"""Priority classes; ``firm`` never preempts."""
MOST_NODES = 6
MOST_PODS = 12

APPS = st.sampled_from(["red", "blue", "green"])
MODELS = st.sampled_from(["a100", "h100", "l40s"])
ZONES = st.sampled_from(["east", "west"])
EFFECTS = st.sampled_from(["NoSchedule", "PreferNoSchedule"])
OPERATORS = st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"])


def sometimes(strategy: st.SearchStrategy[Any], weight: int = 3) -> st.SearchStrategy[Any]:
    """Draw nothing ``weight`` times out of ``weight + 1``; shrinks to nothing."""
    return st.sampled_from([False] * weight + [True]).flatmap(
        lambda wanted: strategy if wanted else st.none()
    )


def present(**fields: Any) -> Json:
    """Return the fields that hold something."""
    return {name: value for name, value in fields.items() if value not in (None, [], {}, "")}


@st.composite
def nodes(draw: st.DrawFn) -> Json:
    """Draw a node with up to eight GPUs, without its name."""
    labels = {"gpu.model": draw(MODELS)}
    labels |= present(**{ZONE: draw(sometimes(ZONES, 1))})
    taint = draw(
        sometimes(
            st.builds(lambda effect: {"key": "gpu", "value": "yes", "effect": effect}, EFFECTS)
        )
    )
    amounts = {
        "cpu": str(draw(st.sampled_from([2, 4, 8]))),
        "memory": f"{draw(st.sampled_from([4, 8, 16]))}Gi",
        "pods": str(draw(st.sampled_from([110, 110, 3]))),
    }
    gpus = draw(st.sampled_from([2, 4, 8, 1, 0]))
    amounts |= {GPU: str(gpus)} if gpus else {}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"labels": labels},
        "spec": present(
            taints=[taint] if taint else [], unschedulable=draw(sometimes(st.just(True), 9))
        ),
        "status": {"capacity": amounts, "allocatable": amounts},
    }


def _expressions() -> st.SearchStrategy[Json]:
    return st.builds(
        lambda operator, value: present(
            key="gpu.model",
            operator=operator,
            values=[value] if operator in ("In", "NotIn") else [],
        ),
        OPERATORS,
        MODELS,
    )


def _node_affinity() -> st.SearchStrategy[Json]:
    required = st.builds(
        lambda e: {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [e]}]
            }
        },
        _expressions(),
    )
    preferred = st.builds(
        lambda e, weight: {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": weight, "preference": {"matchExpressions": [e]}}
            ]
        },
        _expressions(),
        st.sampled_from([1, 50, 100]),
    )
    return required | preferred


def _pod_affinity() -> st.SearchStrategy[Json]:
    def term(app: str, key: str, weight: int) -> Json:
        bare = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": key}
        if weight:
            name = "preferredDuringSchedulingIgnoredDuringExecution"
            return {name: [{"weight": weight, "podAffinityTerm": bare}]}
        return {"requiredDuringSchedulingIgnoredDuringExecution": [bare]}

    return st.builds(
        term, APPS, st.sampled_from([HOSTNAME, ZONE]), st.sampled_from([0, 0, 10, 100])
    )


def _spread() -> st.SearchStrategy[Json]:
    return st.builds(
        lambda skew, key, hard, app: {
            "maxSkew": skew,
            "topologyKey": key,
            "whenUnsatisfiable": "DoNotSchedule" if hard else "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"app": app}},
        },
        st.integers(1, 2),
        st.sampled_from([HOSTNAME, ZONE]),
        st.booleans(),
        APPS,
    )


def _containers() -> st.SearchStrategy[Json]:
    def container(cpu: str | None, memory: str | None, gpus: int, port: int | None) -> Json:
        limits = {GPU: str(gpus)} if gpus else {}
        return present(
            name="main",
            image="example.com/train:1",
            resources=present(requests=present(cpu=cpu, memory=memory), limits=limits),
            ports=[{"containerPort": port, "hostPort": port}] if port else [],
        )

    return st.builds(
        container,
        sometimes(st.sampled_from(["250m", "1", "3"]), 1),
        sometimes(st.sampled_from(["512Mi", "3Gi"]), 1),
        st.sampled_from([0, 0, 1, 1, 1, 2, 2, 4, 8]),
        sometimes(st.just(8080), 7),
    )


@st.composite
def crowding_pods(draw: st.DrawFn, classes: list[str]) -> Json:
    """Draw a pod that wants GPUs and nothing else, of one of some priorities."""
    spec = {
        "containers": [
            {
                "name": "main",
                "image": "example.com/train:1",
                "resources": {"limits": {GPU: str(draw(st.sampled_from([1, 1, 2, 3])))}},
            }
        ],
        "priorityClassName": draw(st.sampled_from(classes)),
        "tolerations": [{"key": "gpu", "operator": "Exists"}],
    }
    meta = {"namespace": NAMESPACE, "labels": {"app": draw(APPS)}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def queues() -> st.SearchStrategy[list[Json]]:
    """Draw pods: with wishes of all kinds, or less and less patient ones that crowd the GPUs."""
    calm = st.lists(crowding_pods(["low", "usual"]), min_size=1, max_size=MOST_PODS - 3)
    urgent = st.lists(crowding_pods(["high", "firm", "usual"]), max_size=3)
    crowd = st.builds(list.__add__, calm, urgent)
    return st.lists(pods(), min_size=1, max_size=MOST_PODS) | crowd


def named(objects: list[Json], prefix: str) -> list[Json]:
    """Return objects with names; nodes with the label that repeats it, too."""
    for nth, obj in enumerate(objects):
        meta = obj["metadata"]
        meta["name"] = f"{prefix}-{nth}"
        if obj["kind"] == "Node":
            meta["labels"][HOSTNAME] = meta["name"]
    return objects


@st.composite
def pods(draw: st.DrawFn) -> Json:
    """Draw a pod with about two wishes."""
    affinity = present(
        nodeAffinity=draw(sometimes(_node_affinity())),
        podAffinity=draw(sometimes(_pod_affinity(), 5)),
        podAntiAffinity=draw(sometimes(_pod_affinity(), 4)),
    )
    tolerates = draw(sometimes(st.just({"key": "gpu", "operator": "Exists"}), 1))
    spread = draw(sometimes(_spread()))
    gate = draw(sometimes(st.just({"name": "example.com/wait"}), 19))
    spec = present(
        containers=[draw(_containers())],
        priorityClassName=draw(sometimes(st.sampled_from(sorted(CLASSES)), 1)),
        nodeSelector=present(**{"gpu.model": draw(sometimes(MODELS, 5))}),
        affinity=affinity,
        tolerations=[tolerates] if tolerates else [],
        topologySpreadConstraints=[spread] if spread else [],
        schedulingGates=[gate] if gate else [],
    )
    meta = {"namespace": NAMESPACE, "labels": {"app": draw(APPS)}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _classes(used: set[str]) -> list[Json]:
    return [
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": name},
            "value": CLASSES[name],
            "preemptionPolicy": "Never" if name == "firm" else "PreemptLowerPriority",
        }
        for name in sorted(used)
    ]


def _changes(pod_names: list[str], node_names: list[str]) -> st.SearchStrategy[Json]:
    """Draw what happens after the pods: one goes, or a node is closed."""
    gone = st.builds(
        lambda name: {"delete": {"kind": "Pod", "name": name, "namespace": NAMESPACE}},
        st.sampled_from(pod_names),
    )
    closed = st.builds(lambda name: {"cordon": name}, st.sampled_from(node_names))
    return gone | closed


@st.composite
def scenarios(draw: st.DrawFn) -> Json:
    """Draw a scenario document: a fleet, pods one after the other, perhaps changes afterwards."""
    fleet = named(draw(st.lists(nodes(), min_size=1, max_size=MOST_NODES)), "node")
    drawn = named(draw(queues()), "pod")
    node_names, pod_names = ([obj["metadata"]["name"] for obj in each] for each in (fleet, drawn))
    later = draw(st.lists(_changes(pod_names, node_names), max_size=2))
    used = {pod["spec"]["priorityClassName"] for pod in drawn if "priorityClassName" in pod["spec"]}
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    steps = [*({"create": pod} for pod in drawn), *later]
    return {
        "apiVersion": "gpusched.dev/v1alpha1",
        "kind": "Scenario",
        "metadata": {"name": "drawn"},
        "spec": {
            "fleet": fleet,
            "setup": [namespace, *_classes(used)],
            "steps": [{"at": f"{nth * 50}ms", **step} for nth, step in enumerate(steps)],
            "until": "1m",
        },
    }
