"""Laws of the literature against what their papers print.

Rows of Table 1 of Hestness et al. 2019 (arXiv:1909.01736), Tables 5 and 6 of Kaplan et al. 2020
(arXiv:2001.08361), Tables 3 and A3 of Hoffmann et al. 2022 (arXiv:2203.15556), and the examples of the code
of Muennighoff et al. 2023 (arXiv:2305.16264). Where a printed figure contradicts the printed constants, the
test holds the constants and names the contradiction.
"""

import json
import math
import subprocess
import sys
from dataclasses import dataclass
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.catalog.published import FORMULAS, all_laws, companion, published_law, published_laws
from laws.errors import InputError, LawError, PlannerError, UnknownName

PF_DAY = 8.64e19
CALLABLE = [law for law in all_laws() if law.formula is not None]
POINTS = [(law, point) for law in all_laws() for point in law.checks]


def by_id(value):
    return getattr(value, "id", None) or "".join(f"{n}={v:g}" for n, v in value.inputs.items())


@pytest.mark.parametrize(("law", "point"), POINTS, ids=by_id)
def test_every_published_point_comes_back(law, point):
    assert law.evaluate(**point.inputs) == pytest.approx(point.expected, rel=point.tolerance)


def test_the_points_are_not_few():
    assert len(POINTS) > 40
    assert len({law.id for law, _ in POINTS}) > 30


def test_the_data_is_in_order():
    laws = all_laws()
    assert len({law.id for law in laws}) == len(laws)
    assert {law.formula for law in CALLABLE} == set(FORMULAS)
    for law in laws:
        assert law.citation
        assert law.range
        assert law.inputs
        assert law.formula is not None or law.exponents, f"{law.id} answers nothing"
        assert all(math.isfinite(value) for value in law.parameters.values())
        assert set(law.errors) <= set(law.parameters)
        assert set(law.exponents) <= {i.name for i in law.inputs}
        assert all(published_law(id).domain == law.domain for id in law.companions.values())


def typical(law):
    """Return inputs in the middle of where laws are asked."""
    special = {
        "active": 0.1,
        "loss": 2.0,
        "compute": 1.0,
        "experts": 64.0,
        "granularity": 8.0,
        "unique": 1e9,
        "flops": 1e21,
    }
    # a sharp break is flat beyond; elsewhere a billion of anything is an ordinary question
    usual = 300.0 if law.formula == "broken" else 1e9
    return {i.name: special.get(i.name, usual * i.per) for i in law.inputs}


@pytest.mark.parametrize("law", CALLABLE, ids=lambda law: law.id)
def test_every_law_is_positive_and_finite(law):
    assert 0 < law.evaluate(**typical(law)) < math.inf


INVERTIBLE = [
    (law, i.name)
    for law in CALLABLE
    for i in law.inputs
    if law.formula not in ("roofline", "repeated-data") and i.name != "active"
]


@pytest.mark.parametrize(("law", "name"), INVERTIBLE, ids=lambda v: getattr(v, "id", v))
def test_reading_backwards_undoes_reading_forwards(law, name):
    inputs = typical(law)
    asked = inputs.pop(name)
    found = law.invert(law.evaluate(**inputs, **{name: asked}), **inputs)
    assert found == pytest.approx(asked, rel=1e-6)


POWERS = [(law, name) for law in CALLABLE for name in law.exponents]


@pytest.mark.parametrize(("law", "name"), POWERS, ids=lambda v: getattr(v, "id", v))
def test_exponents_say_what_the_formula_does(law, name):
    """The reducible part changes by the exponent; a known floor is taken off before."""
    floor = law.parameters.get("floor", 0.0) * law.scale
    inputs = typical(law)
    times = 7.0
    more = {**inputs, name: times * inputs[name]}
    assert (law.evaluate(**more) - floor) / (law.evaluate(**inputs) - floor) == pytest.approx(
        law.change(times, name)
    )
    assert law.factor(law.change(times, name), name) == pytest.approx(times)


# Hestness et al. 2019, Table 1: data and model scale to a target.


