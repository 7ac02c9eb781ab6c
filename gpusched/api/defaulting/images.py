"""Image references: only what decides the pull policy, the tag.

Source: distribution/reference reference.go, regexp.go, v0.6.0;
kubernetes/kubernetes pkg/util/parsers/parsers.go, v1.36.1
"""

import re
from functools import lru_cache
from typing import Final

_COMPONENT: Final = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_DOMAIN_PART: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_HOST: Final = rf"(?:{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*|\[(?:[a-fA-F0-9:]+)\])"
_ALGORITHM: Final = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*"
_REFERENCE: Final = re.compile(
    rf"(?P<name>{_HOST}(?::[0-9]+)?/{_COMPONENT}(?:/{_COMPONENT})*)"
    rf"(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>{_ALGORITHM}:[0-9a-fA-F]{{32,}}))?",
    re.ASCII,
)
_IDENTIFIER: Final = re.compile(r"[a-f0-9]{64}")
_DIGEST_SIZES: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
_LONGEST_NAME: Final = 255
_DEFAULT_DOMAIN: Final = "docker.io"


@lru_cache(maxsize=4096)
def pull_policy(image: str) -> str:
    """Return the default imagePullPolicy of an image.

    >>> pull_policy("nginx"), pull_policy("nginx:1.27"), pull_policy("no such image")
    ('Always', 'IfNotPresent', 'IfNotPresent')
    """
    return "Always" if _tag(image) == "latest" else "IfNotPresent"


def _tag(image: str) -> str:
    """Return the tag, ``latest`` if there is neither tag nor digest, "" for what is no image."""
    if _IDENTIFIER.fullmatch(image):
        return ""
    match = _REFERENCE.fullmatch(_with_domain(image))
    if match is None or len(match["name"]) > _LONGEST_NAME:
        return ""
    if match["digest"]:
        algorithm, _, digits = match["digest"].partition(":")
        if len(digits) != _DIGEST_SIZES.get(algorithm) or digits != digits.lower():
            return ""
        return match["tag"] or ""
    return match["tag"] or "latest"


def _with_domain(image: str) -> str:
    first, slash, rest = image.partition("/")
    is_domain = slash and (
        "." in first or ":" in first or first == "localhost" or first.lower() != first
    )
    domain, path = (first, rest) if is_domain else (_DEFAULT_DOMAIN, image)
    if domain == "index.docker.io":
        domain = _DEFAULT_DOMAIN
    if domain == _DEFAULT_DOMAIN and "/" not in path:
        path = f"library/{path}"
    return f"{domain}/{path}"
