"""What moves an answer: known shares, targets that are not always reached, answers without variance."""

import math
import random

import pytest

from planner.plans.sensitivity import shares


def drawn(seed, n=4000):
    rng = random.Random(seed)
    return [rng.gauss(0, 1) for _ in range(n)], [rng.gauss(0, 1) for _ in range(n)]


@pytest.mark.parametrize("infinite", [0.0, 0.1, 0.3, 0.6])
def test_the_order_of_two_unknowns_does_not_depend_on_how_often_the_target_is_reached(infinite):
    """Of log answer = .8 a + .6 b, a explains .64 and b .36; with the largest answers infinite, too.

    Ranks of a normal explain a little less than its values; ties at the end compress both alike. Left out,
    the infinite draws gave .46 and .53 where 31 % were infinite: the order was wrong.
    """
    a, b = drawn(0)
    logs = [0.8 * x + 0.6 * y for x, y in zip(a, b, strict=True)]
    limit = sorted(logs)[min(int((1 - infinite) * len(logs)), len(logs) - 1)]
    answer = [math.inf if infinite and value > limit else math.exp(value) for value in logs]
    found = shares(answer, {"a": a, "b": b})
    tied = 1 - infinite**3  # of the variance of ranks; what is left is explained less well
    assert 0.64 * tied - 0.1 < found["a"] < 0.68
    assert 0.36 * tied - 0.1 < found["b"] < 0.40
    assert found["a"] > 1.5 * found["b"]


def test_what_decides_whether_the_target_is_reached_counts():
    floor, slope = drawn(1)
    answer = [math.inf if f > 0 else math.exp(0.1 * s) for f, s in zip(floor, slope, strict=True)]
    found = shares(answer, {"floor": floor, "slope": slope})
    assert found["floor"] > 0.7
    assert found["slope"] < 0.25


def test_an_answer_without_variance_has_no_shares():
    a, b = drawn(2)
    assert shares([2.0 * (1 + 1e-15 * x) for x in a], {"a": a}) == {}
    assert shares([math.inf] * len(a), {"a": a}) == {}
    assert shares(a[:50], {"a": a[:50]}) == {}
    assert shares([math.exp(x) for x in a], {"set": [1.0] * len(a)}) == {}
    assert shares([math.exp(x) for x in a], {"a": a, "b": b})["b"] < 0.02
