"""Numbers as people write them: read, printed, and read back."""

import math
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.errors import InputError
from planner import units
from planner.plans.data_price import parse_data_price

TODAY = date(2026, 11, 23)
positive = st.floats(min_value=1e-9, max_value=1e24)
sizes = st.floats(min_value=-1e24, max_value=1e24).filter(lambda x: x == 0 or abs(x) > 1e-12)


def refused(
    read: Callable[..., object], *arguments: object, code: str = "unreadable-quantity", **options: str
) -> InputError:
    """Return the refusal of a text, which has a code."""
    with pytest.raises(InputError) as refusal:
        read(*arguments, **options)
    assert refusal.value.code == code
    return refusal.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("300M", 3e8),
        ("1e21", 1e21),
        ("10k", 1e4),
        ("10K", 1e4),
        ("7B", 7e9),
        ("7 billion", 7e9),
        ("1.1M", 1_100_000.0),
        (".5", 0.5),
        (" 2. ", 2.0),
        ("-3", -3.0),
        ("1E", 1e18),
        ("7b", 7e9),
        ("2t", 2e12),
        ("7 Million", 7e6),
        ("1'340", 1340.0),
        ("1\u2019340", 1340.0),
        ("1 340", 1340.0),
        ("1\u202f340,5", 1340.5),
        ("1,340.5", 1340.5),
        ("1.340,5", 1340.5),
        ("1,000,000", 1e6),
        ("0,05", 0.05),
        ("12,5 k", 12_500.0),
    ],
)
def test_numbers_are_read(text, value) -> None:
    assert units.parse_number(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "M",
        "1,000",
        "1,340",
        "1,00,000",
        "5000 000",
        "1 2",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "300m",
        "1_000",
        "٣",
        "5%",
        "2x",
        "1e5e5",
    ],
)
def test_an_unreadable_number_is_refused_with_its_text(text: str) -> None:
    refusal = refused(units.parse_number, text)
    assert repr(text) in refusal.message
    assert "\n" not in refusal.message


@pytest.mark.parametrize(("text", "value"), [("5%", 0.05), ("5 %", 0.05), ("0.05", 0.05), ("12.3%", 0.123)])
def test_percentages_are_read(text, value) -> None:
    assert units.parse_fraction(text) == value


def test_a_percentage_is_no_loss() -> None:
    assert units.parse_metric("2.48", "nats/word", metric="loss") == 2.48
    assert units.parse_metric("5%", "fraction", metric="wer") == 0.05
    refused(units.parse_metric, "5%", "nats/word", metric="loss")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("10000h", "hours", 1e4),
        ("10k hours", "hours", 1e4),
        ("1.5 hours of audio", "hours", 1.5),
        ("10k", "hours", 1e4),
        ("1 hour", "hours", 1.0),
        ("10M words", "words", 1e7),
        ("3 billion words", "words", 3e9),
        ("1e9 sub-word tokens", "sub-word tokens", 1e9),
        ("10 minutes", "hours", 1 / 6),
        ("130hrs", "hours", 130.0),
        ("1h30m", "hours", 1.5),
        ("90 sec", "hours", 0.025),
        ("2 hours", "minutes", 120.0),
    ],
)
def test_data_is_read_in_the_unit_of_its_law(text, unit, value) -> None:
    assert units.parse_data(text, unit) == pytest.approx(value)


@pytest.mark.parametrize("text", ["5000 GPU-hours", "5000 gpu hours", "5k GPUh", "5 device-hours"])
def test_hours_of_a_device_are_never_data(text) -> None:
    refused(units.parse_data, text, "hours")


