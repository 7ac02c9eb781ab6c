"""Configurations in, effective profiles or kube-scheduler's own words out."""

import json
import pickle
from typing import Any

import pytest

from gpusched.api.config import (
    IN_TREE_PLUGINS,
    ConfigurationError,
    DefaultPreemptionArgs,
    DynamicResourcesArgs,
    ExtensionPoint,
    InterPodAffinityArgs,
    NodeResourcesFitArgs,
    PodTopologySpreadArgs,
    ResourceSpec,
    ShapePoint,
    Stage,
    default_configuration,
    load_configuration,
)

HEADER = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
P = ExtensionPoint


def document(**fields: Any) -> str:
    head = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
    }
    return json.dumps({**head, **fields})


def with_plugins(**plugins: Any) -> str:
    return document(profiles=[{"plugins": plugins}])


def with_args(plugin: str, **args: Any) -> str:
    return document(profiles=[{"pluginConfig": [{"name": plugin, "args": args}]}])


def named(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def refused(text: str) -> tuple[Stage, str]:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(text)
    assert str(caught.value) == caught.value.message
    return caught.value.stage, caught.value.message


def test_a_bare_document_is_the_default_configuration() -> None:
    assert load_configuration(HEADER) == default_configuration()


def test_the_default_profile_runs_the_plugins_of_1_36_in_order() -> None:
    plugins = default_configuration().profiles[0].plugins
    assert plugins[P.FILTER] == (
        "NodeUnschedulable",
        "NodeName",
        "TaintToleration",
        "NodeAffinity",
        "NodePorts",
        "NodeResourcesFit",
        "VolumeRestrictions",
        "NodeVolumeLimits",
        "VolumeBinding",
        "VolumeZone",
        "PodTopologySpread",
        "InterPodAffinity",
        "DynamicResources",
        "NodeDeclaredFeatures",
    )
    assert plugins[P.POST_FILTER] == ("DynamicResources", "DefaultPreemption")
    assert plugins[P.RESERVE] == plugins[P.PRE_BIND] == ("VolumeBinding", "DynamicResources")
    assert plugins[P.QUEUE_SORT] == ("PrioritySort",)
    assert plugins[P.BIND] == ("DefaultBinder",)


def test_the_default_weights_are_those_of_1_36() -> None:
    assert default_configuration().profiles[0].score_weights == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "VolumeBinding": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "DynamicResources": 2,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }


def test_every_default_argument_is_filled_in() -> None:
    args = default_configuration().profiles[0].args
    assert args["NodeResourcesFit"] == NodeResourcesFitArgs()
    assert args["PodTopologySpread"] == PodTopologySpreadArgs()
    assert args["DefaultPreemption"] == DefaultPreemptionArgs(10, 100)
    assert args["DynamicResources"] == DynamicResourcesArgs(10_000_000, 600_000_000)
    assert args["InterPodAffinity"] == InterPodAffinityArgs(hard_pod_affinity_weight=1)


def test_arguments_are_read_and_completed() -> None:
    strategy = {
        "type": "RequestedToCapacityRatio",
        "resources": [{"name": "nvidia.com/gpu", "weight": 5}, {"name": "cpu"}],
        "requestedToCapacityRatio": {"shape": [{"utilization": 0}, {"utilization": 9, "score": 7}]},
    }
    text = with_args("NodeResourcesFit", ignoredResources=["a/b"], scoringStrategy=strategy)
    assert load_configuration(text).profiles[0].args["NodeResourcesFit"] == NodeResourcesFitArgs(
        ignored_resources=("a/b",),
        strategy="RequestedToCapacityRatio",
        resources=(ResourceSpec("nvidia.com/gpu", 5), ResourceSpec("cpu", 1)),
        shape=(ShapePoint(0, 0), ShapePoint(9, 7)),
    )


def test_a_plugin_enabled_at_its_own_point_runs_first_there_with_its_own_weight() -> None:
    text = with_plugins(score={"enabled": [{"name": "ImageLocality", "weight": 9}]})
    profile = load_configuration(text).profiles[0]
    assert profile.plugins[P.SCORE][:2] == ("ImageLocality", "TaintToleration")
    assert profile.score_weights["ImageLocality"] == 9


