"""Fits against what papers printed: curves of Hestness et al. 2017, the surface of Besiroglu et al. 2024."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import huber, logsumexp

from laws.fitting.fit import fit
from laws.fitting.forms import FORMS
from laws.forecasting.forecast import forecast
from laws.points import check_points
from tests.laws.form_comparison import compare

# digitised from the figures of arXiv:1712.00409 (within 1 %): printed α and β, points they were drawn through
HOURS = [8.7, 17.4, 34.8, 87, 174, 348, 870, 1740]
CURVES = {
    "translation": (
        3.87, 0.128, 6,
        [507813, 1.01562e6, 2.03125e6, 4.0625e6, 8.125e6, 1.625e7, 3.25e7, 6.5e7, 1.3e8],
        [0.7214, 0.6543, 0.6, 0.5472, 0.5032, 0.4628, 0.431, 0.4088, 0.3926],
    ),
    "characters, SGD": (
        5.37, 0.094, 6,
        [350730, 696614, 1.41268e6, 3.52698e6, 7.05395e6, 1.41079e7, 3.35544e7, 6.99587e7, 1.39917e8],
        [1.6258, 1.5227, 1.431, 1.2922, 1.2266, 1.1545, 1.0767, 1.0138, 0.97],
    ),
    "characters, Adam": (
        5.25, 0.095, 6,
        [350730, 691802, 1.3836e6, 3.52698e6, 7.05395e6, 1.41079e7],
        [1.581, 1.4507, 1.3526, 1.2398, 1.1689, 1.1009],
    ),
    "speech, DS2": (
        0.95, 0.3, 6, HOURS, [0.4944, 0.4158, 0.3305, 0.2503, 0.2013, 0.1683, 0.1426, 0.1236],
    ),
    "speech, attention": (
        1.36, 0.3, 5, HOURS, [0.7624, 0.5527, 0.4492, 0.3486, 0.3059, 0.252, 0.1915, 0.1501],
    ),
}  # fmt: skip
FIXED_SIZE = {
    "1.7M": [0.5454, 0.4988, 0.4165, 0.3317, 0.2891, 0.2837, 0.2604, 0.2539],
    "6M": [0.551, 0.4791, 0.399, 0.3185, 0.261, 0.2365, 0.1917, 0.188],
}


@pytest.mark.parametrize("name", CURVES)
def test_a_power_law_through_the_small_shards_is_the_printed_one(name):
    alpha, beta, n, x, y = CURVES[name]
    # four chains together: alone, the median of the attention curve's exponent is known to 0.0006
    drawn = [fit(check_points(x[:n], y[:n]), "power", seed=seed).parameters for seed in range(4)]
    assert np.median([each["alpha"] for each in drawn]) == pytest.approx(alpha, rel=0.02)
    assert np.median([each["beta"] for each in drawn]) == pytest.approx(beta, abs=0.002)


@pytest.mark.parametrize("name", [name for name in CURVES if len(CURVES[name][3]) > CURVES[name][2]])
def test_a_forecast_from_the_small_shards_holds_the_largest(name):
    _, _, n, x, y = CURVES[name]
    told = forecast(check_points(x[:n], y[:n]), seed=0)
    ((low,), (high,)) = told.quantiles(x[-1:], (0.05, 0.95))
    # points were read off a figure to 1 %, and 1,000 draws know an end of the interval to another
    assert low / 1.02 < y[-1] < 1.02 * high


@pytest.mark.parametrize("name", [name for name in CURVES if len(CURVES[name][3]) > CURVES[name][2]])
def test_that_law_is_too_good_at_the_largest_shard_so_a_fit_alone_is_no_forecast(name):
    # the fact behind laws/forecasting/forecast.py: what was measured lies 3 to 18 % above the law of the
    # small shards
    _, _, n, x, y = CURVES[name]
    drawn = fit(check_points(x[:n], y[:n]), "power", seed=1).parameters
    promised = np.exp(np.median(FORMS["power"].log_y(x[-1:], drawn)))
    assert 1.02 < y[-1] / promised < 1.23


@pytest.mark.parametrize("size", FIXED_SIZE)
def test_models_of_fixed_size_are_seen_to_saturate(size):
    judged = compare(check_points(HOURS, FIXED_SIZE[size]), ["power", "power-floor"], seed=1)
    assert judged[0].form == "power-floor"
    assert judged[0].rmsle < judged[1].rmsle


def chinchilla():
    """Return (N, D, loss) of the 240 runs, from a file that this project may not ship."""
    folder = Path(os.environ.get("PLANNER_BENCH", Path(__file__).parents[2].parent / "shared" / "bench"))
    path = folder / "chinchilla.csv"
    if not path.exists():
        pytest.skip(
            "the Chinchilla points have no license and are not shipped; set PLANNER_BENCH to their folder"
        )
    with path.open() as file:
        rows = [row for row in csv.DictReader(file) if row["excluded_by_epoch"] == "0"]
    params, flops, loss = (np.array([float(row[key]) for row in rows]) for key in ("N", "C", "loss"))
    return params, flops / (6 * params), loss


@pytest.fixture(scope="module")
def surface():
    """Return the draws of the surface of Chinchilla's runs."""
    params, data, loss = chinchilla()
    return fit(check_points(np.column_stack([params, data]), loss), "surface", seed=1).parameters