@dataclass(frozen=True)
class Projection:
    name: str
    current: float
    target: float
    samples: float
    data_scale: float
    tolerance: float | None  # None: the printed scale contradicts the printed exponent
    model_scale: float


TABLE_1 = [
    Projection("wordlm", 3.37, 2.48, 7.68e8, 100, 0.05, 23),
    Projection("charlm", 1.3, 0.7, 3.48e9, 971, None, 456),
    Projection("nmt", 0.28, 0.12, 1.3e8, 750, 0.01, 90),
    Projection("speech", 0.095, 0.04, 4.25e8, 33, None, 6.6),
    Projection("image", 0.194, 0.05, 1.3e6, 81, 0.01, 12),
]


@pytest.mark.parametrize("row", TABLE_1, ids=lambda row: row.name)
def test_table_1_data_scale(row):
    curve = published_law(f"hestness2019-{row.name}-curve")
    by_ratio = curve.factor(row.target / row.current)
    from_today = (row.current / curve.evaluate(data=row.samples)) ** (1 / curve.exponents["data"])
    assert curve.invert(row.target) / row.samples == pytest.approx(by_ratio * from_today)
    if row.tolerance is None:
        assert abs(by_ratio / row.data_scale - 1) > 0.1
    else:
        assert by_ratio == pytest.approx(row.data_scale, rel=row.tolerance)


@pytest.mark.parametrize(
    ("row", "by_constants"), [(TABLE_1[1], 836.0), (TABLE_1[3], 19.54)], ids=["charlm", "speech"]
)
def test_table_1_misfits_are_those_that_are_known(row, by_constants):
    found = published_law(f"hestness2019-{row.name}-curve").factor(row.target / row.current)
    assert found == pytest.approx(by_constants, rel=0.001)


@pytest.mark.parametrize("row", TABLE_1, ids=lambda row: row.name)
def test_table_1_model_scale(row):
    """The printed model scale is the printed data scale to the power of the size law."""
    size = companion(published_law(f"hestness2019-{row.name}-curve"), "params")
    # 12.24 is printed as 12
    assert size.change(row.data_scale) == pytest.approx(
        row.model_scale, rel=0.021 if row.name == "image" else 0.015
    )


TABLE_3 = [
    # data, parameters and days of an epoch that the paper projects
    ("wordlm", 77e9, 23.8e9, 31000),
    ("charlm", 3.4e12, 146e9, 3.5e6),
    ("nmt", 97.4e9, 18.9e9, 16000),
    ("speech", 14e9, 0.727e9, 93),
    ("image", 103e6, 0.732e9, 84),
]


@pytest.mark.parametrize(("name", "data", "params", "days"), TABLE_3)
def test_table_3_sizes_and_epochs(name, data, params, days):
    curve = published_law(f"hestness2019-{name}-curve")
    assert companion(curve, "params").evaluate(data=data) == pytest.approx(params, rel=0.02)
    flops = companion(curve, "flops").evaluate(params=params, data=data)
    assert flops / (0.8 * 15.67e12) / 86400 == pytest.approx(days, rel=0.01)


def test_the_printed_character_model_size_contradicts_its_table():
    assert published_law("hestness2019-charlm-size").evaluate(data=3.4e12) > 10 * 146e9
    assert companion(published_law("hestness2019-charlm-curve"), "params").evaluate(
        data=3.4e12
    ) == pytest.approx(146e9, rel=1e-3)


# Kaplan et al. 2020.


def test_kaplan_2020_consequences():
    size, data = published_law("kaplan2020-LN"), published_law("kaplan2020-LD")
    assert size.change(2, "params") == pytest.approx(0.95, abs=0.002)  # "2^-0.076 = 0.95"
    assert size.evaluate(params=8.8e13) == pytest.approx(1)
    assert data.evaluate(data=5.4e13) == pytest.approx(1)
    assert published_law("kaplan2020-LC").evaluate(flops=1.6e7 * PF_DAY) == pytest.approx(1)
    assert published_law("kaplan2020-LCmin").evaluate(flops=3.1e8 * PF_DAY) == pytest.approx(1)
    exponents = 1 / 0.76, 1 / 0.21, 1 / 0.076  # steps, batch, parameters
    assert 1 / sum(exponents) == pytest.approx(0.052, abs=0.0005)


