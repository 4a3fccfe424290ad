"""What a measurement will tell is what it tells: predicted narrowing against simulated measurements."""

import numpy as np
import pytest

from laws.design import picks


def worlds(n=4000, seed=0):
    """Return (log error asked, log errors at candidate scales) of power laws with uncertain slopes."""
    rng = np.random.default_rng(seed)
    beta, level = rng.normal(0.3, 0.05, n), rng.normal(0.0, 0.02, n)
    steps = np.array([0.0, 1.0, 2.0, 3.0])  # log of data over the reference
    return level - 6 * beta, level[:, None] - steps * beta[:, None]


def test_the_predicted_narrowing_is_what_measurements_bring():
    asked, seen = worlds()
    (pick,) = picks(asked, seen, [0.03] * 4, [1.0] * 4, budget=1.0)
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
    dear = picks(asked, seen, [0.03] * 4, [1.0, 2.0, 4.0, 100.0], budget=10.0)
    assert sum([1.0, 2.0, 4.0, 100.0][pick.candidate] for pick in dear) <= 10
    assert 3 not in {pick.candidate for pick in dear}
    sds = [pick.sd for pick in dear]
    assert sds == sorted(sds, reverse=True)


def test_nothing_is_proposed_where_nothing_tells_anything():
    asked, seen = worlds()
    noise = np.random.default_rng(2).standard_normal(seen.shape)
    assert picks(asked, noise, [1.0] * 4, [1.0] * 4, budget=100.0) == []
    assert picks(asked, seen, [0.03] * 4, [1.0] * 4, budget=0.5) == []
