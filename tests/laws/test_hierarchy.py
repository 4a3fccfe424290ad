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


def exact(seen, sd):
    """Return the probability of one exponent by the closed form for normal likelihoods of log β.

    With v = sd² under one exponent and sd² + τ² under related ones, the likelihood of log μ is a product of
    normals of variance v; μ and τ are integrated over their priors.
    """
    middle = np.linspace(np.log(1e-5), np.log(8), 4001)
    prior = np.exp(0.5 * np.log(2 / np.pi) - 0.5 * np.exp(2 * middle) + middle)

    def evidence(spread):
        v = sd**2 + spread**2
        away = sum((x - middle) ** 2 for x in seen)
        return np.trapezoid(prior * np.exp(-0.5 * away / v) * v ** (-len(seen) / 2), middle)

    spreads = np.concatenate([np.linspace(0, 0.1, 200), np.linspace(0.1, 3, 300)[1:]])
    of_spread = np.sqrt(2 / np.pi) / PRIOR_SPREAD * np.exp(-0.5 * (spreads / PRIOR_SPREAD) ** 2)
    related = np.trapezoid(of_spread * [evidence(spread) for spread in spreads], spreads)
    return evidence(0.0) / (evidence(0.0) + related)


def posterior(seen, sd, n=4000):
    """Return draws of the exponent that was seen with a normal likelihood in log β, evenly spread."""
    fine = seen + sd * np.linspace(-6, 6, 4001)
    mass = np.cumsum(np.exp(-0.5 * ((fine - seen) / sd) ** 2 + fine - 0.5 * np.exp(2 * fine)))
    return np.exp(np.interp((np.arange(n) + 0.5) / n, mass / mass[-1], fine))


@pytest.mark.parametrize("offsets", [(0, 0), (0, 0, 0), (0,) * 6, (0, 2), (-1, 0, 3)])
def test_the_probability_of_one_exponent_is_that_of_the_closed_form(offsets):
    seen = [np.log(0.3) + 0.02 * offset for offset in offsets]
    found = pool_exponents([posterior(one, 0.02) for one in seen], seed=0, draws=10)
    assert found.same == pytest.approx(exact(seen, 0.02), abs=0.03)


def test_pooling_narrows_the_family_that_knows_least():
    rng = np.random.default_rng(1)
    sure, unsure = measured([0.3], 0.01, rng)[0], measured([0.3], 0.3, rng)[0]
    found = pool_exponents([sure, unsure], seed=0)
    assert np.log(found.exponents[:, 1]).std() < 0.7 * np.log(unsure).std()
    assert np.log(found.exponents[:, 0]).std() == pytest.approx(np.log(sure).std(), rel=0.2)
    # a row is a draw of that family whose own exponent is the pooled one
    away = np.abs(np.log(unsure[found.rows[:, 1]]) - np.log(found.exponents[:, 1]))
    assert np.quantile(away, 0.99) < 0.02  # draws are sparse in the tails


def test_the_same_seed_gives_the_same_draws():
    betas = measured([0.3, 0.25], 0.05, np.random.default_rng(2))
    assert np.array_equal(pool_exponents(betas, seed=3).exponents, pool_exponents(betas, seed=3).exponents)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_probability_of_one_exponent_is_calibrated():
    # 200 worlds from the model itself, half with one exponent: among worlds given probability p, a share p
    # shares. Brier's score of a calibrated forecast has mean p(1-p); 4 standard errors: one alarm in 16,000.
    rng = np.random.default_rng(4)
    said, due, truth = [], [], []
    for _ in range(200):
        middle, same = np.exp(rng.normal(-1.2, 0.3)), rng.random() < 0.5
        spread = 0.0 if same else abs(rng.normal(0, PRIOR_SPREAD))
        seen = np.log(middle) + spread * rng.standard_normal(3) + 0.06 * rng.standard_normal(3)
        said.append(pool_exponents([posterior(one, 0.06) for one in seen], seed=0, draws=10).same)
        due.append(exact(seen, 0.06))
        truth.append(same)
    p, hit = np.array(said), np.array(truth)
    assert np.abs(p - due).max() < 0.05
    assert abs((hit - p).mean()) < 4 * np.sqrt((p * (1 - p)).sum()) / len(p)
    sure = p > 0.85  # which never happened while the normal was cut off at the draws
    assert sure.sum() > 30
    assert hit[sure].mean() > 0.75
