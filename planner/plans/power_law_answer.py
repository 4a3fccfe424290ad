"""What one power law through the points says, to compare with the answer."""

from laws import paths
from planner.lawmodel.power_law import scale_for, value
from planner.plans.plan import Plan


def power_law_answer(plan: Plan) -> tuple[str, float, float] | None:
    """Return what the power law through the points says, next to the median of the forecast.

    Args:
        plan: The answer.

    Returns:
        "data" or "error", its value by the power law, and by the law that answers; None where no such line is
        to be drawn, or the answer has no such value.
    """
    estimate, line = plan.estimate, plan.estimate.law_model.power_law
    if line is None or plan.confidence is not None or estimate.law_model.families:
        return None
    if estimate.target is not None:
        return "data", scale_for(line, estimate.target), paths.quantile(estimate.data.draws, 0.5)
    amount = paths.quantile(estimate.data.draws, 0.5)
    return "error", value(line, amount), paths.quantile(estimate.error.draws, 0.5)
