"""The whole pipeline against an exponent that is known beforehand."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")

from calibrate.domains.teacher import task as teacher
from laws.storage.store import Store
from laws.types import FORECAST
from planner.sources.calibrate import calibrate
from planner.sources.calibrate_request import CalibrationRequest

pytestmark = pytest.mark.torch
SEEDS = 10


@pytest.mark.slow
@pytest.mark.timeout(10800)
def test_the_exponent_of_theory_lies_in_the_interval_of_eight_of_ten_seeds(tmp_path: Path) -> None:
    """Ten sweeps of the preset quick, each with a corpus, draws and trainings of its own.

    Measured is the 90 % interval of the exponent of the power law, with or without a floor, that a
    calibration stores beside its forecast; wanted is that it holds 1/3, and it did in ten. At a true rate of
    .9, 7 or fewer of 10 have probability .07: with fixed seeds a processor that rounds otherwise may trip it,
    and nothing else.
    """
    held = []
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        request = CalibrationRequest(
            domain="teacher", preset="quick", families=(), data=None, store=folder, cache=tmp_path / "cache",
            seed=seed, workers=2,
        )  # fmt: skip
        calibrate(request, lambda text, share: None, lambda progress: None)
        store = Store(folder)
        (row,) = [row for row in store.laws(metric="error") if row.form != FORECAST]
        law = store.law(row.id)
        low, middle, high = np.quantile(law.parameters["beta"], (0.05, 0.5, 0.95))
        held.append(bool(low <= teacher.EXPONENT <= high))
        print(seed, f"{middle:.3f} ({low:.3f} to {high:.3f})", held[-1])  # noqa: T201 - for the slow suite's log
        expected = [teacher.expected_error(x) for x in law.points["x"]]
        print("measured over expected", np.round(np.divide(law.points["y"], expected), 3))  # noqa: T201
    assert sum(held) >= 8
