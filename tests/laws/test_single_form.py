"""The one form that a curve is given unasked: its exponent's interval holds with a floor and without one."""

from dataclasses import replace

import numpy as np
import pytest

from laws.fitting import fit as module
from laws.fitting.fit import fit, fit_single_form
from laws.points import Points, check_points

EXPONENT = 1 / 3
SIZES = 256.0 * 2 ** np.arange(6)


def curve(seed: int, *, floor: float, noise: float = 0.02) -> Points:
    """Return six sizes of a power law whose floor is a share of the error at the largest."""
    y = SIZES**-EXPONENT
    y = y + floor / (1 - floor) * y[-1]
    scatter = np.random.default_rng(seed).standard_normal(len(y))
    return check_points(SIZES, y * np.exp(noise * scatter), rate=True)


def holds(seed: int, *, floor: float) -> tuple[bool, bool]:
    """Return whether 90 % intervals hold the exponent: of `fit_single_form`, and where a floor is certain."""
    points = curve(seed, floor=floor)
    found = (fit_single_form(points, seed=0), fit(points, "power-floor", seed=0))
    ends = [np.quantile(each.parameters["beta"], (0.05, 0.95)) for each in found]
    plainly, floored = (bool(low <= EXPONENT <= high) for low, high in ends)
    return plainly, floored


def test_without_a_floor_the_exponent_is_held():
    """5 seeds at a true rate of .9: 2 or fewer has probability .009, and the seeds are fixed."""
    assert sum(holds(seed, floor=0.0)[0] for seed in range(5)) >= 3


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_the_exponent_is_held_with_and_without_a_floor():
    """100 seeds each: no floor, one that six sizes hardly show, and one that is half of the last error.

    They are 93, 84 and 84 where both forms are weighed, 56, 95 and 93 where a floor is certain: the evidence
    doubts a floor that is not plain to see, and averaged over what was believed before the data the rate is
    .9. With the seeds fixed only a change of the sampler moves them.
    """
    rates = {
        floor: np.sum([holds(seed, floor=floor) for seed in range(100)], axis=0) for floor in (0.0, 0.2, 0.5)
    }
    print(rates)  # noqa: T201 - the rates belong in the log of the slow suite
    assert rates[0.0][0] > 85
    assert rates[0.0][1] < 70
    assert rates[0.2][0] > 75
    assert rates[0.5][0] > 75


def test_draws_are_of_both_forms_by_their_evidence():
    """A floor that is plain to see is in all draws; where there is none, most draws are of a power law."""
    sure = fit_single_form(curve(0, floor=0.6, noise=0.002), seed=0)
    assert sure.form == "power-floor"
    assert sure.diagnostics["floor"] > 0.99
    assert np.median(sure.parameters["gamma"]) == pytest.approx(0.6 / 0.4 * SIZES[-1] ** -EXPONENT, rel=0.1)

    none = fit_single_form(curve(0, floor=0.0), seed=0)
    share = np.mean(none.parameters["gamma"] > 0)
    assert share == pytest.approx(none.diagnostics["floor"], abs=1e-3)
    assert share < 0.5
    assert {len(draws) for draws in none.parameters.values()} == {4000}
    # whoever takes a part of the draws takes of both forms
    assert np.mean(none.parameters["gamma"][::4] > 0) == pytest.approx(share, abs=0.05)


def test_three_sizes_are_given_a_power_law():
    points = curve(0, floor=0.0)
    assert fit_single_form(points.part(slice(3)), seed=0).form == "power"


@pytest.mark.parametrize("unknown", ["power", "power-floor"])
def test_without_the_evidence_of_both_the_floor_stands_alone(monkeypatch, unknown):
    points = curve(0, floor=0.0)

    def blind(points, form, **rest):
        found = fit(points, form, **rest)
        return replace(found, log_evidence=None) if form == unknown else found

    monkeypatch.setattr(module, "fit", blind)
    alone = fit_single_form(points, seed=0)
    np.testing.assert_array_equal(
        alone.parameters["gamma"], fit(points, "power-floor", seed=0).parameters["gamma"]
    )
    assert "floor" not in alone.diagnostics
