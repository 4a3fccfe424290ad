"""Saved forecasts: an estimate with its posterior samples, so that its outcome can be scored later."""

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

# constraint -> the quantity that it fixes where constraints are the question
_FIXED_BY = {"budget": "total_dollars", "deadline": "days", "gpu_hours": "gpu_hours", "data": "data"}


def as_saved_forecast(
    plan: Plan, assumptions: Sequence[str], *, today: date, seed: int = 0, name: str = ""
) -> SavedForecast:
    """Return a plan as a record with the posterior samples of every quantity that it has.

    Args:
        plan: The answer to a question.
        assumptions: Its assumptions as sentences.
        today: The day on which it was made.
        seed: The seed it was made with.
        name: What it is an estimate for.

    Returns:
        The record; its id is the hash of its content.
    """
    estimate, selector = plan.estimate, plan.question.selector
    question = replace(plan.question, selector=replace(selector, metric=estimate.law.metric))
    forecast = SavedForecast(
        id="",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        day=today.isoformat(),
        name=name,
        question=as_command(question),
        given=_given(plan),
        source=estimate.law.source,
        law=estimate.law.id,
        companions=dict(estimate.law_model.companions),
        domain=estimate.law.domain,
        family=estimate.law.family,
        metric=estimate.law.metric,
        metric_unit=estimate.law.metric_unit,
        metric_ceiling=estimate.law.metric_ceiling,
        quantities={key: quantity for key, quantity in quantities(plan).items() if quantity.draws},
        probability=estimate.probability_reachable,
        seed=seed,
        code=code_version(),
        assumptions=tuple(assumptions),
        warnings=plan.warnings,
    )
    return replace(forecast, id=content_id(forecast))


def save_forecasts(store: Store, forecasts: Sequence[SavedForecast]) -> None:
    """Store forecasts; a forecast with the same content is stored once.

    Args:
        store: The store.
        forecasts: The forecasts.
    """
    for forecast in forecasts:
        store.add_forecast(forecast)
    store.publish()


def _given(plan: Plan) -> dict[str, float]:
    """Return what the question fixed: comparing it with the outcome would teach nothing."""
    of_metric = plan.estimate.law.scale.quantity
    if plan.given == "target":
        # a plan with a confidence fixes what is bought; what it reaches is the forecast
        keys = (of_metric,) if plan.confidence is None else ("data", "params")
    elif plan.given == PAIR:
        keys = ("data", "params")
    else:
        keys = (plan.given or _FIXED_BY[str(plan.binding)],)
    samples = quantities(plan)
    return {key: samples[key].quantile(0.5) for key in keys if samples[key].draws}
