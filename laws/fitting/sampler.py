"""Sample a density with emcee, in blocks, until the chain has converged, or say that it has not.

Moves: differential evolution and stretch, which need nothing but the walkers, and independent proposals from
the mixture that importance sampling fitted (Metropolis-Hastings with a fixed proposal, Tierney 1994, section
2.3.3), which forget where a walker was. Where the mixture is good the chain needs tens of steps instead of
thousands; where it is bad its proposals are refused and the other two moves do the work. A walker that is
stuck shows where the mixture misses a tail: it is mended there, and the chain begins again. emcee's
`DESnookerMove` is not used: as released in 3.1.6 it samples the wrong distribution (dfm/emcee, PR 531).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from laws.fitting.diagnostics import autocorrelation_time, split_rhat
from laws.fitting.importance import LogDensity, Mixture, mended

Array = NDArray[np.float64]

WALKERS = 64
FIRST = 200  # steps of the first block
AGAIN = 800, 2000  # steps after which a chain that has not converged begins again with a mended mixture
LONGEST = 8000  # steps after which a chain is given up
TAUS, RHAT = 50.0, 1.01  # what convergence means


@dataclass(frozen=True)
class Chain:
    """A chain (steps, walkers, d) after its burn-in, with the numbers that judge it."""

    z: Array
    tau: float  # the largest autocorrelation time of a coordinate, in steps
    rhat: float  # the largest split-R-hat
    acceptance: float

    @property
    def converged(self) -> bool:
        """Return whether N >= 50 tau and split-R-hat < 1.01 hold."""
        return len(self.z) >= TAUS * self.tau and self.rhat < RHAT


Proposal = Callable[[Array, np.random.RandomState], tuple[Array, Array]]


def independent(mixture: Mixture) -> Proposal:
    """Return a proposal function for `MHMove` that draws from the mixture, wherever the walkers are."""

    def propose(coords: Array, random: np.random.RandomState) -> tuple[Array, Array]:
        proposed = mixture.draw(len(coords), random)
        return proposed, mixture.log_density(coords) - mixture.log_density(proposed)

    return propose


def ensemble(walkers: int, d: int, log_density: LogDensity, moves: Any) -> Any:
    """Return emcee's sampler of a density that takes all walkers (walkers, d) at once and gives no blobs.

    emcee 3.1.6 turns the value of each walker into a float by itself: a fifth of what a fit costs.
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
    longest: int = LONGEST,
) -> Chain:
    """Return the chain of emcee from start (walkers, d), converged or as long as is allowed.

    A `share` of the steps proposes from the mixture; a poor mixture needs more of the two other moves.
    The first eighth is left out as burn-in. The same seed gives the same chain.
    """
    import emcee

    # emcee draws from numpy's global state unless it is told otherwise
    state = emcee.State(start, random_state=np.random.RandomState(seed).get_state())
    again = [limit for limit in AGAIN if limit < longest]
    while True:
        moves = [
            (emcee.moves.MHMove(independent(mixture)), share),
            (emcee.moves.DEMove(), (1 - share) / 2),
            (emcee.moves.StretchMove(), (1 - share) / 2),
        ]
        sampler = ensemble(len(start), start.shape[1], log_density, moves)
        chain, state = _run(sampler, state, again[0] if again else longest)
        if chain.converged or not again:
            return chain
        again.pop(0)
        late = len(chain.z) // 2
        flat = chain.z[late:].reshape(-1, start.shape[1])
        mixture = mended(mixture, flat, sampler.get_log_prob()[-len(chain.z) + late :].ravel())


def _run(sampler: Any, state: Any, longest: int) -> tuple[Chain, Any]:
    """Return the chain of one sampler, run in blocks, and its last state."""
    steps = min(FIRST, longest)
    while True:
        state = sampler.run_mcmc(state, steps - sampler.iteration, skip_initial_state_check=True)
        z = sampler.get_chain(discard=steps // 8)
        chain = Chain(
            z,
            tau=float(autocorrelation_time(z).max()),
            rhat=float(split_rhat(z).max()),
            acceptance=float(sampler.acceptance_fraction.mean()),
        )
        if chain.converged or steps >= longest:
            return chain, state
        # both measures fall like 1/steps: go as far as they ask for, but look again on the way
        missing = max(TAUS * chain.tau / len(z), (chain.rhat - 1) / (RHAT - 1))
        steps = min(int(steps * min(max(1.15 * missing, 1.25), 2.5)), longest)
