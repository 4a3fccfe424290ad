"""Plans: what a target requires, or what data, compute or money achieve."""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from planner.api.law import Law
from planner.api.samples import Samples
from planner.api.text import as_html, as_text
from planner.plans.plan import Plan as Answer


class Plan:
    """The answer to one question: every quantity as joint posterior samples."""

    def __init__(self, answer: Answer) -> None:
        """Hold the answer that the command line prints."""
        self._answer = answer

    def __getitem__(self, key: str) -> Samples:
        """Return one quantity by the key that JSON has for it, such as `data` or `total_dollars`.

        Args:
            key: One of `keys()`.

        Returns:
            Its samples; none where the plan does not have it.

        Raises:
            UnknownName: There is no such quantity.
        """
        from laws.errors import UnknownName
        from planner.plans.quantities import keys, kind_of

        if key not in keys():
            raise UnknownName("quantity", key, keys(), code="unknown-quantity")
        kind = kind_of(key)
        quantity = kind.of(self._answer) or kind.empty()
        return Samples(tuple(quantity.draws), quantity.unit, label=kind.label)

    def keys(self) -> tuple[str, ...]:
        """Return the keys of all quantities, in the order in which they are printed."""
        from planner.plans.quantities import keys

        return keys()

    error = property(lambda self: self["error"], doc="The error that is reached, of a metric that falls.")
    score = property(lambda self: self["score"], doc="The value that is reached, of a metric that rises.")
    data = property(lambda self: self["data"], doc="Training data, in the law's unit.")
    params = property(lambda self: self["params"], doc="Parameters of the model.")
    flops = property(lambda self: self["flops"], doc="FLOP of the training.")
    gpu_hours = property(lambda self: self["gpu_hours"], doc="GPU-hours, all devices together.")
    days = property(lambda self: self["days"], doc="Days of training.")

    @property
    def dollars(self) -> Samples:
        """Return the cost of compute and data in US dollars, of data alone where compute is not known."""
        total = self["total_dollars"]
        return total if len(total) else self["data_dollars"]

    @property
    def probability(self) -> float | None:
        """Return how probable it is that the target can be reached; None without a target."""
        return self._answer.estimate.probability_reachable

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the codes of what to be careful about; the reference explains each."""
        return tuple(map(str, self._answer.warnings))

    def to_dict(self) -> dict[str, Any]:
        """Return what `planner estimate --format json` prints."""
        from planner.reports.estimate_record import record

        return record(self._answer)

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, one row per quantity that is known: `q05`, `median`, `q95`, `unit`."""
        import pandas as pd

        known = {key: self[key] for key in self.keys() if len(self[key])}
        rows = [(*values.interval(), values.median, values.unit) for values in known.values()]
        frame = pd.DataFrame(rows, columns=["q05", "q95", "median", "unit"], index=list(known))
        return frame[["q05", "median", "q95", "unit"]]

    def explain(self) -> str:
        """Return everything that the answer rests on: its law, assumptions and warnings.

        Returns:
            Markdown.
        """
        from planner.reports.estimate import report
        from planner.reports.report import markdown

        return markdown(report(self._answer))

    def _table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]], Sequence[str]]:
        from planner.reports.answer import answer
        from planner.severity import short

        brief = answer(self._answer)
        warnings = tuple(f"{short(code)} [{code}]" for code in brief.warnings)
        return " ".join(brief.lead), brief.columns, brief.rows, (*brief.remarks, *warnings)

    def __repr__(self) -> str:
        """Return the short answer of `planner estimate`; `explain` has the rest."""
        return as_text(*self._table())

    def _repr_html_(self) -> str:
        return as_html(*self._table())


def estimate(
    law: Law,
    *,
    target: float | str | None = None,
    data: float | str | None = None,
    params: float | str | None = None,
    flops: float | str | None = None,
    gpu_hours: float | str | None = None,
    budget: float | str | None = None,
    deadline: str | None = None,
    start: str | None = None,
    on: str | None = None,
    count: int | None = None,
    precision: str | None = None,
    assume: Mapping[str, float | tuple[float, float]] | None = None,
    have_data: float | str | None = None,
    data_price: float | str | None = None,
    data_rate: str | None = None,
    miss_penalty: float | str | None = None,
    serve: float | str | None = None,
    confidence: float | str | None = None,
    allocate: str = "compute-optimal",
    fleet: str | Path | None = None,
    today: date | None = None,
) -> Plan:
    """Answer one question, as `planner estimate` does.

    Numbers are in base units (fractions, dollars, the law's unit of data); text is read as the command line
    reads it, such as "5%", "$50k" or "1200h".

    Args:
        law: A law of `fit` or `load`.
        target: The value of the metric to reach.
        data: Data to train on.
        params: Parameters of the model.
        flops: Training FLOP.
        gpu_hours: GPU-hours: a constraint with a target, else the question.
        budget: Dollars: a constraint with a target, else the question.
        deadline: A duration such as "30d", or a day: a constraint with a target, else the question.
        start: Day on which labeling or training starts, such as "2027-01-15"; None is today.
        on: Accelerator to train on, such as "h100".
        count: Number of accelerators.
        precision: Number format of the training, such as "bf16".
        assume: Assumption -> its value, or (low, high).
        have_data: Data in hand.
        data_price: Dollars per unit of data, or tiers such as "$50/hour up to 1000h, then $90/hour".
        data_rate: Pace at which data that you do not have arrives, such as "200h/week".
        miss_penalty: Dollars that missing the target costs.
        serve: Tokens of inference to plan for.
        confidence: Find the smallest plan that reaches the target with this probability.
        allocate: `compute-optimal` or `smallest-model`.
        fleet: File of your own accelerators and prices.
        today: The day that prices and deadlines count from.

    Returns:
        The plan.

    Raises:
        PlannerError: The question is incomplete or contradicts itself, or the law cannot answer it.

    Example:
        >>> import planner
        >>> table = {"hours": [100, 200, 400, 800], "wer": [0.3, 0.24, 0.2, 0.165]}
        >>> plan = planner.estimate(planner.fit(table, x="hours", y="wer", form="power"), target=0.15)
        >>> plan.data.unit, plan.data.median > 800
        ('hours', True)
    """
    from planner.hardware.fleet import read_fleet
    from planner.lawmodel.selector import LawSelector
    from planner.plans.plan import plan
    from planner.plans.question import Question

    question = Question.of(
        selector=LawSelector(law=law.id),
        target=_text(target),
        data=_text(data),
        params=_text(params),
        flops=_text(flops),
        gpu_hours=_text(gpu_hours),
        budget=_money(budget),
        deadline=deadline,
        start=start,
        on=on,
        count=count,
        precision=precision,
        assume=tuple(f"{name}={_range(value)}" for name, value in (assume or {}).items()),
        have_data=_text(have_data),
        data_price=data_price
        if data_price is None or isinstance(data_price, str)
        else f"${data_price!r}/{law.data_unit.removesuffix('s')}",
        data_rate=data_rate,
        miss_penalty=_money(miss_penalty),
        serve=_text(serve),
        confidence=_text(confidence),
        allocate=allocate,
    )
    answer = plan(
        question, law.folder, read_fleet(None if fleet is None else Path(fleet)), today=today or date.today()
    )
    return Plan(answer)


def _text(value: float | str | None) -> str | None:
    return value if value is None or isinstance(value, str) else repr(value)


def _money(value: float | str | None) -> str | None:
    return value if value is None or isinstance(value, str) else f"${value!r}"


def _range(value: float | tuple[float, float]) -> str:
    return f"{value[0]!r}..{value[1]!r}" if isinstance(value, tuple) else repr(value)