@pytest.mark.parametrize(
    ("id", "coefficient", "exponent"),
    [("nopt", 1.3e9, 0.73), ("b", 2.0e6, 0.24), ("smin", 5.4e3, 0.03), ("dopt", 2e10, 0.27)],
)
def test_kaplan_2020_table_6(id, coefficient, exponent):
    law = published_law(f"kaplan2020-{id}")
    assert law.evaluate(flops=PF_DAY) == pytest.approx(coefficient)
    assert law.evaluate(flops=1e4 * PF_DAY) == pytest.approx(coefficient * 1e4**exponent)


def test_kaplan_2020_contradiction_point():
    """Where data grow too slowly for the compute: about 1e4 PF-days, 1e12 parameters and tokens, 1.7 nats."""
    by_compute, by_data, data = (published_law(f"kaplan2020-{name}") for name in ("LCmin", "LD", "dopt"))

    def gap(log_c):
        flops = 10**log_c * PF_DAY
        return by_compute.evaluate(flops=flops) - by_data.evaluate(data=data.evaluate(flops=flops))

    low, high = 1.0, 8.0
    assert gap(low) > 0 > gap(high)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if gap(middle) > 0 else (low, middle)
    flops = 10**low * PF_DAY
    assert 3 < low < 5
    assert by_compute.evaluate(flops=flops) == pytest.approx(1.7, abs=0.1)
    assert 1e11 < published_law("kaplan2020-nopt").evaluate(flops=flops) < 1e13
    assert 1e11 < data.evaluate(flops=flops) < 1e13


def test_kaplan_2020_data_that_keeps_overfitting_small():
    """D of about 5e3·N^0.74 keeps the loss within 0.02 of that of endless data."""
    law = published_law("kaplan2020-LND")
    for params in (1e6, 1e8, 1e9):
        endless = law.evaluate(params=params, data=1e30)
        assert 0.005 < law.evaluate(params=params, data=5e3 * params**0.74) / endless - 1 < 0.03


# Hoffmann et al. 2022: parameters, FLOP and tokens of approaches 1 to 3, then Nopt(C)/N by both prints.

TABLE_A3 = [
    (4e8, 1.92e19, 8e9, 1.84e19, 7.7e9, 2.21e19, 9.2e9, 0.972, 0.815),
    (1e9, 1.21e20, 2.02e10, 1.20e20, 2e10, 1.62e20, 2.71e10, 0.966, 0.802),
    (1e10, 1.23e22, 2.051e11, 1.32e22, 2.195e11, 2.46e22, 4.101e11, 0.957, 0.775),
    (6.7e10, 5.76e23, 1.5e12, 6.88e23, 1.7e12, 1.71e24, 4.1e12, 0.990, 0.785),
    (1.75e11, 3.85e24, 3.7e12, 4.54e24, 4.3e12, 1.26e24, 1.2e13, 0.943, 0.741),
    (2.8e11, 9.90e24, 5.9e12, 1.18e25, 7.1e12, 3.52e25, 2.01e13, 0.942, 0.737),
    (5.2e11, 3.43e25, 1.1e13, 4.19e25, 1.34e13, 1.36e26, 4.35e13, 0.940, 0.730),
    (1e12, 1.27e26, 2.12e13, 1.59e26, 2.65e13, 5.65e26, 9.41e13, 0.937, 0.722),
    (1e13, 1.30e28, 2.162e14, 1.75e28, 2.92e14, 8.55e28, 1.426e15, 0.927, 0.697),
]