def test_a_default_enabled_once_more_in_multipoint_keeps_its_place() -> None:
    multi_point = {"enabled": [{"name": "NodeAffinity", "weight": 50}]}
    profile = load_configuration(with_plugins(multiPoint=multi_point)).profiles[0]
    assert profile.plugins == default_configuration().profiles[0].plugins
    assert profile.score_weights["NodeAffinity"] == 50


def test_a_star_at_a_point_leaves_only_what_is_enabled_there() -> None:
    text = with_plugins(filter={"enabled": named("NodePorts", "NodeName"), "disabled": named("*")})
    profile = load_configuration(text).profiles[0]
    assert profile.plugins[P.FILTER] == ("NodePorts", "NodeName")
    assert profile.plugins[P.PRE_FILTER][:2] == ("NodeAffinity", "NodePorts")


def test_a_plugin_disabled_in_multipoint_is_gone_everywhere() -> None:
    text = with_plugins(multiPoint={"disabled": named("NodeAffinity")})
    plugins = load_configuration(text).profiles[0].plugins
    assert not [point for point, names in plugins.items() if "NodeAffinity" in names]


def test_a_plugin_of_the_users_own_is_appended_where_it_extends() -> None:
    text = with_plugins(multiPoint={"enabled": [{"name": "Mine", "weight": 4}]})
    extra = {"Mine": frozenset({P.FILTER, P.SCORE})}
    profile = load_configuration(text, extra).profiles[0]
    assert profile.plugins[P.FILTER][-1] == profile.plugins[P.SCORE][-1] == "Mine"
    assert "Mine" not in profile.plugins[P.PRE_FILTER]
    assert profile.score_weights["Mine"] == 4


def test_arguments_of_a_plugin_of_the_users_own_stay_as_they_are() -> None:
    text = with_args("Mine", depth=3, names=["a"], ratio=0.5)
    mine = load_configuration(text).profiles[0].other_args["Mine"]
    assert mine == {"depth": 3, "names": ["a"], "ratio": 0.5}


def test_several_profiles_are_found_by_scheduler_name() -> None:
    profiles = [{"schedulerName": "a"}, {"schedulerName": "b", "percentageOfNodesToScore": 7}]
    configuration = load_configuration(document(profiles=profiles))
    second = configuration.profile("b")
    assert second is not None
    assert second.percentage_of_nodes_to_score == 7
    assert configuration.profile("c") is None


def test_resources_of_extenders_replace_the_ignored_ones_of_every_profile() -> None:
    resources = [{"name": "x.com/a", "ignoredByScheduler": True}, {"name": "x.com/b"}]
    text = document(
        extenders=[{"urlPrefix": "http://x", "ignorable": True, "managedResources": resources}],
        profiles=[
            {"pluginConfig": [{"name": "NodeResourcesFit", "args": {"ignoredResources": ["q/r"]}}]}
        ],
    )
    args = load_configuration(text).profiles[0].args["NodeResourcesFit"]
    assert args == NodeResourcesFitArgs(ignored_resources=("x.com/a",))


@pytest.mark.parametrize(
    ("number", "parallelism"),
    [("0x10", 16), ("010", 8), ("1e1", 10), ("1_0", 10), ("0b11", 3), ("null", 16)],
)
def test_yaml_numbers_are_read_as_the_go_library_reads_them(number: str, parallelism: int) -> None:
    text = f"{HEADER}parallelism: {number}\n"
    assert load_configuration(text).parallelism == parallelism


ADDED = "requiredDuringSchedulingIgnoredDuringExecution"
PLACE = f"profiles[0].pluginConfig[0].args.addedAffinity.{ADDED}.nodeSelectorTerms[0]"
NAME_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
PROFILE = "initializing profiles: creating profile for scheduler name default-scheduler: "
IS_BOUND_TO = "couldn't get version/kind; json parse error: "


def added(**requirement: Any) -> str:
    term = {"matchExpressions": [requirement]}
    return with_args("NodeAffinity", addedAffinity={ADDED: {"nodeSelectorTerms": [term]}})


def fit(**args: Any) -> str:
    return with_args("NodeResourcesFit", **args)


