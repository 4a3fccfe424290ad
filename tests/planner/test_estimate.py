"""An estimate against answers known on paper, draw by draw."""

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from synthetic import LADDER, estimate_by, law, passes, power, size, surface

from laws.errors import LawError, PlannerError
from laws.types import Quantity


def test_data_of_a_power_law_is_its_inverse():
    found = estimate_by(power(0.4, 0.3), 0.05)
    assert found.data.interval().median == pytest.approx((0.4 / 0.05) ** (1 / 0.3), rel=1e-6)
    assert found.data.unit == "hours"
    assert found.probability_reachable == 1.0


def test_every_draw_is_carried_through_to_the_flop():
    error, best, seen = power(0.4, 0.3, spread=0.05), size(2e4, 0.6, spread=0.1), passes(12)
    found = estimate_by(error, 0.05, size=best, samples=seen)
    for i, (data, params, flops) in enumerate(
        zip(found.data.draws, found.params.draws, found.flops.draws, strict=True)
    ):
        p = error.parameters
        wanted = (p["alpha"][i] / 0.05) ** (1 / p["beta"][i])
        assert data == pytest.approx(wanted, rel=1e-6)
        assert params == pytest.approx(best.parameters["sigma"][-1 - i] * wanted**0.6, rel=1e-6)
        # the ladder costs 6,000 FLOP a parameter and hour, exactly, at every size
        assert flops == pytest.approx(6e3 * params * 12 * data, rel=1e-6)


def test_the_interval_of_the_data_is_the_quantile_of_its_draws():
    error = power(0.4, 0.3, spread=0.1, draws=1000)
    wanted = sorted(
        (a / 0.05) ** (1 / b) for a, b in zip(*map(error.parameters.get, ("alpha", "beta")), strict=True)
    )
    found = estimate_by(error, 0.05).data.interval()
    assert found.q05 == pytest.approx(wanted[49], rel=1e-6)
    assert found.median == pytest.approx(wanted[499], rel=1e-6)
    assert found.q95 == pytest.approx(wanted[949], rel=1e-6)


def test_a_floor_near_the_target_leaves_the_interval_open_and_says_how_likely():
    error = power(0.4, 0.3, 0.045, spread=0.1, draws=1000)
    p = error.parameters
    reached = [
        g < 0.05 and (a / (0.05 - g)) ** (1 / b) <= 1e9 * 8
        for a, b, g in zip(p["alpha"], p["beta"], p["gamma"], strict=True)
    ]
    found = estimate_by(error, 0.05)
    # "reachable" ends where the stored paths end: at a billion times the largest measured data
    assert found.probability_reachable == pytest.approx(sum(reached) / 1000, abs=0.002)
    assert found.data.interval().q95 is None
    assert found.data.interval().median is not None
    assert "floor-uncertain" in found.warnings


def test_a_target_that_most_draws_miss_has_no_median_but_a_probability():
    found = estimate_by(power(0.4, 0.3, 0.053, spread=0.1, draws=1000), 0.05)
    assert 0 < found.probability_reachable < 0.5
    assert found.data.interval().median is None


def test_without_companions_only_the_data_is_known():
    found = estimate_by(power(0.4, 0.3), 0.05)
    assert found.params.interval().median is None
    assert found.flops.interval().median is None
    assert {"no-size-law", "no-compute"} <= set(found.warnings)


def test_one_pass_is_assumed_and_said_where_samples_were_not_measured():
    found = estimate_by(power(0.4, 0.3), 0.05, size=size(2e4, 0.6))
    assert "one-pass" in found.warnings
    assert found.flops.draws[0] == pytest.approx(6e3 * found.params.draws[0] * found.data.draws[0], rel=1e-6)


