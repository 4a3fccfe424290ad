"""The machinery that samples, on distributions whose every number is known."""

import numpy as np
import pytest

emcee = pytest.importorskip("emcee")

from laws.fitting import importance, sampler  # noqa: E402 - emcee is slow to import and said so above
from laws.fitting.diagnostics import autocorrelation_time, effective_sizes, split_rhat  # noqa: E402

MEAN = np.array([3.0, -1.0, 0.5, 10.0])
COVARIANCE = np.array(
    [[4.0, 1.5, 0.0, 0.3], [1.5, 1.0, 0.1, 0.0], [0.0, 0.1, 0.25, -0.1], [0.3, 0.0, -0.1, 9.0]]
)
PRECISION = np.linalg.inv(COVARIANCE)


def gaussian(z):
    away = z - MEAN
    return (
        -0.5 * np.einsum("ni,ij,nj->n", away, PRECISION, away)
        - 0.5 * np.linalg.slogdet(2 * np.pi * COVARIANCE)[1]
    )


def banana(z):
    return -0.5 * z[:, 0] ** 2 - 0.5 * (z[:, 1] - z[:, 0] ** 2) ** 2


def autoregressive(steps, walkers, coefficient, seed):
    rng = np.random.default_rng(seed)
    chain = np.empty((steps, walkers, 1))
    chain[0] = rng.standard_normal((walkers, 1))
    for i in range(1, steps):
        noise = rng.standard_normal((walkers, 1))
        chain[i] = coefficient * chain[i - 1] + np.sqrt(1 - coefficient**2) * noise
    return chain


def mixture_off_center():
    """A proposal that is visibly wrong, shifted by a sd and twice as wide: only the rule corrects it."""
    factor = np.linalg.cholesky(4.0 * COVARIANCE)
    return importance.Mixture(np.ones(1), (MEAN + np.sqrt(np.diag(COVARIANCE)))[None], factor[None])


MOVES = {
    "independent": lambda: emcee.moves.MHMove(sampler.independent(mixture_off_center())),
    "de": emcee.moves.DEMove,
    "stretch": emcee.moves.StretchMove,
}


def variance_ratios(move, steps=1500, walkers=64):
    """Return variance over true variance, its standard error, and the shift of the mean in sd."""
    rng = np.random.default_rng(11)
    start = rng.multivariate_normal(MEAN, COVARIANCE, walkers)
    run = emcee.EnsembleSampler(walkers, 4, gaussian, moves=move, vectorize=True)
    run.run_mcmc(emcee.State(start, random_state=np.random.RandomState(3).get_state()), steps)
    chain = run.get_chain()
    squares = (chain - MEAN) ** 2 / np.diag(COVARIANCE)
    error = np.sqrt(2 * autocorrelation_time(squares) / (steps * walkers))
    return squares.mean((0, 1)), error, (chain.mean((0, 1)) - MEAN) / np.sqrt(np.diag(COVARIANCE))


def test_all_walkers_at_once_are_the_chain_of_emcee_itself():
    start = np.random.default_rng(5).standard_normal((16, 4)) + MEAN
    chains = []
    for run in (
        sampler.ensemble(16, 4, gaussian, emcee.moves.StretchMove()),
        emcee.EnsembleSampler(16, 4, gaussian, moves=emcee.moves.StretchMove(), vectorize=True),
    ):
        run.run_mcmc(emcee.State(start, random_state=np.random.RandomState(3).get_state()), 30)
        chains.append(run.get_chain())
    assert np.array_equal(*chains)
    with pytest.raises(ValueError, match="NaN"):
        sampler.ensemble(16, 4, lambda z: z[:, 0] * np.nan, emcee.moves.StretchMove()).compute_log_prob(start)


@pytest.mark.parametrize("name", MOVES)
def test_each_move_samples_a_gaussian(name):
    # false alarm: 8 comparisons at 4.5 standard errors, under 1e-4
    ratio, error, shift = variance_ratios(MOVES[name]())
    assert np.all(np.abs(ratio - 1) < 4.5 * error), ratio
    assert np.all(np.abs(shift) < 4.5 * error), shift


def test_the_same_test_rejects_the_move_that_is_known_to_be_wrong():
    ratio, error, _ = variance_ratios(emcee.moves.DESnookerMove(), steps=600, walkers=40)
    assert np.any(np.abs(ratio - 1) > 4.5 * error), ratio


def run(log_density, start, seed=1):
    rng = np.random.default_rng(seed)
    weighted = importance.sample(log_density, start, rng)
    chosen = weighted.z[rng.choice(len(weighted.z), sampler.WALKERS, replace=False, p=weighted.weight)]
    return weighted, sampler.sample(log_density, chosen, weighted.mixture, seed=seed)


def test_importance_sampling_knows_the_evidence_and_quantiles_of_a_gaussian():
    weighted, _ = run(gaussian, np.zeros((1, 4)))
    sd = np.sqrt(np.diag(COVARIANCE))
    assert abs(weighted.log_evidence) < 0.05
    assert weighted.ess > 0.4 * len(weighted.z)
    expected = MEAN + np.array([[-1.645], [0.0], [1.645]]) * sd
    assert np.all(np.abs(weighted.quantiles(np.array([0.05, 0.5, 0.95])) - expected) < 0.2 * sd)