@pytest.mark.parametrize("row", TABLE_A3, ids=lambda row: f"{row[0]:g}")
def test_hoffmann_2022_frontiers(row):
    params, *pairs = row[:7]
    for approach, printed, tokens in zip(("a1", "a2", "a3"), pairs[::2], pairs[1::2], strict=True):
        misprint = approach == "a3" and params == 1.75e11  # 1.26e24 is printed, 1.26e25 is meant
        flops = 10 * printed if misprint else printed
        line, data = (published_law(f"hoffmann2022-frontier-{approach}{half}") for half in ("", "-data"))
        assert line.evaluate(flops=flops) == pytest.approx(params, rel=0.05)
        assert data.evaluate(flops=flops) == pytest.approx(tokens, rel=0.07 if approach == "a3" else 0.05)
        assert 6 * line.evaluate(flops=flops) * data.evaluate(flops=flops) == pytest.approx(flops, rel=0.05)


def best_params(law, flops, **given):
    """Return the parameters of least loss when 6·N·D = flops, by golden section over log N."""

    def loss(log_n):
        return law.evaluate(params=math.exp(log_n), data=flops / 6 / math.exp(log_n), **given)

    low, high, golden = math.log(1e6), math.log(1e15), (math.sqrt(5) - 1) / 2
    for _ in range(90):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if loss(left) < loss(right) else (left, high)
    return math.exp((low + high) / 2)


@pytest.mark.parametrize("row", TABLE_A3, ids=lambda row: f"{row[0]:g}")
def test_hoffmann_2022_surfaces(row):
    """The unrounded constants come within 7 % of the printed sizes; the rounded fall up to 30 % short."""
    params, flops = row[0], row[5] * (10 if row[0] == 1.75e11 else 1)
    for id, printed in (("tex", row[7]), ("printed", row[8])):
        law = published_law(f"hoffmann2022-approach3-{id}")
        assert best_params(law, flops) / params == pytest.approx(printed, abs=0.002)


def test_hoffmann_2022_text():
    """Section 3.4: 175 billion parameters need 4.41e24 FLOP; 280 billion need 6.8 trillion tokens."""
    params = published_law("hoffmann2022-frontier-a2")
    assert params.invert(1.75e11) == pytest.approx(4.41e24, rel=0.05)
    assert published_law("hoffmann2022-frontier-a2-data").evaluate(
        flops=params.invert(2.8e11)
    ) == pytest.approx(6.8e12, rel=0.05)
    assert published_law("hoffmann2022-frontier-a1").evaluate(flops=1e21) == pytest.approx(2.86e9, rel=0.05)


# Muennighoff et al. 2023.


def test_muennighoff_2023_allocation():
    """1e22 FLOP on 25 billion unique tokens: 7.02 billion parameters, 9.49 passes, by the authors' code."""
    law = published_law("muennighoff2023")
    params = best_params(law, 1e22, unique=25e9)
    tokens = 1e22 / 6 / params
    assert params == pytest.approx(7_022_364_735.88, rel=1e-3)
    assert tokens == pytest.approx(237_336_955_477.55, rel=1e-3)
    assert tokens / 25e9 == pytest.approx(9.4935, rel=1e-3)
    # the minimum is flat: theirs lies .05 % beside it and is no better
    theirs = law.evaluate(params=7_022_364_735.88, data=237_336_955_477.55, unique=25e9)
    ours = law.evaluate(params=params, data=tokens, unique=25e9)
    assert theirs - 1e-6 < ours <= theirs


def test_repeating_data_is_worth_less_than_fresh_data():
    law = published_law("muennighoff2023")
    once = law.evaluate(params=1e9, data=1e11, unique=1e11)
    again = law.evaluate(params=1e9, data=1e11, unique=1e10)
    assert law.evaluate(params=1e9, data=1e10, unique=1e10) > again > once


# Asking.


def test_the_word_model_of_2019_answers_first_with_size_and_compute_in_base_units():
    first = published_laws("word-lm", "loss")[0]
    assert first.id == "hestness2019-wordlm-curve"
    data = first.invert(2.48)
    assert data == pytest.approx(7.97e10, rel=0.01)
    params = companion(first, "params").evaluate(data=data)
    assert params == pytest.approx(2.43e10, rel=0.01)  # the paper prints 23.8 billion for 77 billion words
    assert companion(first, "flops").evaluate(params=params, data=data) == pytest.approx(3.5e22, rel=0.03)
    assert companion(first, "nothing") is None