def test_a_size_beyond_the_ladder_is_continued_and_said():
    inside = estimate_by(power(0.4, 0.3), 0.1, size=size(2e4, 0.6))
    assert LADDER[0].params < inside.params.draws[0] < LADDER[-1].params
    assert "ladder-exceeded" not in inside.warnings
    beyond = estimate_by(power(0.4, 0.3), 0.05, size=size(2e6, 0.6))
    assert beyond.params.draws[0] > LADDER[-1].params
    assert "ladder-exceeded" in beyond.warnings
    assert beyond.flops.draws[0] == pytest.approx(
        6e3 * beyond.params.draws[0] * beyond.data.draws[0], rel=1e-6
    )


def test_one_rung_scales_with_the_parameters():
    found = estimate_by(power(0.4, 0.3), 0.05, size=size(2e4, 0.6, ladder=LADDER[:1]))
    assert found.flops.draws[0] == pytest.approx(6e3 * found.params.draws[0] * found.data.draws[0], rel=1e-6)


def test_tokens_without_a_ladder_cost_six_flop_a_parameter_and_say_so():
    unit = {"x_unit": "words", "domain": "word-lm"}
    found = estimate_by(power(0.4, 0.3, **unit), 0.05, size=size(2e4, 0.6, ladder=(), **unit))
    assert found.flops.draws[0] == pytest.approx(6 * found.params.draws[0] * found.data.draws[0], rel=1e-6)
    assert "six-nd" in found.warnings


def test_hours_without_a_ladder_have_no_compute():
    found = estimate_by(power(0.4, 0.3), 0.05, size=size(2e4, 0.6, ladder=()))
    assert found.flops.draws == ()
    assert "no-compute" in found.warnings


@pytest.mark.parametrize("target", [2.0, 2.2, 3.0])
@pytest.mark.parametrize(
    "shape", [(1.69, 406, 0.34, 410, 0.28), (1.8, 482, 0.348, 2085, 0.366), (0.5, 30, 0.6, 9, 0.15)]
)
def test_a_surface_gives_the_pair_of_least_flop(shape, target):
    E, A, a, B, b = shape
    found = estimate_by(surface(*shape), target)
    N, D = found.params.draws[0], found.data.draws[0]
    assert E + A / N**a + B / D**b == pytest.approx(target, rel=1e-9)
    assert found.flops.draws[0] == pytest.approx(6 * N * D)
    for step in (0.9, 0.99, 1.01, 1.1):
        other = N * step
        left = target - E - A / other**a
        if left > 0:
            assert other * (B / left) ** (1 / b) > N * D


def test_a_surface_whose_floor_scatters_over_the_target_says_how_likely():
    shape = surface(1.69, 406, 0.34, 410, 0.28, spread=0.02, draws=500)
    found = estimate_by(shape, 1.7)
    share = sum(E < 1.7 for E in shape.parameters["E"]) / 500
    assert found.probability_reachable == share
    assert 0.3 < share < 0.9


def test_beyond_is_counted_in_the_largest_measured_data():
    found = estimate_by(power(0.4, 0.3), 0.05)
    assert found.beyond.interval().median == pytest.approx((0.4 / 0.05) ** (1 / 0.3) / 8.0, rel=1e-6)
    assert "extrapolated-far" in found.warnings
    assert "extrapolated-far" not in estimate_by(power(0.4, 0.3), 0.2).warnings


@pytest.mark.parametrize("target", [0.0, -0.05, 5.0, 1.0])
def test_an_impossible_error_rate_is_refused(target):
    with pytest.raises(PlannerError) as refusal:
        estimate_by(power(0.4, 0.3), target)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("error", "target", "code"),
    [
        (power(0.4, 0.3), 0.7, "target-already-reached"),
        (power(0.4, 0.3, 0.08, draws=1), 0.05, "target-below-floor"),
        (surface(1.69, 406, 0.34, 410, 0.28), 1.5, "target-below-floor"),
        (surface(1.69, 406, 0.34, 410, 0.28), 5000.0, "target-too-easy"),
        (surface(1.69, 406, 0.34, 410, 0.28, spread=0.02, draws=50), 1e6, "target-too-easy"),
        (surface(1.69, 406, 0.34, 410, 0.28, spread=0.02, draws=50), 5.3e91, "target-too-easy"),
    ],
)
def test_a_target_that_a_law_cannot_answer_has_a_code_and_one_line(error, target, code):
    with pytest.raises(LawError) as refusal:
        estimate_by(error, target)
    assert refusal.value.code == code
    assert refusal.value.value == target
    assert "\n" not in str(refusal.value)
    assert error.metric in str(refusal.value)


