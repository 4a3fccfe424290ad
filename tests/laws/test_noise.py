"""The noise of points, alone: what it says of independent points, of neighbors, and of its own priors."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma, multivariate_normal, norm, t

from laws.fitting.fit import fit
from laws.fitting.noise import MIN_NOISE, REACH, Noise
from laws.points import check_points

CLOSE = check_points([100.0, 120.0, 130.0, 170.0], [0.5, 0.45, 0.44, 0.4])
STEPS = check_points([100.0, 200.0, 400.0], [0.5, 0.45, 0.4])


def parameters(**changes):
    return {
        name: np.array([v]) for name, v in ({"scale": 0.05, "degrees": 5.0, "shared": 0.7} | changes).items()
    }


def test_points_in_steps_of_two_have_no_neighbors_and_are_independent():
    noise = Noise(STEPS)
    assert noise.neighbors is None
    residual = np.array([[0.02, -0.1, 0.03]])
    scale = np.sqrt(0.05**2 + MIN_NOISE**2)
    expected = t.logpdf(residual / scale, 5).sum() - 3 * np.log(scale)
    np.testing.assert_allclose(noise.log_density(residual, parameters()), [expected])


def test_weights_and_standard_errors_make_the_scale_of_each_point():
    points = check_points([1.0, 10.0, 100.0], [0.5, 0.4, 0.2], y_se=[0.0, 0.04, 0.0], weight=[1, 1, 4])
    squared = Noise(points).variance(np.array([0.1]))[0] - MIN_NOISE**2
    np.testing.assert_allclose(squared, [0.01, 0.01 + 0.01, 0.0025])


def test_many_degrees_and_few_points_are_the_gaussian_process_that_the_page_states():
    residual = np.array([[0.02, -0.01, 0.05, 0.04]])
    distance = np.abs(np.log(CLOSE.x)[:, None] - np.log(CLOSE.x))
    correlation = 0.5 * np.exp(-distance / REACH) + 0.5 * np.eye(4)  # 0.5 is a node of the table
    covariance = (0.05**2 + MIN_NOISE**2) * correlation
    expected = multivariate_normal(np.zeros(4), covariance).logpdf(residual[0])
    told = Noise(CLOSE).log_density(residual, parameters(shared=0.5, degrees=1e7))
    np.testing.assert_allclose(told, [expected], rtol=1e-6)


def test_the_density_of_neighbors_is_a_density():
    near = CLOSE.part(slice(0, 2))

    def joint(second):
        return np.exp(Noise(near).log_density(np.array([[0.04, second]]), parameters()))[0]

    scale = np.sqrt(0.05**2 + MIN_NOISE**2)
    assert quad(joint, -2, 2, points=[0.0, 0.04], limit=200)[0] == pytest.approx(
        t.pdf(0.04 / scale, 5) / scale, rel=1e-5
    )


def test_sharing_nothing_is_independence_and_a_missing_share_too():
    residual = np.array([[0.02, -0.01, 0.05, 0.04]])
    alone = parameters()
    del alone["shared"]
    np.testing.assert_allclose(
        Noise(CLOSE).log_density(residual, parameters(shared=0.0)),
        Noise(CLOSE).log_density(residual, alone),
        atol=5e-3,  # the table ends at a share of 0.1 %
    )


def test_a_neighbor_on_a_surface_is_near_in_both_sizes():
    far = check_points([[1e6, 1e8], [1.1e6, 1e9], [1e7, 1e8]], [3.0, 2.5, 2.8])
    near = check_points([[1e6, 1e8], [1.1e6, 1.1e8], [1e7, 1e9]], [3.0, 2.5, 2.8])
    assert Noise(far).neighbors is None
    assert Noise(near).neighbors.rows.tolist() == [[0], [0], [0]]
    assert (Noise(near).neighbors.weights[0][:, [0, 2]] == 0).all()


def test_the_priors_are_those_of_the_page():
    z = np.array([[-1.0, 1.2, -3.0]])
    drawn, prior = Noise(CLOSE).unpack(z)
    assert drawn["degrees"][0] == pytest.approx(2 + np.exp(1.2))
    expected = norm.logpdf(-1.0, -2, 1.5) + norm.logpdf(-3.0, np.log(0.03), 1.5)
    expected += gamma.logpdf(np.exp(1.2), 2, scale=10) + 1.2  # Jacobian of the logarithm
    assert prior[0] == pytest.approx(expected)


def test_a_hundred_checkpoints_of_one_run_are_not_a_hundred_facts():
    """Noise that neighbors share entirely, on 100 points: the exponent's interval holds the truth.

    Taken for independent, the same points give an interval 2 to 6 times narrower.
    """
    x = np.geomspace(1e3, 1e5, 100)
    rng = np.random.default_rng(3)
    kernel = np.exp(-np.abs(np.log(x)[:, None] - np.log(x)) / REACH)
    noise = np.linalg.cholesky(kernel + 1e-9 * np.eye(100)) @ rng.standard_normal(100)
    points = check_points(x, 2 * x**-0.3 * np.exp(0.03 * noise))
    shared = fit(points, "power", seed=1)
    assert np.quantile(shared.parameters["shared"], 0.05) > 0.8
    low, high = np.quantile(shared.parameters["beta"], [0.05, 0.95])
    slope = np.polyfit(np.log(points.x), np.log(points.y), 1, cov=True)
    assert low < 0.3 < high
    assert 2 < (high - low) / (3.29 * np.sqrt(slope[1][0, 0])) < 6
