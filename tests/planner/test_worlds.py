"""Lines of plans, draw by draw: against closed forms of their papers and against brute force."""

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planner.lawmodel.root_finding import root
from planner.lawmodel.scenario import smallest, split
from planner.lawmodel.surface import Repeated, Surface, serve_and_train

surfaces = st.builds(
    Surface,
    E=st.floats(0, 3),
    A=st.floats(10, 3000),
    B=st.floats(10, 3000),
    alpha=st.floats(0.2, 0.6),
    beta=st.floats(0.2, 0.6),
)
FREE = {"data_half": 15.4, "params_half": 5.3}
# Muennighoff et al. 2023, as in test_allocation.py
C4 = Surface(
    E=math.exp(0.6254804), A=math.exp(6.255414), B=math.exp(7.3049974), alpha=0.3526596, beta=0.3526596
)
HALVES = {"data_half": 15.387756, "params_half": 5.309743}


@settings(deadline=None, max_examples=300)
@given(st.floats(-50, 50), st.floats(0.1, 5), st.floats(1, 5))
@example(0.0078125, 1.0, 4.0)  # flat at its root: steps became short far from it
def test_a_root_is_where_the_function_is_zero(where, slope, power):
    found = root(lambda x: math.copysign(abs(slope * (x - where)) ** power, x - where), -60, 60)
    assert found == pytest.approx(where, abs=1e-4)


def test_a_root_outside_is_the_nearer_end():
    assert root(lambda x: x - 5, 0, 1) == 1
    assert root(lambda x: x + 5, 0, 1) == 0


@settings(deadline=None)
@given(surfaces, st.floats(0.05, 1.0))
def test_the_free_line_is_the_compute_optimal_one(surface, above):
    world = split(surface, have=math.inf, served=0, **FREE)
    target = surface.E + above
    x = world.for_error(target)
    params, data = surface.least_flops(target)
    assert (world.params(x), world.data(x)) == pytest.approx((params, data))
    assert world.error(x) == pytest.approx(target)
    # and backwards from its own FLOP, as equation 4 of Hoffmann et al. 2022 splits them
    flops = world.flops(x)
    assert world.where(world.flops, flops) == pytest.approx(surface.best_split(flops)[1], rel=1e-6)


@settings(deadline=None, max_examples=50)
@given(surfaces, st.floats(0.1, 1.0), st.floats(0.01, 100))
def test_serving_makes_the_model_that_costs_least_in_all(surface, above, times):
    target = surface.E + above
    served = times * surface.least_flops(target)[1]
    world = split(surface, have=math.inf, served=served, **FREE)
    x = world.for_error(target)
    params, data = serve_and_train(surface, target, served)
    assert 6 * world.params(x) * x + 2 * world.params(x) * served == pytest.approx(
        6 * params * data + 2 * params * served, rel=1e-6
    )


def test_repeated_data_splits_as_its_authors_publish():
    # optimal_allocation(1e22, U=25e9) of huggingface/datablations, which searches a grid
    world = split(C4, have=25e9, served=0, **HALVES)
    x = world.where(world.flops, 1e22)
    assert world.params(x) == pytest.approx(7_022_364_735.88, rel=1e-3)
    assert x == pytest.approx(237_336_955_477.55, rel=1e-3)
    assert world.data(x) == 25e9


@settings(deadline=None, max_examples=30)
@given(st.floats(1e9, 1e12), st.floats(20, 24))
def test_no_other_split_of_repeated_data_is_better(have, log_flops):
    flops = 10**log_flops
    world = split(C4, have=have, served=0, **HALVES)
    repeated = Repeated(surface=C4, **HALVES)
    best = world.error(world.where(world.flops, flops))
    middle = world.params(world.where(world.flops, flops))
    grid = (middle * 10 ** (i / 50) for i in range(-75, 76))
    assert best <= min(repeated.loss(n, flops / 6 / n, have) for n in grid) + 1e-9


def test_a_target_that_no_number_of_passes_reaches_is_never():
    world = split(C4, have=1e9, served=0, **HALVES)
    assert world.for_error(2.3) == math.inf
    reachable = split(C4, have=25e9, served=0, **HALVES).for_error(2.3)
    assert 25e9 < reachable < math.inf


def test_the_smallest_model_uses_all_the_data():
    world = smallest(C4, have=1e12)
    params = world.for_error(2.2)
    assert C4.loss(params, 1e12) == pytest.approx(2.2)
    assert params < C4.least_flops(2.2)[0]
    assert world.for_error(C4.loss(math.inf, 1e12) - 0.01) == math.inf