def test_the_target_that_is_proposed_instead_of_one_below_the_floor_can_be_asked():
    error = power(0.4, 0.3, 0.08, draws=1)
    with pytest.raises(LawError) as refusal:
        estimate_by(error, 0.03)
    proposed = float(refusal.value.expected.removesuffix("%")) / 100
    assert estimate_by(error, proposed).probability_reachable > 0.9


def test_a_law_that_is_flat_where_it_was_measured_needs_no_more_than_the_smallest_data():
    draws = 100
    flat = law(
        lambda g, p: math.log(0.3) if p["flat"] else math.log(0.6) - 0.3 * g,
        {"flat": [1.0] * 10 + [0.0] * (draws - 10)},
    )
    found = estimate_by(flat, 0.35)
    assert min(found.data.draws) == pytest.approx(0.5)


@settings(deadline=None)
@given(
    alpha=st.floats(0.2, 0.9),
    beta=st.floats(0.05, 0.9),
    gamma=st.floats(0, 0.1),
    share=st.floats(-0.5, 0.9),
    spread=st.floats(0, 0.3),
)
def test_any_target_below_the_smallest_data_gives_ordered_finite_numbers(alpha, beta, gamma, share, spread):
    error = power(alpha, beta, gamma, spread=spread, draws=40)
    easiest = min(error.paths[i][0] for i in range(40))  # every sample errs at least so much there
    target = gamma + share * (math.exp(easiest) - gamma)
    assume(0 < target < 1)
    found = estimate_by(error, target, size=size(2e4, 0.6, draws=30), samples=passes(3, draws=20))
    assert 0 <= found.probability_reachable <= 1
    for quantity in (found.data, found.params, found.flops, found.beyond):
        assert not any(map(math.isnan, quantity.draws))
        ends = quantity.interval()
        known = [value for value in (ends.q05, ends.median, ends.q95) if value is not None]
        assert known == sorted(known)
        assert all(map(math.isfinite, known))


@settings(deadline=None)
@given(target=st.floats(0.03, 0.45), factor=st.floats(1.01, 1.5))
def test_a_lower_target_never_needs_less(target, factor):
    error = power(0.6, 0.3, 0.02, spread=0.1, draws=50)  # the smallest data reaches about 0.76
    harder, easier = estimate_by(error, target), estimate_by(error, target * factor)
    assert all(h >= e for h, e in zip(harder.data.draws, easier.data.draws, strict=True))


def test_a_law_without_a_floor_says_that_reaching_the_target_is_assumed():
    assert "no-floor" in estimate_by(power(0.4, 0.3, form="power"), 0.05).warnings
    assert "no-floor" not in estimate_by(power(0.4, 0.3), 0.05).warnings


def test_a_published_figure_has_no_interval():
    assert Quantity(draws=(5.0,), unit="words", spread=False).interval().q05 is None
    assert Quantity(draws=(5.0,), unit="words", spread=False).interval().median == 5.0


def test_a_target_that_every_draw_rules_out_is_an_answer():
    found = estimate_by(power(0.4, 0.3, 0.08, spread=0.1), 0.01)
    assert found.probability_reachable == 0
    assert found.data.interval().median is None
    assert "floor-uncertain" in found.warnings
    assert found.limit.interval().q05 > 0.01