def test_units_that_bite_are_kept_apart():
    chars = published_laws("char-lm", "loss")
    assert {law.unit for law in chars} == {"bits/character", "nats/character"}
    assert [law.id for law in published_laws("char-lm", "loss", "nats/character")] == [
        "hestness2017-charlm-sgd",
        "hestness2017-charlm-adam",
    ]
    # in one unit the curve of 2017 and that of 2019 agree within a tenth where both speak
    bits = chars[0].evaluate(data=1.4e8)
    assert chars[0].unit == "bits/character"
    assert published_law("hestness2017-charlm-sgd").evaluate(data=1.4e8) / math.log(
        2
    ) / bits == pytest.approx(0.8, abs=0.1)
    speech = published_laws("speech", "cer")
    assert {law.id: law.inputs[0].unit for law in speech} == {
        "hestness2019-speech-curve": "characters",
        "hestness2017-speech-ds2": "hours",
        "hestness2017-speech-attention": "hours",
    }


@pytest.mark.parametrize(
    ("domain", "metric"),
    [
        ("speech", "cer"),
        ("word-lm", "loss"),
        ("char-lm", "loss"),
        ("image", "error"),
        ("translation", "token-error"),
        ("translation", "loss"),
        ("language", "loss"),
    ],
)
def test_every_domain_has_a_law_that_gives_data(domain, metric):
    assert published_laws(domain, metric)[0].formula is not None
    assert "data" in {i.name for i in published_laws(domain, metric)[0].inputs}


def test_an_exponent_answers_how_much_more():
    top1 = published_law("hestness2017-image-top1")
    assert top1.factor(0.5) == pytest.approx(2 ** (1 / 0.309))
    with pytest.raises(PlannerError, match="only exponents"):
        top1.evaluate(data=1e6)
    with pytest.raises(PlannerError, match="only exponents"):
        top1.invert(0.1)


@pytest.mark.parametrize(
    ("ask", "kind", "code"),
    [
        (lambda: published_law("nope"), UnknownName, "unknown-name"),
        (lambda: published_law("besiroglu2024").evaluate(data=1e9), InputError, "wrong-inputs"),
        (lambda: published_law("besiroglu2024").evaluate(data=1e9, params=-1.0), InputError, "not-positive"),
        (lambda: published_law("besiroglu2024").invert(2.0), InputError, "wrong-inputs"),
        (lambda: published_law("besiroglu2024").invert(1.5, params=1e9), LawError, "value-out-of-reach"),
        (lambda: published_law("besiroglu2024").factor(0.5), LawError, "no-exponent"),
        (lambda: published_law("hestness2017-image-top1").evaluate(data=1e9), LawError, "exponents-only"),
        (lambda: published_law("kaplan2020-LN").evaluate(data=1e9), InputError, "wrong-inputs"),
    ],
)
def test_a_question_that_a_law_cannot_answer_is_refused_in_one_line(ask, kind, code):
    with pytest.raises(kind) as refused:
        ask()
    assert refused.value.code == code
    assert "\n" not in str(refused.value)


@settings(deadline=None)
@given(st.sampled_from(CALLABLE), st.floats(allow_nan=True, allow_infinity=True))
def test_any_target_is_answered_or_refused(law, target):
    given_ = typical(law)
    name = law.inputs[-1].name
    del given_[name]
    try:
        value = law.invert(target, **given_)
    except LawError as refused:
        assert refused.code == ("several-solutions" if name == "active" else "value-out-of-reach")
        return
    assert 0 < value < math.inf
    assert law.evaluate(**given_, **{name: value}) == pytest.approx(target, rel=1e-3)