def test_the_chain_converges_on_a_banana_and_gets_its_moments_right():
    _, chain = run(banana, np.zeros((1, 2)))
    assert chain.converged
    flat = chain.z.reshape(-1, 2)
    error = 5 / np.sqrt(flat.shape[0] / chain.tau)  # 5 standard errors of a mean of unit variance
    assert abs(flat[:, 0].mean()) < error
    assert abs(flat[:, 1].mean() - 1.0) < 1.8 * error  # its variance is 3
    assert abs((flat[:, 0] ** 2).mean() - 1.0) < 1.5 * error


def test_the_same_seed_gives_the_same_chain_and_another_seed_another():
    _, first = run(gaussian, np.zeros((1, 4)), seed=4)
    np.random.seed(99)  # noqa: NPY002 - the global state must not matter
    _, again = run(gaussian, np.zeros((1, 4)), seed=4)
    _, other = run(gaussian, np.zeros((1, 4)), seed=5)
    np.testing.assert_array_equal(first.z, again.z)
    assert not np.array_equal(first.z[:10], other.z[:10])


def test_two_far_modes_are_refused_with_numbers():
    def modes(z):
        return np.logaddexp(-0.5 * ((z - 100) ** 2).sum(1), -0.5 * ((z + 100) ** 2).sum(1))

    narrow = importance.Mixture(np.ones(1), np.zeros((1, 2)), 0.01 * np.eye(2)[None])
    rng = np.random.default_rng(0)
    start = rng.standard_normal((sampler.WALKERS, 2)) + np.where(
        rng.random((sampler.WALKERS, 1)) < 0.5, 100, -100
    )
    chain = sampler.sample(modes, start, narrow, seed=1, max_steps=400)
    assert not chain.converged
    assert chain.rhat > 1.5


def test_the_autocorrelation_time_of_a_known_process_and_of_emcee():
    chain = autoregressive(4000, 32, 0.9, seed=2)
    tau = autocorrelation_time(chain)[0]
    assert tau == pytest.approx((1 + 0.9) / (1 - 0.9), rel=0.1)
    assert tau == pytest.approx(emcee.autocorr.integrated_time(chain)[0], rel=0.05)


def test_a_short_chain_reports_a_tau_that_fails_the_rule():
    chain = autoregressive(200, 32, 0.99, seed=3)
    assert autocorrelation_time(chain)[0] > len(chain) / sampler.MIN_AUTOCORRELATION_TIMES


def test_one_stuck_walker_shows_in_rhat():
    good = autoregressive(600, 64, 0.2, seed=4)
    stuck = good.copy()
    stuck[:, 0] = 5.0
    assert split_rhat(good)[0] < sampler.MAX_RHAT < split_rhat(stuck)[0]


def test_effective_sizes_of_independent_draws_are_their_number():
    chain = np.random.default_rng(6).standard_normal((500, 64, 2))
    bulk, tail = effective_sizes(chain)
    assert bulk == pytest.approx(32000, rel=0.1)
    assert tail == pytest.approx(32000, rel=0.1)


def test_effective_sizes_shrink_by_the_autocorrelation_time():
    bulk, tail = effective_sizes(autoregressive(4000, 32, 0.9, seed=7))
    assert bulk == pytest.approx(4000 * 32 / 19, rel=0.15)
    assert tail < 4000 * 32 / 5


def tailed(z):
    """Return the log density of a normal with a hundredth of its mass eight sd away."""
    main, tail = (-0.5 * ((z - center) ** 2).sum(1) for center in (0.0, 8.0))
    return np.logaddexp(np.log(0.99) + main, np.log(0.01) + tail) - np.log(2 * np.pi)


def test_a_tail_that_the_mixture_misses_is_mended_where_draws_show_it():
    rng = np.random.default_rng(1)
    z = rng.standard_normal((4000, 2)) + 8.0 * (rng.random((4000, 1)) < 0.01)
    narrow = importance.Mixture(np.ones(1), np.zeros((1, 2)), np.eye(2)[None])
    before = tailed(z) - narrow.log_density(z)
    mixture = importance.extend(narrow, z, tailed(z))
    after = tailed(z) - mixture.log_density(z)
    assert np.exp(before.max()) > 100 * importance.MAX_RELATIVE_WEIGHT
    assert after.max() - np.median(after) < np.log(importance.MAX_RELATIVE_WEIGHT)
    assert mixture.weight.sum() == pytest.approx(1)


def test_a_chain_whose_walkers_are_stuck_in_a_tail_begins_again_and_converges():
    narrow = importance.Mixture(np.ones(1), np.zeros((1, 2)), np.eye(2)[None])
    start = np.random.default_rng(2).standard_normal((sampler.WALKERS, 2))
    start[0] += 8.0
    chain = sampler.sample(tailed, start, narrow, seed=3)
    assert chain.converged
    share = np.mean(chain.z.sum(2) > 8.0)
    # walkers move between the two parts by proposal alone, about 2 % of which fall into the tail
    assert share == pytest.approx(0.01, abs=0.004)


def test_a_mixture_is_fitted_though_nearly_all_weight_is_on_few_draws():
    rng = np.random.default_rng(4)
    z = 1e3 * rng.standard_normal((1000, 6))
    weight = np.zeros(1000)
    weight[:2] = 0.5
    fitted = importance.refit(z, weight, rng)
    assert np.isfinite(fitted.log_density(z[:2])).all()
