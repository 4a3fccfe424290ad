"""What a measurement will tell is what it tells: predicted narrowing against simulated measurements."""

import numpy as np
import pytest

from laws.fitting.design import (
    UNREACHED_FACTOR,
    choose_measurements,
    choose_runs,
    data_needed,
    log_errors,
    scale_of_interest,
)
from tests.laws.stored import law


def worlds(n=4000, seed=0):
    """Return (log error asked, log errors at candidate scales) of power laws with uncertain slopes."""
    rng = np.random.default_rng(seed)
    beta, level = rng.normal(0.3, 0.05, n), rng.normal(0.0, 0.02, n)
    steps = np.array([0.0, 1.0, 2.0, 3.0])  # log of data over the reference
    return level - 6 * beta, level[:, None] - steps * beta[:, None]


def test_the_predicted_narrowing_is_what_measurements_bring():
    asked, seen = worlds()
    (pick,) = choose_measurements(asked, seen, [0.03] * 4, [1.0] * 4, budget=1.0)
    assert pick.candidate == 3  # the far end tells the slope
    # measure it 300 times in worlds drawn from the law itself, and reweigh the draws each time
    rng = np.random.default_rng(1)
    left = []
    for truth in rng.integers(0, len(asked), 300):
        y = seen[truth, 3] + 0.03 * rng.standard_normal()
        weight = np.exp(-0.5 * ((y - seen[:, 3]) / 0.03) ** 2)
        mean = np.average(asked, weights=weight)
        left.append(np.average((asked - mean) ** 2, weights=weight))
    assert pick.sd == pytest.approx(np.sqrt(np.mean(left)), rel=0.05)
    assert pick.sd < 0.5 * asked.std()


def test_a_budget_is_kept_and_cheap_runs_win_where_they_tell_as_much():
    asked, seen = worlds()
    dear = choose_measurements(asked, seen, [0.03] * 4, [1.0, 2.0, 4.0, 100.0], budget=10.0)
    assert sum([1.0, 2.0, 4.0, 100.0][pick.candidate] for pick in dear) <= 10
    assert 3 not in {pick.candidate for pick in dear}
    sds = [pick.sd for pick in dear]
    assert sds == sorted(sds, reverse=True)


def test_nothing_is_proposed_where_nothing_tells_anything():
    asked, seen = worlds()
    noise = np.random.default_rng(2).standard_normal(seen.shape)
    assert choose_measurements(asked, noise, [1.0] * 4, [1.0] * 4, budget=100.0) == []
    assert choose_measurements(asked, seen, [0.03] * 4, [1.0] * 4, budget=0.5) == []


GRID = tuple(np.linspace(0, 12, 49))


def power(levels, slopes, **changes):
    """Return a law whose draws are power laws, measured from 1 to 100."""
    paths = tuple(tuple(level - slope * x for x in GRID) for level, slope in zip(levels, slopes, strict=True))
    noise = {"scale": (0.03,) * len(paths), "degrees": (8.0,) * len(paths)}
    return law(parameters=noise, grid=GRID, paths=paths, x_range=(1.0, 100.0), **changes)


def test_what_a_target_needs_is_read_off_the_draws():
    asked = power([0.0, 0.0, 0.0], [0.3, 0.25, 0.001])
    assert data_needed([asked], 0.1) == pytest.approx([0.1 ** (-1 / 0.3), 0.1 ** (-1 / 0.25), np.inf])
    assert scale_of_interest([asked], 0.1) == pytest.approx(0.1 ** (-1 / 0.25))
    assert scale_of_interest([power([0.0] * 3, [0.3, 0.001, 0.001])], 0.1) == UNREACHED_FACTOR * 100.0
    assert scale_of_interest([asked], 2.0) == 1.0  # the smallest measured data does already


def test_of_several_laws_the_lowest_is_asked():
    rng = np.random.default_rng(0)
    good, poor = (
        power(level + 0.02 * rng.standard_normal(400), rng.normal(0.3, 0.02, 400)) for level in (0, 2)
    )
    assert log_errors([good, poor], 1000.0) == pytest.approx(log_errors([good], 1000.0))
    assert data_needed([poor, good], 0.1).mean() == pytest.approx(data_needed([good], 0.1).mean())
    places = [(law, x) for law in (0, 1) for x in (10.0, 100.0)]
    found = choose_runs([good, poor], 1000.0, places, [1.0] * 4, budget=10.0, max_picks=4)
    assert found
    assert {pick.candidate for pick in found} <= {0, 1}
    alone = choose_runs([good], 1000.0, [(0, 10.0), (0, 100.0)], [1.0] * 2, budget=10.0, max_picks=4)
    assert found[0].candidate == alone[0].candidate
    # laws that were fitted apart know nothing of each other, also where their draws are the same
    twins = choose_runs([good, good], 1000.0, places, [1.0] * 4, budget=10.0, max_picks=2)
    assert {pick.candidate for pick in twins} == {1, 3}