def ratio(*points: tuple[int, int]) -> str:
    shape = [{"utilization": utilization, "score": score} for utilization, score in points]
    strategy = {
        "type": "RequestedToCapacityRatio",
        "requestedToCapacityRatio": {"shape": shape},
    }
    return fit(scoringStrategy=strategy)


DECODE = {
    "no kind": ("a: 1", "Object 'Kind' is missing in 'a: 1'"),
    "no version": ("kind: X", "Object 'apiVersion' is missing in 'kind: X'"),
    "another version": (
        document(apiVersion="kubescheduler.config.k8s.io/v1beta3"),
        (
            'no kind "KubeSchedulerConfiguration" is registered for version '
            '"kubescheduler.config.k8s.io/v1beta3" in scheme "pkg/runtime/scheme.go:111"'
        ),
    ),
    "another kind of the same group": (
        document(kind="NodeAffinityArgs"),
        (
            "couldn't decode as KubeSchedulerConfiguration, got "
            "kubescheduler.config.k8s.io/v1, Kind=NodeAffinityArgs: "
        ),
    ),
    "unknown fields, sorted in YAML": (
        f"{HEADER}foo: 1\nbar: 2\nprofiles: [{{foo: 1}}]\n",
        (
            'strict decoding error: unknown field "bar", unknown field "foo", '
            'unknown field "profiles[0].foo"'
        ),
    ),
    "a key twice in YAML": (
        f"{HEADER}parallelism: 1\nparallelism: 2\n",
        (
            "strict decoding error: yaml: unmarshal errors:\n"
            '  line 4: key "parallelism" already set in map'
        ),
    ),
    "a key twice in JSON": (
        document()[:-1] + ', "parallelism": 1, "parallelism": 2}',
        'strict decoding error: duplicate field "parallelism"',
    ),
    "a wrong type deep inside": (
        with_plugins(filter={"enabled": [{"name": "a", "weight": 1.5}]}),
        (
            "json: cannot unmarshal number 1.5 into Go struct field "
            "Plugin.profiles.plugins.filter.enabled.weight of type int32"
        ),
    ),
    "a wrong type in an embedded struct": (
        document(enableProfiling="x"),
        (
            "json: cannot unmarshal string into Go struct field "
            "KubeSchedulerConfiguration.DebuggingConfiguration.enableProfiling of type bool"
        ),
    ),
    "an unknown field of arguments": (
        fit(bogus=1),
        (
            "strict decoding error: decoding .profiles[0].pluginConfig[0]: strict decoding error: "
            "decoding args for plugin NodeResourcesFit: "
            'strict decoding error: unknown field "bogus"'
        ),
    ),
    "arguments of another plugin": (
        fit(kind="InterPodAffinityArgs"),
        (
            "decoding .profiles[0].pluginConfig[0]: args for plugin NodeResourcesFit were not of "
            "type NodeResourcesFitArgs.kubescheduler.config.k8s.io, got "
            "InterPodAffinityArgs.kubescheduler.config.k8s.io"
        ),
    ),
    "a duration without a unit": (
        with_args("DynamicResources", filterTimeout="5"),
        (
            "decoding .profiles[0].pluginConfig[0]: decoding args for plugin DynamicResources: "
            'time: missing unit in duration "5"'
        ),
    ),
    "broken YAML": (
        f"{HEADER}a: b: c\n",
        "yaml: line 3: mapping values are not allowed in this context",
    ),
    "broken JSON": (
        '{"a": [1 2]}',
        f"{IS_BOUND_TO}invalid character '2' after array element",
    ),
    "JSON that ends early": ('{"a": ', f"{IS_BOUND_TO}unexpected end of JSON input"),
}

