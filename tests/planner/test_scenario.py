"""Scaling paths of single posterior samples, compared with the closed forms of their papers and with brute
force.
"""

import math

import pytest
from allocation_oracles import best_split, serve_and_train
from hypothesis import example, given, settings
from hypothesis import strategies as st

from planner.lawmodel.root_finding import root
from planner.lawmodel.scenario import compute_optimal_path, smallest_model_path
from planner.lawmodel.surface import Repeated, Surface

surfaces = st.builds(
    Surface,
    E=st.floats(0, 3),
    A=st.floats(10, 3000),
    B=st.floats(10, 3000),
    alpha=st.floats(0.2, 0.6),
    beta=st.floats(0.2, 0.6),
    rate=st.just(0.0),
    largest=st.just(0.0),
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
    scenario = compute_optimal_path(surface, available=math.inf, inference=0, **FREE)
    target = surface.E + above
    x = scenario.scale_for_error(target)
    params, data = surface.least_flops(target)
    assert (scenario.params(x), scenario.data(x)) == pytest.approx((params, data))
    assert scenario.error(x) == pytest.approx(target)
    # and backwards from its own FLOP, as equation 4 of Hoffmann et al. 2022 splits them
    flops = scenario.flops(x)
    assert scenario.scale_where(scenario.flops, flops) == pytest.approx(
        best_split(surface, flops)[1], rel=1e-6
    )


@settings(deadline=None, max_examples=50)
@given(surfaces, st.floats(0.1, 1.0), st.floats(0.01, 100))
def test_serving_makes_the_model_that_costs_least_in_all(surface, above, times):
    target = surface.E + above
    served = times * surface.least_flops(target)[1]
    scenario = compute_optimal_path(surface, available=math.inf, inference=served, **FREE)
    x = scenario.scale_for_error(target)
    params, data = serve_and_train(surface, target, served)
    assert 6 * scenario.params(x) * x + 2 * scenario.params(x) * served == pytest.approx(
        6 * params * data + 2 * params * served, rel=1e-6
    )


def test_repeated_data_splits_as_its_authors_publish():
    # optimal_allocation(1e22, U=25e9) of huggingface/datablations, which searches a grid
    scenario = compute_optimal_path(C4, available=25e9, inference=0, **HALVES)
    x = scenario.scale_where(scenario.flops, 1e22)
    assert scenario.params(x) == pytest.approx(7_022_364_735.88, rel=1e-3)
    assert x == pytest.approx(237_336_955_477.55, rel=1e-3)
    assert scenario.data(x) == 25e9


@settings(deadline=None, max_examples=30)
@given(st.floats(1e9, 1e12), st.floats(20, 24))
def test_no_other_split_of_repeated_data_is_better(have, log_flops):
    flops = 10**log_flops
    scenario = compute_optimal_path(C4, available=have, inference=0, **HALVES)
    repeated = Repeated(surface=C4, **HALVES)
    best = scenario.error(scenario.scale_where(scenario.flops, flops))
    middle = scenario.params(scenario.scale_where(scenario.flops, flops))
    grid = (middle * 10 ** (i / 50) for i in range(-75, 76))
    assert best <= min(repeated.loss(n, flops / 6 / n, have) for n in grid) + 1e-9


def test_a_target_that_no_number_of_passes_reaches_is_never():
    scenario = compute_optimal_path(C4, available=1e9, inference=0, **HALVES)
    assert scenario.scale_for_error(2.3) == math.inf
    reachable = compute_optimal_path(C4, available=25e9, inference=0, **HALVES).scale_for_error(2.3)
    assert 25e9 < reachable < math.inf


def test_the_smallest_model_uses_all_the_data():
    scenario = smallest_model_path(C4, available=1e12)
    params = scenario.scale_for_error(2.2)
    assert C4.loss(params, 1e12) == pytest.approx(2.2)
    assert params < C4.least_flops(2.2)[0]
    assert scenario.scale_for_error(C4.loss(math.inf, 1e12) - 0.01) == math.inf
