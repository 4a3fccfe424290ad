"""Column options as expressions: parsed, never run."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.errors import InputError
from planner.sources.expressions import parse_expression

ROW = {
    "metrics/mAP50(B)": "0.4", "test_acc": "92.5", "train.steps": "1000", "arch.batch": "8",
    "arch.block": 128,
    "a": 2.0, "b": 5.0, "c": "", "zero": 0, "percent": "55.2%", "words": "low", "val/acc": "0.9",
    "acc": "7k",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('1 - "metrics/mAP50(B)"', 0.6),
        ("1 - metrics/mAP50(B)", 0.6),
        ('"test_acc"/100', 0.925),
        ("1-test_acc/100", 0.075),
        ("train.steps*arch.batch*arch.block", 1_024_000),
        ("1 - val/acc", 0.1),
        ("-a + b", 3.0),
        ("-(a + b) * 2", -14.0),
        ("a - b - 1", -4.0),
        ("b / a / 2", 1.25),
        ("1e3*a", 2000.0),
        ("percent", "55.2%"),
        ("1 - percent", 0.448),
        ("c,missing,a", 2.0),
        ("c*2,b*2", 10.0),
        ("a/zero", None),
        ("c", None),
        ("acc", "7k"),
        ("acc*1", 7000.0),
    ],
)
def test_an_expression_has_its_value(text: str, value: object) -> None:
    found = parse_expression(text, list(ROW)).content(ROW)
    assert found == (pytest.approx(value) if isinstance(value, float | int) else value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1-",
        "(a",
        "a b",
        "a**b",
        "a,",
        '"a',
        "a)",
        "a==b",
        "a;b",
        "(" * 50,
        "a" * 600,
        "f(a)",
        "a[0]",
        '__import__("os").system("x")',
        "a if b else c",
        "lambda: a",
    ],
)
def test_what_is_no_expression_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_expression(text, list(ROW))
    assert refusal.value.code == "invalid-expression"
    assert len(refusal.value.message.splitlines()) == 1


def test_a_cell_that_is_no_number_is_named() -> None:
    with pytest.raises(InputError) as refusal:
        parse_expression("words*2", list(ROW)).content(ROW)
    assert "'words'" in refusal.value.message


def test_names_are_told_and_replaced() -> None:
    expression = parse_expression('steps*"batch size",tokens')
    assert expression.names == ("steps", "batch size", "tokens")
    assert expression.resolved(lambda name: f"config.{name}").names[0] == "config.steps"
    assert expression.is_computed
    assert not parse_expression("a,b").is_computed


def test_expressions_have_the_values_of_arithmetic() -> None:
    """Oracle: Python's own arithmetic on trees that we wrote ourselves."""
    for seed in range(300):
        rng = random.Random(seed)
        text = _tree(rng, 4)
        expected = eval(text, {"__builtins__": {}}, {"a": 2.0, "b": 5.0})
        assert parse_expression(text, ["a", "b"]).content({"a": 2.0, "b": 5.0}) == pytest.approx(expected)


def _tree(rng: random.Random, depth: int) -> str:
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(["a", "b", "3", "0.5", "1e1"])
    if rng.random() < 0.2:
        return f"-({_tree(rng, depth - 1)})"
    sign = rng.choice("+-*")
    right = _tree(rng, depth - 1)
    if rng.random() < 0.2:
        sign, right = "/", rng.choice(["a", "b", "4"])
    return f"({_tree(rng, depth - 1)} {sign} {right})"


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="ab1.()*/+-, \"'_[]{}=\\é", max_size=30))
def test_any_text_is_an_expression_or_one_line(text: str) -> None:
    try:
        expression = parse_expression(text, ["a", "b"])
    except InputError as refusal:
        assert len(refusal.message.splitlines()) == 1
    else:
        expression.content({"a": 1, "b": 2})
