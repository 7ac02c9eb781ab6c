"""Files of all sorts, good and bad: what is read, and what is said."""

import gzip
import io
import json
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gpusched.api.load import Manifest, load, stream
from gpusched.api.load.kubectl_yaml import build, resolve
from gpusched.errors import InvalidInputError

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: a
spec:
  containers:
  - name: c
    image: i
"""
EMPTY = "a.yaml: no objects in it; is it the right file?"
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(name: str, text: str | bytes) -> tuple[Manifest, ...]:
    Path(name).write_bytes(text.encode() if isinstance(text, str) else text)
    return load(name)


def said(name: str, text: str | bytes) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        read(name, text)
    return str(caught.value).splitlines()


def names(manifests: tuple[Manifest, ...]) -> list[str]:
    return [manifest.object["metadata"]["name"] for manifest in manifests]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("a.yaml", POD, ["a"], id="one document"),
        pytest.param("a.yaml", f"---\n{POD}---\n# nothing\n---\n{POD}", ["a", "a"], id="several"),
        pytest.param("a.yaml", f"%YAML 1.1\n---\n{POD}...\n", ["a"], id="with a directive"),
        pytest.param("a.yaml", b"\xef\xbb\xbf" + POD.encode(), ["a"], id="with a byte order mark"),
        pytest.param("a.yaml", POD.replace("\n", "\r\n"), ["a"], id="with Windows' line ends"),
        pytest.param("a.yaml.gz", gzip.compress(POD.encode()), ["a"], id="compressed"),
        pytest.param("a.json", json.dumps(NAMESPACE, indent=2), ["n"], id="JSON"),
        pytest.param("a.jsonl", f"{json.dumps(NAMESPACE)}\n\n" * 2, ["n", "n"], id="JSON Lines"),
        pytest.param("a.json", json.dumps(NAMESPACE, indent=1) * 2, ["n", "n"], id="JSON in a row"),
        pytest.param(
            "a.yaml",
            json.dumps({"apiVersion": "v1", "kind": "List", "items": [NAMESPACE] * 3}),
            ["n", "n", "n"],
            id="a List",
        ),
        pytest.param(
            "a.yaml",
            json.dumps(
                {"apiVersion": "v1", "kind": "PodList", "items": [{"metadata": {"name": "p"}}]}
            ),
            ["p"],
            id="a typed list, whose items have no kind",
        ),
        pytest.param(
            "a.yaml",
            POD + "status:\n  phase: Running\n  podIP: 10.0.0.1\n" + "",
            ["a"],
            id="a dump with status",
        ),
        pytest.param(
            "a.yaml",
            POD.replace(
                "  name: a\n",
                "  name: a\n  managedFields:\n  - manager: x\n    fieldsV1:\n      f:spec: {}\n",
            ),
            ["a"],
            id="a dump with managedFields",
        ),
        pytest.param(
            "a.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: x}}", ["x"], id="flow"
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_files_of_all_sorts_are_read(name: str, text: str | bytes, expected: list[str]) -> None:
    assert names(read(name, text)) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("a.yaml", "", [EMPTY], id="empty"),
        pytest.param("a.yaml", "# a\n---\n", [EMPTY], id="comments"),
        pytest.param(
            "a.yaml",
            "a: b: c\n",
            [
                (
                    "a.yaml:1: error converting YAML to JSON: yaml: "
                    "mapping values are not allowed in this context"
                )
            ],
            id="no YAML",
        ),
        pytest.param(
            "a.yaml",
            b"a: 1\nb: \xe9\n",
            ["a.yaml:2: is not UTF-8 text: byte 0xe9 cannot be read; save it as UTF-8"],
            id="Latin-1",
        ),
        pytest.param(
            "a.yaml",
            POD.encode("utf-16"),
            ["a.yaml: is not UTF-8 text but UTF-16; save it as UTF-8"],
            id="UTF-16",
        ),
        pytest.param(
            "a.yaml",
            POD + "  priority: 1\n  priority: 2\n",
            [
                (
                    'a.yaml:10: strict decoding error: yaml: key "priority" already set in map '
                    "(keep one of the two)"
                )
            ],
            id="a key twice",
        ),
        pytest.param(
            "a.json",
            '{"apiVersion": "v1", "kind": "Namespace",\n "kind": "Namespace"}',
            ['a.json:2: strict decoding error: duplicate field "kind" (keep one of the two)'],
            id="a JSON key twice",
        ),
        pytest.param(
            "a.json",
            '{"a": NaN}',
            ["a.json:1: error parsing JSON: NaN is not a JSON value"],
            id="NaN",
        ),
        pytest.param(
            "a.json",
            '{"a": 1e999}',
            ["a.json:1: error parsing JSON: the number 1e999 is too large"],
            id="a number beyond all bounds",
        ),
        pytest.param(
            "a.yaml",
            "a: .nan\n",
            ["a.yaml:1: error converting YAML to JSON: json: unsupported value: NaN"],
            id="YAML's NaN",
        ),
        pytest.param(
            "a.yaml",
            "a: -.inf\n",
            ["a.yaml:1: error converting YAML to JSON: json: unsupported value: -Inf"],
            id="infinity",
        ),
        pytest.param(
            "a.yaml",
            "a: &a ["
            + "x, " * 9
            + "x]\n"
            + "".join(
                f"{name}: &{name} [" + f"*{before}, " * 9 + f"*{before}]\n"
                for before, name in zip("abcdefgh", "bcdefghi", strict=True)
            ),
            [
                (
                    "a.yaml:5: error converting YAML to JSON: yaml: "
                    "document contains excessive aliasing"
                )
            ],
            id="a bomb of aliases",
        ),
        pytest.param(
            "a.yaml",
            "a: &a\n  b: *a\n",
            ["a.yaml:2: error converting YAML to JSON: yaml: anchor 'a' value contains itself"],
            id="an alias of itself",
        ),
        pytest.param(
            "a.yaml",
            "a: " + "[" * 5000 + "]" * 5000,
            ["a.yaml:1: error converting YAML to JSON: yaml: nested deeper than 100 levels"],
            id="deep YAML",
        ),
        pytest.param(
            "a.json",
            '{"a":' + "[" * 100000,
            ["a.json:1: nested deeper than 100 levels"],
            id="deep JSON",
        ),
        pytest.param(
            "a.yaml",
            "a: !!python/object/apply:os.system [id]\n",
            [
                (
                    "a.yaml:1: error converting YAML to JSON: yaml: the tag "
                    "tag:yaml.org,2002:python/object/apply:os.system is not supported"
                )
            ],
            id="code",
        ),
        pytest.param(
            "a.yaml",
            "? [a]\n: b\n",
            ["a.yaml:1: error converting YAML to JSON: yaml: a map's key must be a string"],
            id="a list as key",
        ),
        pytest.param(
            "a.yaml.gz",
            gzip.compress(POD.encode())[:-9],
            [
                (
                    "a.yaml.gz: cannot be unpacked: "
                    "Compressed file ended before the end-of-stream marker was reached"
                )
            ],
            id="a broken archive",
        ),
        pytest.param(
            "a.yaml",
            "apiVersion: v1\nkind: Podd\n",
            ['a.yaml:2: no matches for kind "Podd" in version "v1" (did you mean "v1/Pod"?)'],
            id="an unknown kind",
        ),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_bad_file_is_told_with_place_and_reason(
    name: str, text: str | bytes, expected: list[str]
) -> None:
    assert said(name, text) == expected


@pytest.mark.usefixtures("folder")
def test_all_faults_of_all_files_are_told_at_once() -> None:
    Path("a.yaml").write_text(
        f"{POD}---\n{POD}  nodeSelektor: {{}}\n  priority: x\n---\na: [\n---\n{POD}  gpus: 1\n"
    )
    Path("b.yaml").write_text("")
    with pytest.raises(InvalidInputError) as caught:
        load(["a.yaml", "b.yaml", "c.yaml"])
    assert [str(fault) for fault in caught.value.faults] == [
        (
            'a.yaml:18: document 2: strict decoding error: unknown field "spec.nodeSelektor" '
            '(did you mean "nodeSelector"?)'
        ),
        (
            "a.yaml:19: document 2: json: cannot unmarshal string into Go struct field "
            "PodSpec.spec.priority of type int32"
        ),
        (
            "a.yaml:22: document 3: error converting YAML to JSON: yaml: "
            "did not find expected node content"
        ),
        'a.yaml:31: document 4: strict decoding error: unknown field "spec.gpus"',
        "b.yaml: no objects in it; is it the right file?",
        "c.yaml: no such file; is its name right?",
    ]


def test_a_directory_and_a_strange_name_are_told(folder: Path) -> None:
    for name, words in (
        (str(folder), "is a directory; name the files in it, e.g. with *.yaml"),
        ("a\0b", "cannot be read: embedded null byte"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            load(name)
        assert caught.value.faults[0].message == words


def test_a_hundred_faults_are_told_and_the_rest_counted(folder: Path) -> None:
    bad = "\n".join(f'{{"apiVersion": "v1", "kind": "K{i}"}}' for i in range(150))
    (folder / "a.jsonl").write_text(bad)
    with pytest.raises(InvalidInputError) as caught:
        load("a.jsonl")
    assert len(caught.value.faults) == 101
    assert str(caught.value.faults[-1]) == "and 50 more faults"


@pytest.mark.usefixtures("folder")
def test_a_document_of_too_many_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpusched.api.load.sources.LARGEST_DOCUMENT", 2**20)
    words = "a document is larger than 1 MiB; split it, or use JSON Lines"
    assert said("a.yaml", "# x\n" * 2**19) == [f"a.yaml:1: {words}"]
    assert said("a.yaml", "a: " + "x" * 2**21) == [f"a.yaml:1: {words}"]
    assert said("a.json", "{\n" + " " * 2**21) == [f"a.json:1: {words}"]


def test_standard_input_is_read_by_its_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"kind: x\n")))
    with pytest.raises(InvalidInputError) as caught:
        load("-")
    assert caught.value.faults[0].file == "<stdin>"


@pytest.mark.usefixtures("folder")
def test_a_manifest_knows_the_lines_of_its_fields() -> None:
    (manifest,) = read("a.yaml", f"# first\n\n{POD}  nodeSelector: {{a: b}}\n")
    assert (manifest.document, manifest.line) == (1, 3)
    assert manifest.line_of("spec.containers[0].image") == 10
    assert manifest.line_of(("spec", "nodeSelector", "a")) == 11
    assert manifest.line_of("spec.containers[0].resources.limits[nvidia.com/gpu]") == 9
    assert str(manifest.fault("bad", "metadata.name")) == "a.yaml:6: bad"


@pytest.mark.usefixtures("folder")
def test_a_stream_yields_before_the_file_is_read_to_its_end() -> None:
    Path("a.yaml").write_text(f"{POD}---\nbad: [\n")
    found = stream("a.yaml")
    assert next(found).object["kind"] == "Pod"
    with pytest.raises(InvalidInputError):
        next(found)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", True),
        ("no", False),
        ("y", True),
        ("~", None),
        ("", None),
        ("true", True),
        ("012", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("08", 8),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("1.0", 1),
        ("1.5", 1.5),
        ("1e3", 1000),
        ("1e999", "1e999"),
        ("18446744073709551615", 2**64 - 1),
        ("+5", 5),
        ("-5", -5),
        ("1Gi", "1Gi"),
        ("=", "="),
        ("0x", "0x"),
        ("-", "-"),
        (".5", 0.5),
        ("nan", "nan"),
    ],
)
def test_plain_scalars_are_what_kubectl_makes_of_them(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def test_merge_keys_add_what_is_not_there() -> None:
    text = "a: &a {x: 1, z: 2}\nb: {<<: *a, z: 3}\nc: {<<: [{x: 5}, *a]}\n"
    (built,) = build(text)
    assert built.value == {"a": {"x": 1, "z": 2}, "b": {"x": 1, "z": 3}, "c": {"x": 5, "z": 2}}


def test_keys_become_strings() -> None:
    (built,) = build("1: a\nyes: b\n1.5: c\n")
    assert built.value == {"1": "a", "true": "b", "1.5": "c"}


words = st.text(st.characters(categories=["L", "N", "P", "Sm"]), max_size=8)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.property
@given(plain)
def test_what_json_writes_both_readers_read_alike(value: object) -> None:
    text = json.dumps(value, ensure_ascii=False)
    (built,) = build(text)
    assert built.value == json.loads(text)


@pytest.mark.property
@settings(max_examples=400)
@given(data=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_random_bytes_end_in_faults_never_in_a_traceback(folder: Path, data: bytes) -> None:
    name = str(folder / "a.yaml")
    Path(name).write_bytes(data)
    with pytest.raises(InvalidInputError) as caught:
        load(name)
    assert all(str(fault) for fault in caught.value.faults)


PIECES = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "- ",
        "\n",
        "\n  ",
        "&a ",
        "*a",
        "!!int ",
        "!x ",
        "<<: ",
        "? ",
        "---\n",
        '"',
        "'",
        "|",
        ">",
        "#",
        "%",
        "@",
        "`",
        "\t",
        "\0",
        "a: ",
        "kind: Pod\n",
        "apiVersion: v1\n",
        "1",
        "spec: ",
        "containers: ",
        "~",
        ".nan",
        "\\u",
        "é",
        "\ufeff",
        "metadata: ",
    ]
)


@pytest.mark.property
@settings(max_examples=600)
@given(pieces=st.lists(PIECES, max_size=25))
def test_shards_of_manifests_are_read_or_end_in_faults(folder: Path, pieces: list[str]) -> None:
    name = str(folder / "a.yaml")
    Path(name).write_text("".join(pieces))
    try:
        found = load(name)
    except InvalidInputError:
        return
    assert all(manifest.object["kind"] == "Pod" for manifest in found)


@pytest.mark.property
@settings(max_examples=200)
@given(data=st.data())
def test_a_pod_with_one_value_replaced_is_read_or_ends_in_faults(
    folder: Path, data: st.DataObject
) -> None:
    pod = yaml.safe_load(POD)
    place = data.draw(st.sampled_from(["apiVersion", "kind", "metadata", "spec", "status"]))
    pod[place] = data.draw(plain)
    name = str(folder / "a.json")
    Path(name).write_text(json.dumps(pod))
    with suppress(InvalidInputError):
        load(name)
