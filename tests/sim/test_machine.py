"""Random users on the control plane: nothing is lost, and every owner has what it asked for."""

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gpusched.run.replay import Replay
from gpusched.sim.calendar import SECOND
from gpusched.sim.deletion import delete, evict
from gpusched.sim.manifest import manifest_of
from tests.sim.builders import GPU, gpus_of, job, node, plane, pod, workload

NAMES = st.sampled_from(["x", "y", "z"])
SIZES = st.integers(0, 6)
KINDS = st.sampled_from(["Deployment", "ReplicaSet", "StatefulSet"])


class Users(RuleBasedStateMachine):
    """Creates, scales, changes and deletes at random, with time passing in between."""

    @initialize(seed=st.integers(0, 9))
    def build(self, seed: int) -> None:
        self.plane = plane(node("a", 8), node("b", 4), seed=seed)
        self.store = self.plane.store
        self.counts: Counter[str] = Counter()
        self.store.watch("Pod", lambda change: self.counts.update([change.verb]))

    @rule(seconds=st.sampled_from([0, 1, 5, 40, 400]))
    def wait(self, seconds: int) -> None:
        self.plane.run(self.plane.loop.now + seconds * SECOND + 1)

    @rule(kind=KINDS, name=NAMES, replicas=SIZES, gpus=st.integers(1, 3))
    def create(self, kind: str, name: str, replicas: int, gpus: int) -> None:
        if self.store.get(kind, "default", name) is None:
            extra = {"serviceName": name} if kind == "StatefulSet" else {}
            body = workload(kind, name, replicas, gpus, **extra)
            labels = {"app": f"{kind}-{name}".lower()}
            body["spec"]["selector"]["matchLabels"] = labels
            body["spec"]["template"]["metadata"]["labels"] = labels
            self.plane.api.create(body)

    @rule(name=NAMES, completions=st.integers(1, 4), parallelism=st.integers(1, 3))
    def submit(self, name: str, completions: int, parallelism: int) -> None:
        if self.store.get("Job", "default", name) is None:
            self.plane.api.create(job(name, completions, parallelism))

    @rule(name=NAMES, gpus=SIZES)
    def create_pod(self, name: str, gpus: int) -> None:
        if self.store.pod("default", f"bare-{name}") is None:
            self.plane.api.create(pod(f"bare-{name}", gpus))

    @rule(kind=KINDS, name=NAMES, replicas=SIZES)
    def scale(self, kind: str, name: str, replicas: int) -> None:
        if self.store.get(kind, "default", name) is not None:
            self.plane.api.scale(kind, ("default", name), replicas)

    @rule(name=NAMES, version=st.integers(0, 3))
    def change(self, name: str, version: int) -> None:
        if self.store.get("Deployment", "default", name) is not None:
            notes = {"metadata": {"annotations": {"v": str(version)}}}
            self.plane.api.patch("Deployment", ("default", name), {"spec": {"template": notes}})

    @rule(kind=st.one_of(KINDS, st.just("Job")), name=NAMES)
    def delete(self, kind: str, name: str) -> None:
        if self.store.get(kind, "default", name) is not None:
            delete(self.store, kind, ("default", name))

    @rule(data=st.data())
    def lose_a_pod(self, data: st.DataObject) -> None:
        names = sorted(item.key for item in self.store.pods())
        if names:
            key = data.draw(st.sampled_from(names))
            how = data.draw(st.sampled_from(["delete", "evict"]))
            if how == "delete":
                delete(self.store, "Pod", key)
            else:
                evict(self.store, key)

    @rule(gone=st.booleans())
    def toggle_a_node(self, gone: bool) -> None:
        if self.store.get("Node", "", "b") is None:
            self.plane.api.create(node("b", 4))
        elif gone:
            delete(self.store, "Node", ("", "b"))

    @rule()
    def read_and_replay(self) -> None:
        self.settle()
        state = Replay(list(self.store.journal.rows())).jump()
        mine = {item.key: manifest_of(item, self.store.calendar) for item in self.store.pods()}
        again = {item.key: manifest_of(item, self.store.calendar) for item in state.pods.values()}
        assert again == mine

    def settle(self) -> None:
        self.plane.run(self.plane.loop.now + 1)

    @precondition(lambda self: hasattr(self, "plane"))
    @invariant()
    def every_pod_is_counted_once(self) -> None:
        self.settle()
        alive = len(list(self.store.pods()))
        assert alive == self.counts["ADDED"] - self.counts["DELETED"]

    @precondition(lambda self: hasattr(self, "plane"))
    @invariant()
    def no_node_is_overfull(self) -> None:
        for found in self.store.objects("Node"):
            here = self.store.pods_on(found["metadata"]["name"])
            used = sum(gpus_of(item) for item in here if not item.terminal)
            assert used <= int(found["status"]["allocatable"][GPU])

    @precondition(lambda self: hasattr(self, "plane"))
    @invariant()
    def indexes_agree_with_the_pods(self) -> None:
        pods = list(self.store.pods())
        for item in pods:
            if item.owner is not None:
                assert item in self.store.pods_of(item.owner[2])
                siblings = self.store.pods_of(item.owner[2])
                left = [pod for pod in siblings if not pod.terminal or pod.finalizers]
                assert list(self.store.open_pods_of(item.owner[2])) == left
            if item.node:
                assert item in self.store.pods_on(item.node)

    def teardown(self) -> None:
        if not hasattr(self, "plane"):
            return
        if self.store.get("Node", "", "b") is None:
            self.plane.api.create(node("b", 4))
        self.plane.run(self.plane.loop.now + 800 * SECOND)
        self.every_owner_has_its_pods()
        self.nothing_outlives_its_owner()

    def every_owner_has_its_pods(self) -> None:
        for kind in ("ReplicaSet", "StatefulSet"):
            for found in self.store.objects(kind):
                pods = list(self.store.pods_of(found["metadata"]["uid"]))
                if kind == "ReplicaSet":
                    assert sum(item.active for item in pods) == found["spec"]["replicas"]
                elif all(item.ready for item in pods):  # else OrderedReady waits for those behind
                    assert len(pods) <= found["spec"]["replicas"]
        for found in self.store.objects("Deployment"):
            status = found["status"]
            assert status.get("observedGeneration") == found["metadata"]["generation"]

    def nothing_outlives_its_owner(self) -> None:
        alive = {
            found["metadata"]["uid"]
            for kind in ("Deployment", "ReplicaSet", "StatefulSet", "Job")
            for found in self.store.objects(kind)
        }
        for item in self.store.pods():
            assert item.owner is None or item.owner[2] in alive
            assert item.deletion is None
        for found in self.store.objects("ReplicaSet"):
            owners = found["metadata"].get("ownerReferences") or ()
            assert all(owner["uid"] in alive for owner in owners)


Users.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestUsers = Users.TestCase
