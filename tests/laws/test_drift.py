"""The drifting law against what it is defined by: integrals, dense Gaussians, simulation."""

import itertools

import numpy as np
import pytest

from laws.forecasting import drift
from laws.forecasting.drift import DECADE, ONSET_WIDTH, REACH, LogCurve

RNG = np.random.default_rng(5)
CENTER = np.array([np.log(0.3), -0.5, 0.3, np.log(0.4), 0.0, np.log(0.02), -0.5, np.log(0.4)])


def draws_around(n, spread=0.5):
    return CENTER + spread * RNG.standard_normal((n, len(CENTER)))


def curve(n=7, count=1.0):
    t = np.log(1e3) + np.sort(RNG.uniform(0, 4, n))
    return LogCurve(t, -0.3 * t + 0.05 * RNG.standard_normal(n), np.full(n, count), np.full(n, 1e-5), 2e-5)


def dense(found, draw, extra=()):
    """Return mean and covariance of log y without its level, from the definitions alone, by quadrature."""
    t = np.concatenate([found.t, extra])
    c, g = np.exp(draw[0]), 1 / (1 + np.exp(-draw[1]))
    t0, kappa = found.t[0] + draw[2] * DECADE, np.exp(draw[3]) * np.hypot(c, 0.03)
    theta, sigma, shared = np.exp(draw[4]) / DECADE, np.exp(draw[5]), 1 / (1 + np.exp(-draw[6]))
    bend, end = np.exp(draw[7]) / DECADE, found.t[-1]

    def m(at):
        bent = end + (np.exp(bend * (at - end)) - 1) / bend
        return -c * ONSET_WIDTH * np.log1p(np.exp((bent - t0) / ONSET_WIDTH))

    falling = (1 - g) * np.exp(m(t) - m(end))
    tangent = falling / (g + falling)
    nodes, weights = np.polynomial.legendre.leggauss(60)
    covariance = np.empty((len(t), len(t)))
    for i, s in enumerate(t):
        p = end + (s - end) * (nodes + 1) / 2
        for j, u in enumerate(t):
            # the kernel has a kink on the diagonal: split the inner integral there
            total = 0.0
            for pk, wk in zip(p, weights, strict=True):
                pieces = sorted({end, u, min(max(pk, min(end, u)), max(end, u))})
                inner = 0.0
                for low, high in itertools.pairwise(pieces):
                    q = low + (high - low) * (nodes + 1) / 2
                    inner += (high - low) / 2 * np.sum(weights * np.exp(-theta * np.abs(pk - q)))
                total += wk * inner * (1 if u > end else -1)
            covariance[i, j] = kappa**2 * total * (s - end) / 2
    covariance = tangent[:, None] * tangent * covariance
    covariance += sigma**2 * shared * np.exp(-np.abs(t[:, None] - t) / REACH)
    covariance += np.diag(np.full(len(t), sigma**2 * (1 - shared)))
    return np.log(g + falling), covariance


def test_the_filter_gives_the_likelihood_of_the_dense_gaussian():
    found, draws = curve(5), draws_around(4)
    by_filter = drift.log_likelihood(found, draws)
    for value, draw in zip(by_filter, draws, strict=True):
        mean, covariance = dense(found, draw)
        covariance += np.diag(found.variance + drift.MIN_VARIANCE)
        inverse, ones = np.linalg.inv(covariance), np.ones(5)
        residual = found.log_y - mean
        precision = ones @ inverse @ ones
        square = residual @ inverse @ residual - (ones @ inverse @ residual) ** 2 / precision
        log_det = np.linalg.slogdet(covariance)[1]
        assert value == pytest.approx(
            -0.5 * (square + log_det + np.log(precision) + 4 * np.log(2 * np.pi)), rel=1e-4, abs=1e-3
        )


