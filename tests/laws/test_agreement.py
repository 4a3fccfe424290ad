"""Posteriors against methods that share no code with ours: a fine grid, and nested sampling by dynesty.

Three shapes with 2 % noise: *easy*, a floor that is seen; *hard*, no floor, the posterior piled up at 0;
*banana*, five points over little more than a decade, where slope and floor trade against each other.
"""

import numpy as np
import pytest
from scipy.special import logsumexp

from laws.fitting import importance
from laws.fitting.coordinates import COORDINATES
from laws.fitting.fit import fit
from laws.fitting.forms import FORMS
from laws.fitting.likelihood import log_posterior
from laws.points import check_points

FORM = "power-floor"
LEVELS = np.array([0.05, 0.5, 0.95])


def measured(low, high, gamma, n=10):
    x = np.geomspace(low, high, n)
    noise = np.random.default_rng(7).standard_normal(n)
    return check_points(x, (2 * x**-0.3 + gamma) * np.exp(0.02 * noise))


CASES = {
    "easy": measured(1e3, 5e5, 0.12),
    "hard": measured(1e3, 5e5, 0.0),
    "banana": measured(1e3, 1.7e4, 0.12, n=5),
}


class Problem:
    """A case with its density in coordinates, and what is compared: quantities of draws or grid points."""

    def __init__(self, name):
        self.points = CASES[name]
        self.coordinates = COORDINATES[FORM](self.points)
        self.log_density = log_posterior(self.points, FORMS[FORM], self.coordinates)
        drawn = importance.sample(
            self.log_density, self.coordinates.starts, np.random.default_rng(0), size=4000
        )
        self.log_evidence = drawn.log_evidence
        # a box that leaves out one part in ten thousand on each side, and then half as much again
        low, high = drawn.quantiles(np.array([1e-4, 1 - 1e-4]))
        self.low, self.high = low - 0.15 * (high - low), high + 0.15 * (high - low)

    def quantities(self, parameters):
        far = FORMS[FORM].log_y(100 * self.points.x[-1:], parameters)[:, 0]
        return {"beta": parameters["beta"], "gamma": parameters["gamma"], "far": far}

    def of_chain(self):
        posterior = fit(self.points, FORM, seed=1, draws=16000)
        size = min(posterior.diagnostics["ess_bulk"], posterior.diagnostics["ess_tail"])
        return self.quantities(posterior.parameters), size


def weighted(values, weight):
    order = np.argsort(values)
    below = np.cumsum(weight[order])
    return np.interp(LEVELS * below[-1], below, values[order])


def errors(ours, size, other, weight, other_size=np.inf):
    """Return the differences of quantiles in standard errors, by the slope of the quantile function there."""
    found = []
    for name, draws in ours.items():
        here, there = np.quantile(draws, LEVELS), weighted(other[name], weight)
        near = np.quantile(draws, np.clip([LEVELS - 0.03, LEVELS + 0.03], 0.001, 0.999))
        slope = (near[1] - near[0]) / 0.06  # of the quantile function
        error = slope * np.sqrt(LEVELS * (1 - LEVELS) * (1 / size + 1 / other_size))
        found.append((here - there) / error)
    return np.array(found)


@pytest.mark.parametrize("name", CASES)
def test_quantiles_agree_with_a_fine_grid(name):
    """27 comparisons at 5 standard errors: a false alarm below 1e-4 (the error is itself known to a tenth).

    One random place in each of 18^5 cells of a box: no quantity falls on the lines of a grid.
    """
    problem = Problem(name)
    n, rng = 18, np.random.default_rng(3)
    cell = (problem.high - problem.low) / n
    rest = np.stack(np.meshgrid(*[np.arange(n)] * (len(cell) - 1), indexing="ij"), axis=-1)
    rest = rest.reshape(-1, len(cell) - 1)
    values, weights = [], []
    for first in range(n):
        place = np.column_stack([np.full(len(rest), first), rest])
        z = problem.low + cell * (place + rng.random(place.shape))
        density = problem.log_density(z)
        kept = density > density.max() - 16
        values.append(problem.quantities(problem.coordinates.unpack(z[kept])[0]))
        weights.append(density[kept])
    log_weight = np.concatenate(weights)
    weight = np.exp(log_weight - log_weight.max())
    evidence = logsumexp(log_weight) + np.log(cell).sum()
    assert evidence == pytest.approx(problem.log_evidence, abs=0.05)
    on_grid = {key: np.concatenate([each[key] for each in values]) for key in values[0]}
    ours, size = problem.of_chain()
    assert np.abs(errors(ours, size, on_grid, weight, (weight.sum() ** 2 / (weight**2).sum()))).max() < 5


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", CASES)
def test_quantiles_and_evidence_agree_with_nested_sampling(name):
    """27 comparisons at 5 standard errors of both samplers, the evidence within 5 of its own."""
    dynesty = pytest.importorskip("dynesty")
    problem = Problem(name)
    span = problem.high - problem.low
    sampler = dynesty.NestedSampler(
        lambda z: max(float(problem.log_density(z[None])[0]), -1e100),
        lambda u: problem.low + span * u,
        len(span),
        nlive=1000,
        rstate=np.random.default_rng(2),
    )
    sampler.run_nested(dlogz=0.1, print_progress=False)
    results = sampler.results
    weight = results.importance_weights()
    evidence = results.logz[-1] + np.log(span).sum()
    assert abs(evidence - problem.log_evidence) < 5 * results.logzerr[-1] + 0.03
    inside = results.logl > -1e99  # its first samples fall where the floor would lie below 0
    weight = weight[inside]
    theirs = problem.quantities(problem.coordinates.unpack(results.samples[inside])[0])
    ours, size = problem.of_chain()
    assert np.abs(errors(ours, size, theirs, weight, 1 / (weight**2).sum())).max() < 5