@pytest.mark.parametrize("text", ["5000h", "5000 hours", "5 hours of audio", "30d"])
def test_hours_of_audio_are_never_compute(text) -> None:
    refused(units.parse_gpu_hours, text)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("10h", "words"), ("10 words", "hours"), ("10kh", "hours"), ("h", "hours"), ("10m", "hours")],
)
def test_data_in_another_unit_is_refused(text, unit) -> None:
    assert unit in refused(units.parse_data, text, unit).expected


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 2_592_000),
        ("36h", 129_600),
        ("5m", 300),
        ("90 s", 90),
        ("1h30m", 5400),
        ("2 weeks", 1_209_600),
    ],
)
def test_durations_are_read_as_seconds(text, seconds) -> None:
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["30", "", "d", "30x", "5 GPU-hours", "1e999d", "5m later", "nan d"])
def test_durations_without_a_unit_are_refused(text) -> None:
    refused(units.parse_duration, text)


@pytest.mark.parametrize(
    ("text", "dollars"),
    [
        ("$50k", 5e4),
        ("$1.2M", 1.2e6),
        ("50000 USD", 5e4),
        ("$ 7", 7.0),
        ("$50,000", 5e4),
        ("$1,234.5", 1234.5),
        ("50k", 5e4),
        ("50 000", 5e4),
    ],
)
def test_money_is_read_as_dollars(text, dollars) -> None:
    assert units.parse_money(text) == dollars


@pytest.mark.parametrize("text", ["€50k", "50k EUR", "$", "USD", "50,000", "$5 USD", "$50,00,0"])
def test_money_without_dollars_is_refused(text) -> None:
    refused(units.parse_money, text)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (9.94e18, "B", "9.94 EB"),
        (2.37e19, "B", "23.7 EB"),
        (1.5e15, "B", "1.5 PB"),
        (80e9, "B", "80 GB"),
        (2250e12, "FLOP/s", "2250 TFLOP/s"),
        (700.0, "W", "700 W"),
    ],
)
def test_one_range_has_one_prefix(value: float, unit: str, text: str) -> None:
    assert units.format_si(value, unit) == text


@pytest.mark.parametrize(
    ("target", "unit"), [(0.0, "fraction"), (-1.0, "nats"), (1.0, "fraction"), (5.0, "fraction")]
)
def test_a_target_that_no_law_can_reach_is_refused(target: float, unit: str) -> None:
    refused(units.checked_target, target, "wer", unit, code="impossible-target")


def test_one_hour_is_singular() -> None:
    assert units.format_data(1, "hours") == "1 hour of audio"
    assert units.format_data(1.5, "hours") == "1.5 hours of audio"
    assert units.parse_data("1 hour of audio", "hours") == 1


PRINTED_AND_READ = [
    (units.format_number, units.parse_number),
    (units.format_flops, units.parse_number),
    (units.format_fraction, units.parse_fraction),
    (lambda x: units.format_metric(x, "fraction"), lambda t: units.parse_metric(t, "fraction", metric="wer")),
    (lambda x: units.format_data(x, "hours"), lambda t: units.parse_data(t, "hours")),
    (lambda x: units.format_data(x, "words"), lambda t: units.parse_data(t, "words")),
    (units.format_duration, units.parse_duration),
    (units.format_money, units.parse_money),
    (units.format_gpu_hours, units.parse_gpu_hours),
]


@pytest.mark.parametrize(("show", "read"), PRINTED_AND_READ)
@settings(deadline=None)
@given(value=positive)
def test_what_is_printed_is_read_back_to_the_printed_digits(show, read, value) -> None:
    text = show(value)
    again = read(text)
    assert math.isclose(again, value, rel_tol=5.01e-3)
    assert show(again) == text


@settings(deadline=None)
@given(value=sizes)
def test_signs_and_zero_survive(value) -> None:
    assert math.isclose(units.parse_number(units.format_number(value)), value, rel_tol=5.01e-3)


@settings(deadline=None)
@given(value=positive, digits=st.integers(min_value=1, max_value=12))
def test_more_digits_print_more(value, digits) -> None:
    again = units.parse_number(units.format_number(value, digits=digits))
    assert math.isclose(again, value, rel_tol=5.01 * 10.0**-digits)


