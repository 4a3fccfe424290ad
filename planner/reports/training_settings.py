"""The settings that published laws recommend for a plan of a language model, as sentences and as JSON."""

from typing import Any

from laws import paths
from planner import units
from planner.plans.estimate import EXTRAPOLATION_LIMIT
from planner.plans.plan import Plan
from planner.plans.training_settings import (
    CRITICAL_BATCH,
    LARGEST_MEASURED,
    TrainingSetting,
    training_settings,
    useful_devices,
)

_LABELS = {
    "learning-rate": "Peak learning rate",
    "batch": "Batch",
    "vocabulary-params": "Embedding of the vocabulary",
    CRITICAL_BATCH: "Critical batch, from which a larger one saves hardly any steps",
}


def settings_text(plan: Plan) -> list[str]:
    """Return the recommended settings as sentences.

    Args:
        plan: The answer to a question.

    Returns:
        One line per setting, and how many devices help; nothing where the plan is of no language model.
    """
    settings = training_settings(plan)
    lines = [f"{_LABELS[one.metric]}: {_spread(one)}." for one in settings]
    times = paths.quantile(plan.estimate.flops.draws, 0.5) / LARGEST_MEASURED if settings else 0.0
    if times > EXTRAPOLATION_LIMIT:
        lines.append(
            f"The laws were measured at up to {units.format_flops(LARGEST_MEASURED)} FLOP; your training "
            f"takes {units.format_number(times)} times as much."
        )
    devices = useful_devices(plan, settings)
    if devices is None or plan.resources is None:
        return lines
    positions = f"{plan.resources.training.assumed['positions'].high:,.0f}"
    return [
        *lines,
        f"At {positions} positions per copy of the model and step, a critical batch keeps "
        f"{units.format_number(devices)} devices busy; you plan {plan.resources.training.count:,}.",
    ]


def too_many_devices(plan: Plan) -> list[str]:
    """Return that more devices than a critical batch keeps busy save little time.

    Args:
        plan: The answer to a question.

    Returns:
        One sentence; none where the devices are not too many.
    """
    devices = useful_devices(plan, training_settings(plan))
    if devices is None or plan.resources is None or plan.resources.training.count <= devices:
        return []
    useful = units.format_count(devices, digits=2)
    return [
        f"A critical batch keeps about {useful} devices busy: more of them save less time than this says."
    ]


def _spread(setting: TrainingSetting) -> str:
    laws = ", ".join(f"{_value(setting, one.value)} {one.law}" for one in setting.recommendations)
    if len(setting.recommendations) == 1:
        return f"{_value(setting, setting.middle)} {setting.unit} ({setting.recommendations[0].law})"
    ends = f"{_value(setting, setting.low)} to {_value(setting, setting.high)}"
    return f"{_value(setting, setting.middle)} {setting.unit}".rstrip() + f", {ends} between laws ({laws})"


def _value(setting: TrainingSetting, value: float) -> str:
    return f"{value:.2g}" if setting.metric == "learning-rate" else units.format_number(value)


def settings_record(plan: Plan) -> dict[str, Any]:
    """Return the recommended settings as plain values.

    Args:
        plan: The answer to a question.

    Returns:
        Setting -> unit, middle, smallest and largest recommendation, and each law's; `useful_devices`.
    """
    settings = training_settings(plan)
    record: dict[str, Any] = {
        one.metric.replace("-", "_"): {
            "unit": one.unit,
            "middle": one.middle,
            "low": one.low,
            "high": one.high,
            "laws": {law.law: law.value for law in one.recommendations},
        }
        for one in settings
    }
    return record | {"useful_devices": useful_devices(plan, settings)} if record else {}
