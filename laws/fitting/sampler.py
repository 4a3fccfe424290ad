"""Sample a density with emcee, in blocks, until the chain has converged or its steps are used up.

Moves: differential evolution and stretch, which need only the walkers, and independent proposals from the
mixture that importance sampling fitted (Metropolis-Hastings with a fixed proposal, Tierney 1994, section
2.3.3), which forget where a walker was. Where the mixture is good the chain needs tens of steps instead of
thousands; where it is bad its proposals are refused and the other two moves do the work. A walker that is
stuck shows where the mixture misses a tail: the mixture is extended there, and a new chain starts. emcee's
`DESnookerMove` is not
used: as released in 3.1.6 it samples the wrong distribution (dfm/emcee, PR 531).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from laws.fitting.diagnostics import autocorrelation_time, split_rhat
from laws.fitting.importance import LogDensity, Mixture, extend, refit

Array = NDArray[np.float64]

WALKERS = 64
FIRST_BLOCK = 200  # steps before the first look at convergence
RESTARTS = 800, 2000  # steps after which a chain that has not converged restarts with an extended mixture
MAX_STEPS = 8000
MIN_AUTOCORRELATION_TIMES, MAX_RHAT = 50.0, 1.01  # what convergence means
REFIT_SAMPLES = 20_000  # of a chain, to which a mixture is refitted


@dataclass(frozen=True)
class Chain:
    """A chain after its burn-in, with the numbers that judge it.

    Attributes:
        z: Positions (steps, walkers, d).
        tau: Largest autocorrelation time of a coordinate, in steps.
        rhat: Largest split-R-hat of a coordinate.
        acceptance: Mean share of accepted proposals.
    """

    z: Array
    tau: float
    rhat: float
    acceptance: float

    @property
    def converged(self) -> bool:
        """Return whether N >= 50 tau and split-R-hat < 1.01 hold."""
        return len(self.z) >= MIN_AUTOCORRELATION_TIMES * self.tau and self.rhat < MAX_RHAT


Proposal = Callable[[Array, np.random.RandomState], tuple[Array, Array]]


def independent(mixture: Mixture) -> Proposal:
    """Return a proposal function for emcee's `MHMove` that ignores where the walkers are.

    Args:
        mixture: The distribution to draw from.

    Returns:
        A function from positions (walkers, d) to new positions and the log ratio of proposal densities
        (walkers,).
    """

    def propose(coords: Array, random: np.random.RandomState) -> tuple[Array, Array]:
        proposed = mixture.draw(len(coords), random)
        return proposed, mixture.log_density(coords) - mixture.log_density(proposed)

    return propose


def ensemble(walkers: int, d: int, log_density: LogDensity, moves: Any) -> Any:
    """Return emcee's sampler of a density that takes all walkers at once and gives no blobs.

    emcee 3.1.6 turns the value of each walker into a float by itself: a fifth of what a fit costs.

    Args:
        walkers: Number of walkers.
        d: Number of coordinates.
        log_density: Function from (walkers, d) to (walkers,).
        moves: emcee's moves with their weights.

    Returns:
        An `emcee.EnsembleSampler`; its runs raise ValueError where the density is NaN.
    """
    import emcee

    class AllAtOnce(emcee.EnsembleSampler):  # type: ignore[misc]
        def compute_log_prob(self, coords: Array) -> tuple[Array, None]:
            values = log_density(coords)
            if np.isnan(values).any():
                raise ValueError("the log density is NaN")
            return values, None

    return AllAtOnce(walkers, d, log_density, moves=moves, vectorize=True)


def sample(
    log_density: LogDensity,
    start: Array,
    mixture: Mixture,
    *,
    seed: int,
    share: float = 0.9,
    max_steps: int = MAX_STEPS,
    refits: int = 0,
) -> Chain:
    """Return emcee's chain, converged or as long as is allowed.

    Args:
        log_density: Function from (walkers, d) to (walkers,).
        start: First positions (walkers, d).
        mixture: The distribution of independent proposals.
        seed: The same seed gives the same chain.
        share: Share of steps that propose from the mixture; a poor mixture needs more of the two other moves.
        max_steps: Steps after which a chain is given up.
        refits: How often a chain that was given up is followed by one of twice as many steps, whose mixture
            is fitted to the samples so far. Worth its time where tails are long: few points of a form with
            many parameters.

    Returns:
        The last chain, without its first eighth as burn-in. Where the first chains converge, `refits` changes
        nothing.
    """
    import emcee

    # emcee draws from numpy's global state unless it is told otherwise
    state = emcee.State(start, random_state=np.random.RandomState(seed).get_state())
    limits = [limit for limit in RESTARTS if limit < max_steps] + [
        max_steps * 2**i for i in range(1 + refits)
    ]
    while True:
        moves = [
            (emcee.moves.MHMove(independent(mixture)), share),
            (emcee.moves.DEMove(), (1 - share) / 2),
            (emcee.moves.StretchMove(), (1 - share) / 2),
        ]
        sampler = ensemble(len(start), start.shape[1], log_density, moves)
        limit = limits.pop(0)
        chain, state = _run(sampler, state, limit)
        if chain.converged or not limits:
            return chain
        late = len(chain.z) // 2
        flat = chain.z[late:].reshape(-1, start.shape[1])
        if limit >= max_steps:
            rng, weight = np.random.default_rng([seed, len(limits)]), np.full(len(flat), 1 / len(flat))
            mixture = refit(flat, weight, rng, n=min(REFIT_SAMPLES, len(flat)))
        mixture = extend(mixture, flat, sampler.get_log_prob()[-len(chain.z) + late :].ravel())


def _run(sampler: Any, state: Any, max_steps: int) -> tuple[Chain, Any]:
    """Return the chain of one sampler, run in blocks, and its last state."""
    steps = min(FIRST_BLOCK, max_steps)
    while True:
        state = sampler.run_mcmc(state, steps - sampler.iteration, skip_initial_state_check=True)
        z = sampler.get_chain(discard=steps // 8)
        chain = Chain(
            z,
            tau=float(autocorrelation_time(z).max()),
            rhat=float(split_rhat(z).max()),
            acceptance=float(sampler.acceptance_fraction.mean()),
        )
        if chain.converged or steps >= max_steps:
            return chain, state
        # both measures fall like 1/steps: go as far as they ask for, but look again on the way
        missing = max(MIN_AUTOCORRELATION_TIMES * chain.tau / len(z), (chain.rhat - 1) / (MAX_RHAT - 1))
        steps = min(int(steps * min(max(1.15 * missing, 1.25), 2.5)), max_steps)
