"""Which cluster is taken, and how its refusals are read."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from gpusched.cli.commands import gpusched
from gpusched.errors import InvalidInputError
from gpusched.live.cluster import connect, refusal_of


def kubeconfig(tmp_path: Path, *contexts: str) -> str:
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": n, "context": {"cluster": "c", "user": "u"}} for n in contexts],
        "current-context": contexts[0],
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return str(path)


def test_the_only_context_of_a_named_file_is_taken(tmp_path: Path) -> None:
    assert connect(kubeconfig(tmp_path, "lab"), None).context == "lab"


def test_a_named_context_is_taken(tmp_path: Path) -> None:
    assert connect(kubeconfig(tmp_path, "production", "lab"), "lab").context == "lab"


@pytest.mark.parametrize(
    ("context", "message"),
    [
        pytest.param(
            None,
            "name the cluster with --context; the current context is never used."
            " Known: production, lab",
            id="the current context is never taken by itself",
        ),
        pytest.param(
            "lap",
            'context "lap" does not exist. Known: production, lab',
            id="a context that does not exist",
        ),
    ],
)
def test_a_context_that_is_not_named_is_refused(
    tmp_path: Path, context: str | None, message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        connect(kubeconfig(tmp_path, "production", "lab"), context)
    assert [fault.message for fault in caught.value.faults] == [message]


def test_a_refusal_keeps_the_servers_words() -> None:
    body = b'{"kind":"Status","reason":"NotFound","message":"pods \\"a\\" not found","code":404}'
    refusal = refusal_of(404, body)
    assert (refusal.code, refusal.reason, refusal.message) == (
        404,
        "NotFound",
        'pods "a" not found',
    )


def test_an_answer_that_is_no_status_is_told_as_it_is() -> None:
    assert refusal_of(502, b"bad gateway\n").message == "bad gateway"


@pytest.mark.parametrize(
    "command", [["clean"], ["capture", "-o", "fleet.yaml"]], ids=lambda c: c[0]
)
def test_the_command_line_refuses_a_context_that_is_not_named(
    tmp_path: Path, command: list[str]
) -> None:
    place = ["--kubeconfig", kubeconfig(tmp_path, "production", "lab")]
    result = CliRunner().invoke(gpusched, ["live", *command, *place])
    assert result.exit_code == 1
    assert "the current context is never used. Known: production, lab" in result.output