READERS = [
    units.parse_number,
    units.parse_fraction,
    lambda t: units.parse_metric(t, "nats/word", metric="loss"),
    lambda t: units.parse_data(t, "hours"),
    units.parse_duration,
    units.parse_money,
    units.parse_gpu_hours,
    lambda t: units.parse_data_price(t, "hours"),
    lambda t: units.parse_deadline(t, TODAY),
    units.parse_probability,
]


@pytest.mark.parametrize("read", READERS)
@settings(deadline=None)
@given(
    text=st.one_of(st.text(max_size=20), st.from_regex(r"[0-9.,eE+-]{1,8}[%a-zA-Z $-]{0,8}", fullmatch=True))
)
def test_any_text_is_a_finite_number_or_one_line(read, text) -> None:
    try:
        value = read(text)
    except InputError as refusal:
        assert refusal.code in {"unreadable-quantity", "past-deadline"}
        assert len(refusal.message.splitlines()) == 1
    else:
        assert math.isfinite(value)


@settings(deadline=None)
@given(price=positive, amount=st.floats(min_value=1e-3, max_value=1e9))
def test_a_price_of_data_is_dollars_for_one_unit(price, amount) -> None:
    assert units.parse_data_price(f"${price!r}/label", "examples") == pytest.approx(price)
    assert units.parse_data_price(f"${price!r}/hour", "hours") == pytest.approx(price)
    each = units.parse_data_price(f"${price!r}/{amount!r} hours", "hours")
    assert each == pytest.approx(price / amount)


@pytest.mark.parametrize(
    "text", ["12/hour", "$12", "$12/", "$12/day", "$12/0 hours", "$-1/hour", "$12/GPU-hour"]
)
def test_a_price_of_something_else_is_refused(text) -> None:
    refused(units.parse_data_price, text, "hours")


@settings(deadline=None)
@given(days=st.integers(min_value=-1000, max_value=100_000))
def test_a_day_is_so_many_days_away_and_the_past_is_refused(days) -> None:
    day = (TODAY + timedelta(days=days)).isoformat()
    if days > 0:
        assert units.parse_deadline(day, TODAY) == days == units.parse_deadline(f"{days}d", TODAY)
    else:
        refused(units.parse_deadline, day, TODAY, code="past-deadline")


@pytest.mark.parametrize(("text", "days"), [("1 month", 30), ("3 months", 92), ("15 months", 457)])
def test_a_month_ends_on_the_same_day(text: str, days: float) -> None:
    assert units.parse_deadline(text, TODAY) == days


def test_a_month_that_is_shorter_ends_on_its_last_day() -> None:
    assert units.parse_deadline("1 month", date(2027, 1, 31)) == 28
    refused(units.parse_deadline, "0 months", TODAY, code="past-deadline")


@settings(deadline=None)
@given(st.floats(min_value=-2, max_value=2))
def test_a_probability_lies_between_its_ends(value) -> None:
    if 0 < value < 1:
        assert units.parse_probability(repr(value)) == value
    else:
        refused(units.parse_probability, repr(value))


def test_a_perplexity_is_printed_without_a_unit() -> None:
    assert units.format_metric(120.0, "choices") == "120"
    assert units.format_metric(1.5, "nats") == "1.5 nats"


@pytest.mark.parametrize("text", ["3m", " 3 m", "1.5m"])
def test_a_deadline_of_minutes_is_asked_about(text):
    with pytest.raises(InputError) as refused:
        units.parse_deadline(text, date(2026, 12, 1))
    assert refused.value.code == "unreadable-quantity"
    assert units.parse_deadline("3 months", date(2026, 12, 1)) == 90


def test_the_price_that_is_suggested_is_read():
    with pytest.raises(InputError) as refused:
        parse_data_price("75", "hours")
    suggested = refused.value.message.split("such as '")[1].split("'")[0]
    assert parse_data_price(suggested, "hours").cost(2) == 150