VALIDATE = {
    "no scheduler name twice": (
        document(profiles=[{}, {}]),
        (
            "[profiles[0].schedulerName: Required value, profiles[1].schedulerName: Required "
            "value, "
            "profiles[1].schedulerName: Duplicate value: {}]"
        ),
    ),
    "no parallelism": (
        document(parallelism=0),
        "parallelism: Invalid value: 0: should be an integer value greater than zero",
    ),
    "back-off that shrinks": (
        document(podInitialBackoffSeconds=5, podMaxBackoffSeconds=1),
        (
            "podMaxBackoffSeconds: Invalid value: 1: must be greater than or equal to "
            "PodInitialBackoffSeconds"
        ),
    ),
    "a removed plugin at a point": (
        with_plugins(filter={"enabled": named("EBSLimits")}),
        (
            'profiles[0].plugins.filter.enabled[0]: Invalid value: "EBSLimits": was invalid in '
            "version "
            '"v1" (KubeSchedulerConfiguration is version "kubescheduler.config.k8s.io/v1")'
        ),
    ),
    "queues in different order": (
        document(
            profiles=[
                {"schedulerName": "a"},
                {"schedulerName": "b", "plugins": {"queueSort": {"disabled": named("*")}}},
            ]
        ),
        (
            'profiles[1].plugins.queueSort: Invalid value: {"Enabled":null,"Disabled":'
            '[{"Name":"*","Weight":0}]}: must be the same for all profiles'
        ),
    ),
    "arguments twice": (
        document(profiles=[{"pluginConfig": named("NodePorts", "NodePorts")}]),
        'profiles[0].pluginConfig[1]: Duplicate value: "NodePorts"',
    ),
    "preemption without candidates": (
        with_args("DefaultPreemption", minCandidateNodesPercentage=0, minCandidateNodesAbsolute=0),
        (
            "[profiles[0].pluginConfig[0].args.minCandidateNodesPercentage: Invalid value: 0: "
            "cannot be "
            "zero at the same time as minCandidateNodesAbsolute, profiles[0].pluginConfig[0].args."
            "minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as "
            "minCandidateNodesPercentage]"
        ),
    ),
    "a default constraint with a selector": (
        with_args(
            "PodTopologySpread",
            defaultingType="List",
            defaultConstraints=[
                {
                    "maxSkew": 1,
                    "topologyKey": "z",
                    "whenUnsatisfiable": "DoNotSchedule",
                    "labelSelector": {},
                }
            ],
        ),
        (
            "profiles[0].pluginConfig[0].args.defaultConstraints[0].labelSelector: Forbidden: "
            "constraint must not define a selector, as they deduced for each pod"
        ),
    ),
    "a timeout below zero": (
        with_args("DynamicResources", filterTimeout="-90s"),
        (
            'profiles[0].pluginConfig[0].args.filterTimeout: Invalid value: "-1m30s": must be '
            "zero or "
            "positive"
        ),
    ),
    "a shape where none may be": (
        with_args("VolumeBinding", shape=[{"score": 3}]),
        (
            'profiles[0].pluginConfig[0].args.shape: Invalid value: [{"Utilization":0,"Score":3}]: '
            "unexpected field `shape`, remove it or turn on the feature gate StorageCapacityScoring"
        ),
    ),
    "an added affinity without values": (
        added(key="a", operator="In"),
        (
            f"{PLACE}.matchExpressions[0].values: Invalid value: null: for 'in', 'notin' "
            "operators, "
            "values set can't be empty"
        ),
    ),
    "an added affinity with an unknown operator": (
        added(key="a", operator="Nope"),
        (
            f'{PLACE}.matchExpressions[0].operator: Unsupported value: "Nope": supported values: '
            '"In", '
            '"NotIn", "Exists", "DoesNotExist", "Gt", "Lt"'
        ),
    ),
    "an added affinity without a key": (
        added(key="", operator="Exists"),
        (
            f'{PLACE}.matchExpressions[0].key: Invalid value: "": name part must be non-empty; '
            f"name part {NAME_RULE}"
        ),
    ),
    "leader election that ends before it is renewed": (
        document(leaderElection={"leaseDuration": "1s", "renewDeadline": "1m"}),
        'leaderElection.leaseDuration: Invalid value: "1m0s": must be greater than `RenewDeadline`',
    ),
    "two extenders that bind": (
        document(extenders=[{"bindVerb": "a"}, {"bindVerb": "b"}]),
        (
            'extenders: Invalid value: "found 2 extenders implementing bind": only one extender '
            "can "
            "implement bind"
        ),
    ),
}

