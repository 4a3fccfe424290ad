"""The expected time of a training, from runs on record."""

import random

import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")

from calibrate.sweep.time_estimates import time_of_size
from calibrate.training.train import EVALUATIONS

pytestmark = pytest.mark.torch


def seconds(runs, flops):
    time = time_of_size(runs)
    return flops * time.per_flop + EVALUATIONS * time.evaluation


def test_evaluations_of_small_shards_do_not_make_large_ones_longer() -> None:
    runs = [(2.0**i * 1e9, 5.0 + 2.0**i * 0.5) for i in range(5)]  # 5 s of evaluations, half a second per 1e9
    assert seconds(runs, 64e9) == pytest.approx(37)
    assert seconds(runs, 1e9) == pytest.approx(5.5)


@pytest.mark.parametrize("seed", range(20))
def test_noise_of_a_tenth_moves_the_next_doubling_by_less_than_a_third(seed: int) -> None:
    rng = random.Random(seed)
    runs = [(2.0**i, (3.0 + 2.0**i) * rng.lognormvariate(0, 0.1)) for i in range(5)]
    assert seconds(runs, 32.0) == pytest.approx(35.0, rel=1 / 3)  # four standard deviations


@pytest.mark.parametrize(
    "runs",
    [
        [(1e9, 2.0)],
        [(1e9, 2.0), (1e9, 2.2)],  # one length
        [(1e9, 1.0), (4e9, 9.0)],  # longer per FLOP on the larger: no constant
    ],
)
def test_runs_without_a_line_give_one_rate(runs: list[tuple[float, float]]) -> None:
    time = time_of_size(runs)
    assert time.evaluation == 0
    assert time.per_flop > 0
