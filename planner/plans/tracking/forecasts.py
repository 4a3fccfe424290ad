"""An estimate that is kept: what was said on a day, so that it can be held against what happened."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from calibrate.versions import code_version
from laws.storage.records import content_id
from laws.storage.store import Store
from laws.types import SavedForecast
from planner.plans.plan import Plan
from planner.plans.quantities import quantities
from planner.plans.question import PAIR, as_command

# the quantity that a limit leaves no choice of, where limits alone are the question
_DECIDES = {"budget": "total_dollars", "deadline": "days", "gpu_hours": "gpu_hours", "data": "data"}


def as_saved_forecast(
    plan: Plan, assumptions: Sequence[str], *, today: date, seed: int = 0, name: str = ""
) -> SavedForecast:
    """Return what a plan said as a record, with the draws of everything that it knows."""
    found, asked = plan.estimate, plan.question
    made = SavedForecast(
        id="",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        day=today.isoformat(),
        name=name,
        question=as_command(replace(asked, selector=replace(asked.selector, metric=found.law.metric))),
        given=_given(plan),
        source=found.law.source,
        law=found.law.id,
        companions=dict(found.law_model.companions),
        domain=found.law.domain,
        family=found.law.family,
        metric=found.law.metric,
        metric_unit=found.law.metric_unit,
        quantities={name: q for name, q in quantities(plan).items() if q.draws},
        probability=found.probability_reachable,
        seed=seed,
        code=code_version(),
        assumptions=tuple(assumptions),
        warnings=plan.warnings,
    )
    return replace(made, id=content_id(made))


def save_forecasts(store: Store, forecasts: Sequence[SavedForecast]) -> None:
    """Store forecasts; the same one again is the one that is there."""
    for each in forecasts:
        store.add_forecast(each)
    store.publish()


def _given(plan: Plan) -> dict[str, float]:
    """Return what the question fixed: nothing is learned from holding it against what happened."""
    if plan.given == "target":
        # one plan for all scenarios fixes what is bought; what it reaches is the forecast
        names = ("error",) if plan.confidence is None else ("data", "params")
    elif plan.given == PAIR:
        names = ("data", "params")
    else:
        names = (plan.given or _DECIDES[str(plan.binding)],)
    known = quantities(plan)
    return {name: known[name].quantile(0.5) for name in names if known[name].draws}
