"""Names and labels: the words for each broken rule."""

import pytest

from gpusched.api import names

KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end"
    " with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
    " validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must"
    " start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for"
    " validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)


@pytest.mark.parametrize(
    ("rule", "text", "problems"),
    [
        pytest.param(names.label_key, "nvidia.com/gpu", (), id="a key may have a domain"),
        pytest.param(names.label_key, "a b", (KEY,), id="a key has no blanks"),
        pytest.param(
            names.label_key, "", ("name part must be non-empty", KEY), id="a key is not empty"
        ),
        pytest.param(
            names.label_key, "/x", ("prefix part must be non-empty",), id="a domain is not empty"
        ),
        pytest.param(
            names.label_key,
            "x" * 64,
            ("name part must be no more than 63 bytes",),
            id="a key's name counts in bytes",
        ),
        pytest.param(names.dns_label, "a.b", ("must not contain dots",), id="a label has no dots"),
        pytest.param(names.dns_label, "-a", (LABEL,), id="a label starts with a letter or digit"),
        pytest.param(
            names.dns_label,
            "x" * 64,
            ("must be no more than 63 characters",),
            id="a label counts in characters",
        ),
        pytest.param(
            names.port_name,
            "--",
            (
                "must contain at least one letter (a-z)",
                "must not contain consecutive hyphens",
                "must not begin or end with a hyphen",
            ),
            id="a port's name may be wrong in several ways",
        ),
        pytest.param(
            names.path_segment, "a/%", ("may not contain '/'", "may not contain '%'"), id="in a URL"
        ),
        pytest.param(names.path_segment, "..", ("may not be '..'",), id="not the directory above"),
    ],
)
def test_a_broken_rule_is_told_in_upstreams_words(
    rule: names.Rule, text: str, problems: names.Problems
) -> None:
    assert rule(text) == problems


def test_a_prefix_for_generated_names_may_end_with_a_dash() -> None:
    assert names.generated(names.dns_subdomain, "train-") == ()
    assert names.dns_subdomain("train-") != ()
