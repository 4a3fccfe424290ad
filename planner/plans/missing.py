"""What an answer does not know, and what would supply it."""

from typing import NamedTuple

from planner.plans.plan import Plan


class UnknownQuantities(NamedTuple):
    """Quantities that are not known, and the options or the command that would supply them."""

    quantities: tuple[str, ...]  # keys of the registry
    options: tuple[str, ...] = ()  # alternatives, by their names in `Question`
    command: str = ""  # further words of `planner`


def missing_inputs(plan: Plan) -> tuple[UnknownQuantities, ...]:
    """Return what a plan does not know although more input would tell.

    Args:
        plan: The answer to a question.

    Returns:
        One entry per input that is missing.
    """
    training, supply = ("gpu_hours", "days", "dollars", "total_days"), plan.parsed.supply
    gaps = []
    if not plan.law_model.has_flops:
        unknown = ("flops", *training) if plan.law_model.has_params else ("params", "flops", *training)
        gaps.append(UnknownQuantities(quantities=unknown, command="fit"))
    elif plan.resources is None:
        gaps.append(UnknownQuantities(quantities=training, options=("on",)))
    elif plan.resources.cost.dollars is None:
        gaps.append(UnknownQuantities(quantities=("dollars",), options=("assume",)))
    has_data = supply.data_available is not None
    if supply.data_price is None and (has_data or supply.data_rate is not None):
        gaps.append(UnknownQuantities(quantities=("data_dollars",), options=("data_price",)))
    if supply.data_rate is None and (has_data or supply.data_price is not None):
        gaps.append(UnknownQuantities(quantities=("labeling_days",), options=("data_rate",)))
    return tuple(gaps)