def test_moments_are_those_of_the_dense_gaussian_conditioned_on_the_data():
    found = curve(4)
    asked = found.t[-1] + np.array([0.3, 1.5])
    draws = draws_around(3)
    mean, variance = drift.moments(found, draws, asked)
    for k, draw in enumerate(draws):
        law, covariance = dense(found, draw, asked)
        covariance += np.diag(
            np.concatenate([found.variance + drift.MIN_VARIANCE, [found.next_variance] * 2])
        )
        covariance += 100.0  # a level of which nothing is known
        gain = covariance[4:, :4] @ np.linalg.inv(covariance[:4, :4])
        assert mean[k] == pytest.approx(law[4:] + gain @ (found.log_y - law[:4]), abs=2e-3)
        after = np.diag(covariance[4:, 4:] - gain @ covariance[:4, 4:])
        assert variance[k] == pytest.approx(after, rel=1e-2, abs=1e-5)


def test_paths_inside_the_data_have_the_moments_of_the_model():
    found, draw = curve(8), draws_around(1)
    asked = np.array([found.t[2] + 0.01, found.t[-1] - 0.02])
    _, seen = drift.paths(found, np.repeat(draw, 6000, 0), asked, np.random.default_rng(1))
    mean, variance = drift.moments(found, draw, asked)
    # 4.5 standard errors: a false alarm in 4 checks once in 30,000 runs
    assert np.all(np.abs(seen.mean(0) - mean[0]) < 4.5 * np.sqrt(variance[0] / 6000))
    assert np.all(np.abs(seen.var(0) / variance[0] - 1) < 4.5 * np.sqrt(2 / 6000))


def test_paths_beyond_the_data_stay_above_the_floor_of_their_draw():
    found, draws = curve(8), draws_around(300)
    law, _ = drift.paths(found, draws, found.t[-1] + np.array([1e-6, 2.0, 20.0]), np.random.default_rng(2))
    floor = 1 / (1 + np.exp(-draws[:, 1]))
    assert np.all(floor * (1 - 1e-3) < np.exp(law[:, 1:] - law[:, :1]).T)


def test_a_slope_that_hardly_returns_and_one_that_returns_at_once_keep_their_digits():
    found = curve(6)
    for theta in (-6.9, 4.9):
        draw = np.repeat(CENTER[None], 2, 0)
        draw[:, 4] = theta
        assert np.all(np.isfinite(drift.log_likelihood(found, draw)))
        assert np.all(np.isfinite(drift.moments(found, draw, found.t[-1:] + 1.0)))


def test_scales_that_differ_by_rounding_alone_leave_paths_where_they_are():
    found, draws = curve(8), draws_around(200)
    beside = np.concatenate([found.t * (1 + s) for s in (-1e-15, 0, 1e-15)])
    law, _ = drift.paths(found, draws, beside, np.random.default_rng(3))
    assert np.all(np.abs(law[:, :8] - law[:, 8:16]) < 1e-4)
    assert np.all(np.abs(law[:, 8:16] - law[:, 16:]) < 1e-4)


def test_thinning_keeps_few_points_and_averages_many():
    x = np.geomspace(1e3, 1e6, 400)
    y = x**-0.3 * np.exp(0.1 * RNG.standard_normal(400))
    few = drift.thinned(x[:20], y[:20])
    assert len(few.t) == 20
    assert np.allclose(few.log_y, np.log(y[:20]))
    many = drift.thinned(x, y)
    assert len(many.t) <= 28
    assert many.count.sum() == pytest.approx(400)
    assert np.sum(many.count * many.log_y) == pytest.approx(np.log(y).sum())


def test_repeats_at_one_scale_become_one_point_and_standard_errors_its_variance():
    x, y = np.array([10.0, 10.0, 20.0]), np.array([0.5, 0.4, 0.3])
    found = drift.thinned(x, y, y_se=np.array([0.05, 0.04, 0.03]))
    assert found.count.tolist() == [2.0, 1.0]
    assert found.log_y[0] == pytest.approx(np.log([0.5, 0.4]).mean())
    assert found.variance == pytest.approx([0.005, 0.01])
    assert found.next_variance == pytest.approx(0.01)
