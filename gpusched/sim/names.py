"""Generated names: a prefix and five letters, as the API server draws them."""

import numpy as np

from gpusched.controllers.template_hash import SAFE_LETTERS

_BLOCK = 4096
_LENGTH = 5


class NameSource:
    """Draws suffixes from one stream of its own.

    Args:
        rng: The stream.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._stock: list[str] = []

    def complete(self, prefix: str) -> str:
        """Return ``prefix`` with a suffix.

        Source: kubernetes/kubernetes staging/src/k8s.io/apiserver/pkg/storage/names/generate.go,
        v1.36.1
        """
        if not self._stock:
            draws = self._rng.integers(len(SAFE_LETTERS), size=(_BLOCK, _LENGTH)).tolist()
            self._stock = ["".join(SAFE_LETTERS[letter] for letter in draw) for draw in draws]
        return prefix[: 63 - _LENGTH] + self._stock.pop()
