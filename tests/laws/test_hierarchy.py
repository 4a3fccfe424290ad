"""Pooled exponents: the probability that families share one is calibrated, and pooling narrows."""

import numpy as np
import pytest

from laws.fitting.hierarchy import PRIOR_SPREAD, pool_exponents


def measured(truths, sd, rng):
    """Return posterior draws of each family's exponent after one noisy look at its logarithm."""
    found = []
    for truth in truths:
        seen = np.log(truth) + sd * rng.standard_normal()
        log_beta = seen + sd * rng.standard_normal(20000)
        # a normal likelihood in log beta under the half-normal prior: reweighted by the prior of log beta
        weight = np.exp(log_beta - 0.5 * np.exp(2 * log_beta))
        found.append(np.exp(rng.choice(log_beta, 4000, p=weight / weight.sum())))
    return found


def test_families_that_agree_share_and_families_that_do_not_do_not():
    rng = np.random.default_rng(0)
    agree = pool_exponents(measured([0.3, 0.3, 0.3], 0.01, rng), seed=0)
    apart = pool_exponents(measured([0.2, 0.3], 0.02, rng), seed=0)
    assert agree.same > 0.85
    assert apart.same < 0.01
    assert np.median(apart.ratio) == pytest.approx(1.5, rel=0.1)


def test_pooling_narrows_the_family_that_knows_least():
    rng = np.random.default_rng(1)
    sure, unsure = measured([0.3], 0.01, rng)[0], measured([0.3], 0.3, rng)[0]
    found = pool_exponents([sure, unsure], seed=0)
    assert np.log(found.exponents[:, 1]).std() < 0.7 * np.log(unsure).std()
    assert np.log(found.exponents[:, 0]).std() == pytest.approx(np.log(sure).std(), rel=0.2)
    # a row is a draw of that family whose own exponent is the pooled one
    assert np.allclose(np.log(unsure[found.rows[:, 1]]), np.log(found.exponents[:, 1]), atol=0.05)


def test_the_same_seed_gives_the_same_draws():
    betas = measured([0.3, 0.25], 0.05, np.random.default_rng(2))
    assert np.array_equal(pool_exponents(betas, seed=3).exponents, pool_exponents(betas, seed=3).exponents)


@pytest.mark.slow
def test_the_probability_of_one_exponent_is_calibrated():
    # 80 worlds from the model itself, half with one exponent: among worlds given probability p, a share p
    # shares. Brier's score of a calibrated forecast has mean p(1-p); 4 standard errors: one alarm in 16,000.
    rng = np.random.default_rng(4)
    said, truth = [], []
    for _ in range(80):
        middle, same = np.exp(rng.normal(-1.2, 0.3)), rng.random() < 0.5
        spread = 0.0 if same else abs(rng.normal(0, PRIOR_SPREAD))
        betas = measured(middle * np.exp(spread * rng.standard_normal(3)), 0.08, rng)
        said.append(pool_exponents(betas, seed=0, draws=10).same)
        truth.append(same)
    p, hit = np.array(said), np.array(truth)
    assert abs((hit - p).mean()) < 4 * np.sqrt((p * (1 - p)).sum()) / len(p)
    assert p[hit].mean() - p[~hit].mean() > 0.3
