"""Phases of a curve: each size is put where it was simulated, and a plateau no longer bends the power law."""

import numpy as np
import pytest

from laws.fitting.fit import fit
from laws.fitting.forms import FORMS
from laws.fitting.phases import PHASES, leave_out_small_data
from laws.points import check_points

X = np.geomspace(1, 2**15, 16)
TRUTH = {"ceiling": 0.9, "beta": 0.4, "gamma": 0.02, "onset": 30.0, "width": 0.4}


def curve(seed=0, noise=0.01, **changes):
    rng = np.random.default_rng(seed)
    log_y = FORMS["three-phase"].log_y(X, TRUTH | changes)
    return check_points(X, np.exp(log_y + noise * rng.standard_normal(len(X))))


def phases(points):
    found = leave_out_small_data(points, seed=0)[1]
    return np.array([found[name] for name in PHASES]).T


def test_each_phase_is_found_where_it_is():
    found = phases(curve(gamma=0.2))
    assert np.allclose(found.sum(1), 1)
    assert [PHASES[i] for i in found[[0, 7, 15]].argmax(1)] == ["small-data", "power-law", "floor"]
    assert found[0, 0] > 0.95
    assert found[15, 2] > 0.95
    # where the truth is certain the order holds along the curve
    assert np.all(np.diff(found[:, 0]) < 0.05)
    assert np.all(np.diff(found[:, 2]) > -0.05)


def test_a_pure_power_law_has_neither_end():
    points = check_points(X, 0.9 * X**-0.3 * np.exp(0.01 * np.random.default_rng(1).standard_normal(len(X))))
    found = phases(points)
    assert found[1:, 1].min() > 0.5


@pytest.mark.parametrize("seed", range(3))
def test_small_data_does_not_bend_the_power_law(seed):
    points = curve(seed)
    kept, _ = leave_out_small_data(points, seed=0)
    assert "small-data-left-out" in kept.warnings
    assert kept.x[0] > 8
    bent, straight = (
        np.median(fit(each, "power-floor", seed=0).parameters["beta"]) for each in (points, kept)
    )
    assert abs(straight - 0.4) < abs(bent - 0.4)
    assert straight == pytest.approx(0.4, abs=0.08)


def test_where_too_few_would_be_left_all_are_kept():
    mostly_flat = curve().part(X < 60)
    assert leave_out_small_data(mostly_flat, seed=0)[0] is mostly_flat
    few = curve().part(X < 20)
    assert leave_out_small_data(few, seed=0) == (few, {})
