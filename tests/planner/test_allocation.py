"""Closed forms over a loss surface, against the figures that their papers print and against brute force."""

import math

import pytest
from allocation_oracles import best_repeated_split, best_split, data_for, serve_and_train
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.lawmodel.surface import Repeated, Surface, effective

# Hoffmann et al. 2022, approach 3, unrounded as in the paper's TeX (epoch-research/analyzing-chinchilla)
CHINCHILLA = Surface(
    E=math.exp(0.5267228), A=math.exp(6.0073404), B=math.exp(6.0179186), alpha=0.33917084, beta=0.2849083
)
# Muennighoff et al. 2023, README of huggingface/datablations
REPEATED = Repeated(
    surface=Surface(
        E=math.exp(0.6254804), A=math.exp(6.255414), B=math.exp(7.3049974), alpha=0.3526596, beta=0.3526596
    ),
    data_half=15.387756,
    params_half=5.309743,
)

surfaces = st.builds(
    Surface,
    E=st.floats(0, 3),
    A=st.floats(10, 3000),
    B=st.floats(10, 3000),
    alpha=st.floats(0.15, 0.6),
    beta=st.floats(0.15, 0.6),
    rate=st.just(0.0),
    largest=st.just(0.0),
)


@pytest.mark.parametrize(
    ("params", "seen", "loss"), [(6.34e9, 242e9, 2.2256440889984477), (8.67e9, 178e9, 2.2269634075087867)]
)
def test_the_losses_of_repeated_data_are_the_published_ones(params: float, seen: float, loss: float) -> None:
    assert REPEATED.loss(params, seen, 25e9) == pytest.approx(loss, abs=1e-9)


def test_the_best_split_of_repeated_data_is_the_published_one() -> None:
    # optimal_allocation(1e22, U=25e9) of the authors' repository, which searches a grid
    params, seen = best_repeated_split(REPEATED, 1e22, 25e9)
    assert params == pytest.approx(7_022_364_735.88, rel=1e-3)
    assert seen == pytest.approx(237_336_955_477.55, rel=1e-3)
    assert REPEATED.loss(params, seen, 25e9) <= REPEATED.loss(7_022_364_735.88, 237_336_955_477.55, 25e9)


@pytest.mark.parametrize("flops", [1e19, 1e21, 1e22, 1e23, 1e24])
def test_the_best_split_of_repeated_data_beats_a_grid(flops: float) -> None:
    params, seen = best_repeated_split(REPEATED, flops, 25e9)
    assert 6 * params * seen == pytest.approx(flops)
    best = REPEATED.loss(params, seen, 25e9)
    grid = (params * 10 ** (i / 100) for i in range(-150, 151))
    assert best <= min(REPEATED.loss(n, flops / 6 / n, 25e9) for n in grid) + 1e-12


def test_the_first_repeats_are_nearly_as_good_as_new() -> None:
    # Their abstract: up to four epochs hardly differ from new data. Worth ends at 1 + R_D* times the data.
    assert effective(1.0, 4.0, 15.39) > 3.6
    assert effective(1.0, 1.0, 15.39) == 1.0
    assert effective(1.0, 0.3, 15.39) == 0.3
    assert effective(1.0, 1e6, 15.39) == pytest.approx(16.39)


# Table A3, approach 3: parameters, FLOP, tokens; the FLOP of the 175B row is a misprint of 1.26e25
APPROACH_3 = [
    (4e8, 2.21e19, 9.2e9),
    (1e9, 1.62e20, 2.71e10),
    (1e10, 2.46e22, 4.101e11),
    (6.7e10, 1.71e24, 4.1e12),
    (1.75e11, 1.26e25, 1.2e13),
    (2.8e11, 3.52e25, 2.01e13),
    (5.2e11, 1.36e26, 4.35e13),
    (1e12, 5.65e26, 9.41e13),
    (1e13, 8.55e28, 1.426e15),
]


@pytest.mark.parametrize(("params", "flops", "tokens"), APPROACH_3)
def test_the_split_is_the_papers_to_its_own_rounding(params: float, flops: float, tokens: float) -> None:
    # Their own unrounded constants give 1 to 7 % fewer parameters than the table prints, and 6 N D of a
    # printed row is up to 4 % off its FLOP.
    best_params, data = best_split(CHINCHILLA, flops)
    assert 0.92 < best_params / params < 1.0
    assert 0.99 < data / tokens < 1.07 / 0.959


def test_the_misprinted_row_of_table_a3_is_not_followed() -> None:
    printed = 1.26e24
    assert best_split(CHINCHILLA, printed)[0] < 0.5 * 1.75e11
    assert 6 * 1.75e11 * 1.2e13 / printed == pytest.approx(10, rel=0.01)


def test_serving_is_that_of_sardana() -> None:
    # Figure 1: 13B quality with 2T tokens served; a 7B model saves 1.7e22 FLOP, 17 %.
    big, data = 13e9, 6.174e11
    assert CHINCHILLA.best_params_for(data) == pytest.approx(big, rel=1e-3)
    target = CHINCHILLA.loss(big, data)
    params, more = serve_and_train(CHINCHILLA, target, 2e12)
    before, after = (6 * n * d + 2 * n * 2e12 for n, d in ((big, data), (params, more)))
    assert params == pytest.approx(7e9, rel=0.03)
    assert before - after == pytest.approx(1.7e22, rel=0.06)
    assert 1 - after / before == pytest.approx(0.17, abs=0.01)
    assert CHINCHILLA.loss(params, more) == pytest.approx(target)


@settings(deadline=None)  # the machine may be busy
@given(surface=surfaces, flops=st.floats(1e15, 1e27))
def test_the_split_is_the_minimum_and_reads_backwards(surface: Surface, flops: float) -> None:
    params, data = best_split(surface, flops)
    assert 6 * params * data == pytest.approx(flops)
    assert surface.best_params_for(data) == pytest.approx(params)
    best = surface.loss(params, data)
    for factor in (0.5, 0.9, 1.1, 2.0):
        assert surface.loss(params * factor, data / factor) >= best
    assert surface.least_flops(best) == (pytest.approx(params, rel=1e-4), pytest.approx(data, rel=1e-4))


@settings(deadline=None)  # the machine may be busy
@given(surface=surfaces, excess=st.floats(0.01, 1), served=st.floats(1, 1e16))
def test_serving_shrinks_the_model_and_never_costs_more(
    surface: Surface, excess: float, served: float
) -> None:
    target = surface.E + excess
    free_params, free_data = surface.least_flops(target)
    params, data = serve_and_train(surface, target, served)
    assert params <= free_params * (1 + 1e-6)
    assert surface.loss(params, data) == pytest.approx(target, rel=1e-6)
    free = 6 * free_params * free_data + 2 * free_params * served
    assert 6 * params * data + 2 * params * served <= free * (1 + 1e-6)


def test_a_target_below_the_floor_is_infinite() -> None:
    assert CHINCHILLA.least_flops(1.0) == (math.inf, math.inf)
    assert serve_and_train(CHINCHILLA, 1.0, 1e12) == (math.inf, math.inf)
    assert data_for(CHINCHILLA, 1e9, 1.7) == math.inf
    assert serve_and_train(CHINCHILLA, 2.0, 0) == CHINCHILLA.least_flops(2.0)
