"""Devices that drivers publish and claims hold, as a run's result counts them."""

from pathlib import Path
from typing import Any

import pytest

import gpusched
from gpusched.run.devices import device_use

SCENARIOS = Path(__file__).parents[2] / "scenarios"
Json = dict[str, Any]


class Objects:
    """Stands for a moment that has only these slices and claims."""

    def __init__(self, slices: list[Json], claims: list[Json]) -> None:
        self._found = {"ResourceSlice": slices, "ResourceClaim": claims}

    def objects(self, kind: str) -> list[Json]:
        return self._found[kind]


def published(*devices: str, generation: int = 1, driver: str = "d") -> Json:
    pool = {"name": "n", "generation": generation, "resourceSliceCount": 1}
    return {"spec": {"driver": driver, "pool": pool, "devices": [{"name": x} for x in devices]}}


def claim(*devices: str, **more: Any) -> Json:
    results = [{"driver": "d", "pool": "n", "device": device, **more} for device in devices]
    return {"status": {"allocation": {"devices": {"results": results}}}}


@pytest.mark.parametrize(
    ("slices", "claims", "use"),
    [
        pytest.param([], [], {}, id="no devices"),
        pytest.param([published("a", "b")], [{}], {"d": (2, 0)}, id="nothing allocated"),
        pytest.param([published("a", "b")], [claim("a")], {"d": (2, 1)}, id="one claimed"),
        pytest.param(
            [published("a", "b"), published("b", "c", generation=2)],
            [],
            {"d": (2, 0)},
            id="an older generation is void",
        ),
        pytest.param([published("a")], [claim("a"), claim("a")], {"d": (1, 1)}, id="shared"),
        pytest.param(
            [published("a")], [claim("a", adminAccess=True)], {"d": (1, 0)}, id="administrator"
        ),
        pytest.param([], [claim("a")], {"d": (0, 1)}, id="published no more"),
        pytest.param(
            [published("a"), published("a", driver="e")],
            [claim("a")],
            {"d": (1, 1), "e": (1, 0)},
            id="each driver alone",
        ),
    ],
)
def test_devices_are_counted_by_driver(
    slices: list[Json], claims: list[Json], use: dict[str, tuple[int, int]]
) -> None:
    found: Any = device_use(Objects(slices, claims))  # type: ignore[arg-type]  # all that is read
    assert {name: (one["published"], one["claimed"]) for name, one in found.items()} == use


def test_a_result_has_devices_only_where_there_are_some() -> None:
    claims = gpusched.simulate(SCENARIOS / "claims.yaml").result()
    assert claims["devices"] == {"gpu.example.com": {"published": 4, "claimed": 1}}
    assert "devices" not in gpusched.simulate(SCENARIOS / "quota.yaml").result()
