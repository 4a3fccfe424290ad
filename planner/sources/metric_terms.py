"""Bring the metric of a table into the terms that laws are fitted in: an error that falls with data.

What is known of a metric comes from the options, else from its name, else from the values: an unknown metric
that falls is an error, and one that rises is a question.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from laws.errors import InputError, MissingInput, TableError, use
from planner import units
from planner.metrics import FRACTION, MAX_RATE, PERCENT_UNITS, KnownMetric, MetricScale, known_metric, rises
from planner.sources.measurements import Measurements

HUNDRED = 100.0


@dataclass(frozen=True, kw_only=True)
class MetricOptions:
    """What you say about the metric of a table.

    Attributes:
        metric: Its name.
        unit: Its unit as typed, None for the usual one.
        higher_is_better: Whether it rises with data; None to go by its name.
        range: Its least and largest value as `LOW:HIGH`, either of them empty.
        chance: The value that guessing reaches, in the metric's own terms.
        test_size: Number of test examples, which gives the binomial noise of a rate.
    """

    metric: str
    unit: str | None = None
    higher_is_better: bool | None = None
    range: str | None = None
    chance: str | None = None
    test_size: float | None = None


@dataclass(frozen=True, kw_only=True)
class MetricTerms:
    """Measurements as errors, with what turns them back.

    Attributes:
        scale: The terms that the metric is written and read in.
        measured: The measurements, with errors in place of the metric.
        baseline_error: The error of guessing, None where it is not known.
        note: What was decided on the scale, in a sentence; empty where nothing was.
    """

    scale: MetricScale
    measured: Measurements
    baseline_error: float | None = None
    note: str = ""


def lowest_value(options: MetricOptions) -> float:
    """Return the least value that a cell of the metric may have: 0, or less where the metric allows it."""
    if options.range is not None:
        return _parsed_range(options, None)[0]
    known = known_metric(options.metric)
    if options.higher_is_better and known is None:
        return -math.inf
    return known.low if known is not None and known.higher_is_better else 0.0


def as_errors(options: MetricOptions, measured: Measurements) -> MetricTerms:
    """Return measurements as errors.

    Args:
        options: What you say about the metric.
        measured: The measurements of a table, with the metric in its own terms.

    Returns:
        The measurements with errors, and the scale.

    Raises:
        InputError: A value is outside the range of the metric, or the direction of the metric is unknown.
        MissingInput: The best value of a metric that rises is unknown.
        TableError: A rate has values above 1 only, which may be percent or a fraction.
    """
    higher = rises_by_name(options)
    if higher is None and rises(measured.data, measured.metric):
        raise InputError(
            f"{options.metric} rises with {measured.columns['data']}, and its name does not say whether that "
            "is better",
            code="unknown-direction",
            value=options.metric,
            hint=(use("higher_is_better"), use("lower_is_better")),
        )
    terms = _rising(options, measured) if higher else _falling(options, measured)
    return with_test_noise(terms, options)


def as_errors_of(scale: MetricScale, measured: Measurements) -> Measurements:
    """Return measurements as errors of a law's metric.

    Args:
        scale: The terms of the law's metric.
        measured: The measurements of a table, with the metric in its own terms.

    Returns:
        The measurements with errors; rates that cannot exceed 1 but do are read as percent.

    Raises:
        InputError: A value is better than the best value of the metric.
        TableError: A rate that falls is more than any rate of errors.
    """
    largest = max(measured.metric)
    if scale.unit == FRACTION and scale.higher_is_better and 1 < largest <= HUNDRED:
        measured = _scaled(measured, 1 / HUNDRED)
    elif scale.unit == FRACTION:
        _refuse_percentages(measured)
    return _errors(measured, scale, -math.inf if scale.higher_is_better else 0.0)


def _refuse_percentages(measured: Measurements) -> None:
    """Refuse a rate of errors that only a percentage could be."""
    for i, value in enumerate(measured.metric):
        if value > MAX_RATE:
            raise TableError(
                f"{measured.cell_name(i, 'metric')}: expected a fraction, such as 0.35 or 35% for 35 "
                f"percent, got {value:g}",
                code="unreadable-cell",
                value=value,
            )


def _errors(measured: Measurements, scale: MetricScale, low: float) -> Measurements:
    """Return measurements with errors in place of the metric, if all are in its range."""
    _refuse_outside(measured, low, math.inf if scale.ceiling is None else scale.ceiling)
    train = measured.train
    return replace(
        measured,
        metric=tuple(map(scale.to_error, measured.metric)),
        train=None if train is None else tuple(map(scale.to_error, train)),
    )


def with_test_noise(terms: MetricTerms, options: MetricOptions) -> MetricTerms:
    """Return terms whose measurements have the binomial noise of their test sets.

    The standard error of a share p of n examples is sqrt(p(1 - p)/n); p is taken one success and one failure
    away from what was counted (Agresti and Coull 1998, doi:10.1080/00031305.1998.10480550), so that it is not
    0 where no example failed. A column of standard errors adds to it.

    Args:
        terms: Measurements as errors.
        options: What you say about the metric.

    Returns:
        The terms; unchanged without a test size.

    Raises:
        InputError: The metric is not a share of test examples.
    """
    measured = terms.measured
    sizes = measured.test_size
    if options.test_size is not None:
        sizes = (options.test_size,) * len(measured)
    if sizes is None:
        return terms
    whole = terms.scale.ceiling if terms.scale.ceiling is not None else 1.0
    if terms.scale.unit != FRACTION or whole > 1:
        raise InputError(
            f"test size: expected a rate, such as accuracy or wer, got {options.metric}, which is not a "
            "share of test examples",
            code="test-size-of-no-rate",
            value=options.metric,
            hint=use("se_column", purpose="to give its standard errors"),
        )
    if min(sizes) < 1:
        raise InputError(
            f"test size {min(sizes):g}: expected at least 1 example", code="not-positive", value=min(sizes)
        )
    se = measured.se or (0.0,) * len(measured)
    noise = (_binomial_se(min(error, 1.0), n) for error, n in zip(measured.metric, sizes, strict=True))
    together = tuple(math.hypot(known, binomial) for known, binomial in zip(se, noise, strict=True))
    return replace(terms, measured=replace(measured, se=together))


def _binomial_se(share: float, n: float) -> float:
    nearer = (share * n + 1) / (n + 2)
    return math.sqrt(nearer * (1 - nearer) / n)


def _falling(options: MetricOptions, measured: Measurements) -> MetricTerms:
    unit = _unit(options)
    if options.range is not None:
        low, high = _parsed_range(options, None)
        if low != 0:
            raise InputError(
                f"metric range {options.range}: expected 0 as the least value of a metric that falls",
                code="invalid-metric-range",
                value=options.range,
            )
        _refuse_outside(measured, low, high)
    if unit == FRACTION and options.unit is None and min(measured.metric) > 1:
        cell = measured.cell_name(0, "metric")
        raise TableError(
            f"{cell}: every {options.metric} is above 1, such as {measured.metric[0]:g}: is it percent, or a "
            "fraction above 100%?",
            code="percent-or-fraction",
            value=measured.metric[0],
            expected="percent or fraction",
            hint=(
                use("metric_unit", value="%", purpose="for percent"),
                use("metric_unit", value=FRACTION, purpose="for fractions"),
            ),
        )
    if unit == FRACTION:
        _refuse_percentages(measured)
    scale = MetricScale(options.metric, unit)
    chance = error_of_chance(options, scale, 0.0, min(measured.metric))
    return MetricTerms(scale=scale, measured=measured, baseline_error=chance)


def _rising(options: MetricOptions, measured: Measurements) -> MetricTerms:
    scale, low, factor = scale_of_rising(options, measured.metric)
    note = ""
    if factor != 1:
        note = f"Read {options.metric} as percent: its values go up to {max(measured.metric):g}"
        measured = _scaled(measured, factor)
    errors = _errors(measured, scale, low)
    chance = error_of_chance(options, scale, low, min(errors.metric))
    return MetricTerms(scale=scale, measured=errors, baseline_error=chance, note=note)


def rises_by_name(options: MetricOptions) -> bool | None:
    """Return whether a metric rises by the options, else by its name; None where neither says so."""
    known = known_metric(options.metric)
    if options.higher_is_better is not None or known is None:
        return options.higher_is_better
    return known.higher_is_better


def scale_of_rising(options: MetricOptions, values: Sequence[float]) -> tuple[MetricScale, float, float]:
    """Return the terms of a metric that rises.

    Args:
        options: What you say about the metric.
        values: Its measured values.

    Returns:
        The terms, the least value of the metric, and the factor that turns measured values into them: 0.01
        where they are percent.

    Raises:
        MissingInput: The best value of the metric is unknown.
    """
    known = _known_rising(options)
    low, high = _parsed_range(options, known)
    if math.isinf(high):
        raise MissingInput(
            f"{options.metric} rises with data, and its best value is not known: expected its range",
            code="unknown-ceiling",
            value=options.metric,
            hint=use("metric_range", value="0:1", purpose="to give its least and its best value"),
        )
    unit, factor = _unit(options), 1.0
    largest = max(values)
    if options.range is None and unit == FRACTION and 1 < largest <= HUNDRED:
        factor = 1 / HUNDRED
    elif options.range is None and high == 1 and 1 < largest <= HUNDRED:
        low, high = HUNDRED * low, HUNDRED
    elif options.range is None and high == HUNDRED and largest <= 1:
        high = 1.0
    return MetricScale(options.metric, unit, high), low, factor


def _known_rising(options: MetricOptions) -> KnownMetric | None:
    known = known_metric(options.metric)
    return known if known is not None and known.higher_is_better else None


def error_of_chance(options: MetricOptions, scale: MetricScale, low: float, lowest: float) -> float | None:
    """Return the error of guessing, by default that of the metric's usual chance level or its least value.

    Args:
        options: What you say about the metric.
        scale: Its terms.
        low: Its least value.
        lowest: The lowest measured error.

    Returns:
        The error; None where it is not known.

    Raises:
        InputError: The chance level that you give is better than every measurement.
    """
    if options.chance is not None:
        chance = scale.to_error(scale.parse(options.chance))
        if chance <= lowest:
            raise InputError(
                f"chance level {options.chance}: expected a worse value than the best measured one, "
                f"{scale.format_error(lowest)}",
                code="invalid-chance-level",
                value=options.chance,
            )
        return chance
    if not scale.higher_is_better:
        return None
    known = _known_rising(options)
    usual = known.chance if known is not None and options.range is None else None
    if usual is not None and known is not None:
        usual *= (scale.ceiling or 1.0) / known.high
    for value in (usual, low):
        if value is not None and math.isfinite(value) and scale.to_error(value) > lowest:
            return scale.to_error(value)
    return None


def _unit(options: MetricOptions) -> str:
    if options.unit in PERCENT_UNITS:
        return FRACTION
    if options.unit is not None:
        return options.unit
    known = known_metric(options.metric)
    return "" if known is None else known.unit


def _parsed_range(options: MetricOptions, known: KnownMetric | None) -> tuple[float, float]:
    """Return the least and the best value of the metric, infinite where there is no bound."""
    if options.range is None:
        return (-math.inf, math.inf) if known is None else (known.low, known.high)
    low, colon, high = options.range.partition(":")
    try:
        ends = (
            units.parse_value(low) if low.strip() else -math.inf,
            units.parse_value(high) if high.strip() else math.inf,
        )
    except InputError:
        ends = (0.0, 0.0)
    if not colon or not ends[0] < ends[1]:
        raise InputError(
            f"metric range {options.range!r}: expected LOW:HIGH, such as 0:1 or 0:100",
            code="invalid-metric-range",
            value=options.range,
        )
    return ends


def _refuse_outside(measured: Measurements, low: float, high: float) -> None:
    for i, value in enumerate(measured.metric):
        if not low <= value <= high:
            raise InputError(
                f"{measured.cell_name(i, 'metric')}: expected {low:g} to {high:g}, the range of the metric, "
                f"got {value:g}",
                code="outside-metric-range",
                value=value,
                hint=use("metric_range", value="LOW:HIGH", purpose="to give another range"),
            )


def _scaled(measured: Measurements, factor: float) -> Measurements:
    def scaled(column: tuple[float, ...] | None) -> tuple[float, ...] | None:
        return None if column is None else tuple(float(f"{factor * value:.15g}") for value in column)

    return replace(
        measured,
        metric=scaled(measured.metric) or (),
        se=scaled(measured.se),
        train=scaled(measured.train),
    )
