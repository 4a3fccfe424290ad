"""Whether intervals hold: known laws at the nominal rate, ranks of the truth uniform for every form."""

from functools import cache

import numpy as np
import pytest
from scipy.stats import chi2

from laws.fitting.forms import FORMS
from laws.fitting.noise import Noise
from laws.points import check_points
from tests.laws.prior_simulation import DRAWS, PLACES, parameters, rank, residuals
from tests.laws.true_laws import CASES, holds


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] if case != "curve" else []) for case in CASES]
)
def test_known_laws_are_held_by_their_intervals(case):
    # 8 seeds at a true rate of .95: 4 or fewer has probability 4e-4 for one quantity, 3e-3 for a case of
    # seven; the seeds are fixed, so this is the chance that a sound change of the sampler trips it
    hits = holds(case, range(1000, 1008))
    assert min(hits.values()) >= 5, hits


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("case", CASES)
def test_known_laws_are_held_at_the_nominal_rate_over_400_seeds(case):
    """Of 400 intervals at a true rate of .95, 364 or fewer hold with probability 6e-4, 395 or more 5e-5.

    For the 18 quantities of the three cases together a false alarm has a probability below 1.2 %. Flat
    bounded priors hold 88 to 91 of 100 on *surf_a*: 352 to 364.
    """
    hits = holds(case, range(400))
    print(case, hits)  # noqa: T201 - the rates belong in the log of the slow suite
    assert min(hits.values()) > 364, hits
    assert max(hits.values()) < 395, hits


@pytest.mark.parametrize("form", PLACES)
def test_what_is_drawn_for_calibration_is_the_form_at_level_one(form):
    rng = np.random.default_rng(0)
    corner = PLACES[form].max(0, keepdims=True)
    levels = [FORMS[form].log_y(corner, parameters(form, rng))[0] for _ in range(20)]
    np.testing.assert_allclose(levels, 0, atol=1e-9)


def test_the_noise_that_is_drawn_for_calibration_is_the_noise_that_fits_assume():
    """Drawn residuals are denser under the noise they are drawn from than under any other (Gibbs)."""
    rng = np.random.default_rng(1)
    points = check_points(PLACES["broken"], np.ones(12))
    true = {"scale": 0.05, "degrees": 5.0, "shared": 0.7}
    drawn = np.array([residuals(points.x, true, rng) for _ in range(500)])
    right = Noise(points).log_density(drawn, {k: np.full(500, v) for k, v in true.items()})
    for name, wrong in {"scale": 0.07, "degrees": 50.0, "shared": 0.2}.items():
        other = Noise(points).log_density(
            drawn, {k: np.full(500, v) for k, v in (true | {name: wrong}).items()}
        )
        gained = right - other
        assert gained.mean() > 3 * gained.std() / np.sqrt(500), name


@cache
def of_200_laws(form):
    """Return the ranks of 200 laws drawn from the prior, those left out whose fits are refused."""
    return [found for found in (rank(form, seed) for seed in range(200)) if found]


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("form", PLACES)
def test_ranks_of_the_truth_are_uniform(form):
    """Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788) of priors, noise, sampler and forms.

    chi² over 10 cells, at 1e-4 for each quantity: with at most 10 quantities a form, a false alarm has a
    probability below 6e-3 for all six forms together.
    """
    ranks = of_200_laws(form)
    expected = len(ranks) / 10
    for name in ranks[0]:
        counts = np.histogram([each[name] for each in ranks], bins=10, range=(0, DRAWS + 1))[0]
        assert ((counts - expected) ** 2 / expected).sum() < chi2.isf(1e-4, 9), (name, counts)


REFUSED = {"surface": "23 of 200 were refused", "broken": "24 of 60 were refused"}


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize(
    "form",
    [
        pytest.param(
            form, marks=pytest.mark.xfail(form in REFUSED, reason=REFUSED.get(form, ""), strict=True)
        )
        for form in PLACES
    ],
)
def test_few_laws_of_the_prior_are_refused(form):
    """At most 20 of 200: laws whose fall is hardly seen, or seen to a thousandth; they leave no rank."""
    assert len(of_200_laws(form)) >= 180