BUILD = {
    "an unknown plugin at a point": (
        with_plugins(score={"enabled": named("Bogus")}),
        f'{PROFILE}ScorePlugin "Bogus" does not exist',
    ),
    "an unknown plugin in multiPoint is missed where it is first looked for": (
        with_plugins(multiPoint={"enabled": named("Bogus")}),
        f'{PROFILE}PreFilterPlugin "Bogus" does not exist',
    ),
    "a plugin where it has nothing to do": (
        with_plugins(score={"enabled": named("NodeName")}),
        f'{PROFILE}plugin "NodeName" does not extend ScorePlugin plugin',
    ),
    "a plugin twice at a point": (
        with_plugins(filter={"enabled": named("NodeName", "NodeName")}),
        f'{PROFILE}plugin "NodeName" already registered as "FilterPlugin"',
    ),
    "nothing that binds": (
        with_plugins(bind={"disabled": named("*")}),
        (
            f"{PROFILE}at least one bind plugin is needed for profile with scheduler name "
            '"default-scheduler"'
        ),
    ),
    "nothing that sorts the queue": (
        with_plugins(queueSort={"disabled": named("*")}),
        (
            f"{PROFILE}only one queue sort plugin required for profile with scheduler name "
            '"default-scheduler", but got 0'
        ),
    ),
    "weights that could overflow": (
        with_plugins(score={"enabled": [{"name": "NodeAffinity", "weight": -1}]}),
        f"{PROFILE}score plugins: total score of Score plugins could overflow",
    ),
    "an unknown strategy": (
        fit(scoringStrategy={"type": "Bogus"}),
        (
            f'{PROFILE}initializing plugin "NodeResourcesFit": scoringStrategy.type: Unsupported '
            'value: "Bogus": supported values: "LeastAllocated", "MostAllocated", '
            '"RequestedToCapacityRatio"'
        ),
    ),
    "a shape that goes back and beyond": (
        ratio((50, 0), (50, 11), (101, 0)),
        (
            f'{PROFILE}initializing plugin "NodeResourcesFit": ['
            "scoringStrategy.requestedToCapacityRatio.shape[1].utilization: Invalid value: 50: "
            "values "
            "must be sorted in increasing order, "
            "scoringStrategy.requestedToCapacityRatio.shape[1].score: Invalid value: 11: not in "
            "valid "
            "range [0, 10], scoringStrategy.requestedToCapacityRatio.shape[2].utilization: Invalid "
            "value: 101: not in valid range [0, 100]]"
        ),
    ),
    "a bad name among the ignored resources": (
        fit(ignoredResources=["-x"]),
        (
            f'{PROFILE}initializing plugin "NodeResourcesFit": ignoredResources[0]: Invalid value: '
            f'"-x": name part {NAME_RULE}'
        ),
    ),
}


@pytest.mark.parametrize(("text", "message"), DECODE.values(), ids=DECODE.keys())
def test_what_cannot_be_decoded_is_said_in_upstreams_words(text: str, message: str) -> None:
    assert refused(text) == (Stage.DECODE, message)


@pytest.mark.parametrize(("text", "message"), VALIDATE.values(), ids=VALIDATE.keys())
def test_what_is_not_valid_is_said_in_upstreams_words(text: str, message: str) -> None:
    assert refused(text) == (Stage.VALIDATE, message)


@pytest.mark.parametrize(("text", "message"), BUILD.values(), ids=BUILD.keys())
def test_what_cannot_be_built_is_said_in_upstreams_words(text: str, message: str) -> None:
    assert refused(text) == (Stage.BUILD, message)


def test_a_plugin_that_nobody_enables_may_have_wrong_arguments() -> None:
    text = document(
        profiles=[
            {
                "plugins": {"multiPoint": {"disabled": named("NodeResourcesFit")}},
                "pluginConfig": [{"name": "NodeResourcesFit", "args": {"ignoredResources": ["-"]}}],
            }
        ]
    )
    assert "NodeResourcesFit" not in load_configuration(text).profiles[0].score_weights


def test_the_table_of_in_tree_plugins_has_no_stranger_among_the_defaults() -> None:
    plugins = default_configuration().profiles[0].plugins
    for point, names in plugins.items():
        assert all(point in IN_TREE_PLUGINS[name] for name in names)


def test_configurations_and_errors_cross_process_boundaries() -> None:
    configuration = load_configuration(HEADER)
    assert pickle.loads(pickle.dumps(configuration)) == configuration
    error = pickle.loads(pickle.dumps(ConfigurationError(Stage.BUILD, "why")))
    assert (error.stage, error.message) == (Stage.BUILD, "why")