def test_asking_a_published_law_imports_nothing_heavy():
    code = (
        "import sys; from laws.catalog.published import published_laws; published_laws('word-lm', "
        "'loss')[0].invert(2.48);"
        "print({'numpy', 'pydantic', 'duckdb', 'scipy', 'typer'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "set()"


def test_no_text_of_the_data_is_ever_run():
    content = json.loads(
        resources.files("laws.catalog").joinpath("published.json").read_text(encoding="utf-8")
    )
    assert {law.get("formula") for law in content["laws"]} - {None} <= set(FORMULAS)
    assert "expr" not in {key for law in content["laws"] for key in law}


# What is settled about a law.


def test_every_law_has_a_source_a_date_and_a_confidence():
    for law in all_laws():
        assert law.citation, law.id
        assert law.locator, law.id
        assert 2017 <= law.year <= 2026, law.id
        assert law.confidence in ("exact", "derived", "secondary", "uncertain"), law.id


@pytest.mark.parametrize(
    ("id", "compute", "error"), [("zhai2022-finetune", 1e4, 0.10), ("zhai2022-linear10shot", 1e4, 0.153)]
)
def test_vision_transformers_of_2022_count_compute_in_core_days(id, compute, error):
    law = published_law(id)
    assert law.inputs[0].unit == "TPUv3 core-days"
    assert law.evaluate(compute=compute) == pytest.approx(error, rel=0.01)


def test_a_source_whose_measurements_are_off_its_law_says_by_how_much():
    excess = {law.id: law.excess_at_end for law in all_laws() if law.measured_at_end}
    assert excess == {
        "hestness2017-nmt-bestfit": pytest.approx(0.11, abs=0.01),
        "hestness2017-charlm-sgd": pytest.approx(0.06, abs=0.01),
        "hestness2017-speech-ds2": pytest.approx(0.22, abs=0.01),
    }


def test_the_vocabulary_and_diffusion_laws_reproduce_their_papers():
    size, data = (published_law(f"liang2024-dit-{name}") for name in ("size", "data"))
    assert 6 * size.evaluate(flops=1e18) * data.evaluate(flops=1e18) == pytest.approx(1e18, rel=0.02)
    # 70 billion other parameters deserve at least 216 thousand tokens of width 8192
    flops = published_law("tao2024-size").invert(7e10)
    assert published_law("tao2024-vocabulary").evaluate(flops=flops) / 8192 == pytest.approx(2.16e5, rel=0.03)


@pytest.mark.parametrize("law", CALLABLE, ids=lambda law: law.id)
def test_an_absolute_law_has_a_check_point_or_says_why_it_has_none(law):
    assert bool(law.checks) != bool(law.unchecked)


def test_most_absolute_laws_have_a_check_point():
    assert sum(bool(law.checks) for law in CALLABLE) / len(CALLABLE) > 0.75


def test_best_sizes_of_all_domains_of_henighan_2020_are_alike():
    """Figure 2 of the paper: the fits of the best size are nearly one line."""
    sizes = [
        law.evaluate(flops=PF_DAY)
        for law in CALLABLE
        if law.id.startswith("henighan2020") and law.id.endswith("nopt") and "language" not in law.id
    ]
    assert len(sizes) > 8
    assert max(sizes) / min(sizes) < 3


def test_the_frontiers_of_one_paper_multiply_to_the_compute():
    pairs = {"kaplan2020-nopt": "kaplan2020-dopt", "moonlight2025-size": "moonlight2025-data"}
    for size, data in pairs.items():
        for flops in (1e19, 1e21):
            product = (
                6 * published_law(size).evaluate(flops=flops) * published_law(data).evaluate(flops=flops)
            )
            # Kaplan et al. 2020 process twice the tokens of C_min, at the critical batch size
            twice = 2 if size.startswith("kaplan") else 1
            assert product / flops == pytest.approx(twice, rel=0.1)


def test_the_best_share_of_active_parameters_is_a_minimum_which_is_not_solved_for():
    law = published_law("abnar2025-moe")
    dense, sparse, sparsest = (law.evaluate(params=1e11, data=1e11, active=x) for x in (1.0, 0.25, 1e-4))
    assert sparse < dense < sparsest
    # section D.2: up to about 5e8 parameters a dense model is best
    assert law.evaluate(params=3e8, data=1e10, active=1.0) < law.evaluate(params=3e8, data=1e10, active=0.5)
    with pytest.raises(LawError) as refused:
        law.invert(3.0, params=1e9, data=1e10)
    assert refused.value.code == "several-solutions"