def test_the_surface_of_chinchilla_agrees_with_the_published_refit(surface):
    published = {"E": (1.769, 1.871), "a": (0.317, 0.373), "b": (0.331, 0.415)}  # 95 %, Besiroglu et al. 2024
    for name, (low, high) in published.items():
        assert low < np.median(surface[name]) < high
        ours = np.diff(np.quantile(surface[name], [0.025, 0.975]))[0]
        assert 1 / 1.5 < ours / (high - low) < 1.5, (name, ours, high - low)


def test_compute_is_split_as_the_papers_split_it(surface):
    """Best sizes for FLOP from our draws (Hoffmann et al. 2022, equation 4), against what was published.

    The exponent of the best size is 0.513 ± 0.020 with Besiroglu et al. 2024; the sizes are those of
    approach 1 in Hoffmann et al. 2022, table 3, from a billion parameters on.
    """
    A, a, B, b = (surface[name] for name in "AaBb")
    exponent = b / (a + b)
    assert np.median(exponent) == pytest.approx(0.513, abs=0.02)
    assert 0.04 < np.diff(np.quantile(exponent, [0.025, 0.975]))[0] < 1.5 * 4 * 0.020
    for flops, params in ((1.21e20, 1e9), (1.23e22, 1e10), (5.76e23, 6.7e10), (3.85e24, 1.75e11)):
        best = (a * A / (b * B)) ** (1 / (a + b)) * (flops / 6) ** exponent
        low, high = np.quantile(best, [0.025, 0.975])
        assert low < params < high
        assert high / low < 3


def test_the_published_recipe_gives_its_published_optimum_on_our_form():
    params, data, loss = chinchilla()
    pairs = np.column_stack([params, data])

    def objective(z):
        e, a, b, alpha, beta = z
        terms = [a - alpha * np.log(params), b - beta * np.log(data), np.full(len(loss), e)]
        return huber(1e-3, np.log(loss) - logsumexp(terms, axis=0)).sum()

    found = minimize(objective, [0.6, 6.2, 7.6, 0.35, 0.37], method="BFGS", options={"gtol": 1e-9})
    found = minimize(
        objective, found.x, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-14, "maxiter": 20000}
    )
    e, a, b, alpha, beta = found.x
    assert found.fun == pytest.approx(0.00101827, abs=1e-7)
    assert [np.exp(e), alpha, beta] == pytest.approx([1.81686, 0.34781, 0.36585], rel=0.01)
    log_y = FORMS["surface"].log_y(
        pairs, {"E": np.exp(e), "A": np.exp(a), "a": alpha, "B": np.exp(b), "b": beta}
    )
    assert huber(1e-3, np.log(loss) - log_y).sum() == pytest.approx(found.fun, rel=1e-9)
