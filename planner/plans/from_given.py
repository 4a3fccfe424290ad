"""From the end that is given to a place on the line of plans: data, parameters, FLOP, or a pair of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from laws import paths
from laws.errors import PlannerError
from planner import units
from planner.lawmodel.model import BALANCED, COSTED, LawModel
from planner.lawmodel.scenario import Scenario, at
from planner.plans.question import PAIR, ParsedQuestion

ALMOST = 0.95  # of the smallest measured data is still it: each draw puts the same cost elsewhere


def from_end(reading: LawModel, asked: ParsedQuestion) -> tuple[LawModel, tuple[float, ...]]:
    """Return the scenarios, with the place of each at which it has the data, parameters or FLOP that are given.

    Raises:
        PlannerError: the law says nothing of what is given, or it is less than anything measured.
    """
    question, given = asked.question, asked.given
    if given == PAIR:
        reading, given = _paired(reading, asked.params), "data"
    if given == "data" and question.allocate == "smallest-model":
        raise PlannerError(
            "with --allocate smallest-model the data is what --have-data says: leave --data out"
        )
    if given == "params" and not reading.knows_params:
        raise PlannerError(
            f"law {reading.law.id} says nothing of model size: give --data or a target, or measure with "
            "`planner calibrate`"
        )
    if given == "flops" and not reading.knows_flops:
        raise PlannerError(f"law {reading.law.id} says nothing of FLOP: give --data or a target, or {COSTED}")
    ends = {
        "data": (asked.data, question.data),
        "params": (asked.params, question.params),
        "flops": (asked.flops, question.flops),
    }
    value, text = ends[given or ""]
    assert value is not None and text is not None
    if given == "data":  # the line of plans is one over data
        places = (value,) * len(reading.scenarios)
    else:
        places = tuple(world.where(_line(world, given or ""), value) for world in reading.scenarios)
    served = f" with --serve {question.serve.strip()}" if question.serve else ""
    not_tiny(reading, places, f"--{given} {text.strip()}{served}")
    return reading, places


def not_tiny(reading: LawModel, places: Sequence[float], asked: str) -> None:
    """Refuse what lies before everything that the law was measured at."""
    middle = paths.quantile(places, 0.5)
    if reading.smallest is not None and middle < ALMOST * reading.smallest:
        raise PlannerError(
            f"{asked} is less than the smallest measured training of law {reading.law.id} took "
            f"({units.format_data(reading.smallest, reading.unit)}): ask for more"
        )
    sizes = [at(world.params, x) for world, x in zip(reading.scenarios, places, strict=False) if world.params]
    if reading.is_joint and (middle <= 1 or (sizes and paths.quantile(sizes, 0.5) < 1)):
        raise PlannerError(f"{asked} is not enough for one parameter or one unit of data: ask for more")


def _line(world: Scenario, given: str) -> Callable[[float], float]:
    if given == "flops":
        return world.flops
    assert world.params is not None
    return world.params


def _paired(reading: LawModel, size: float | None) -> LawModel:
    """Return the scenarios with one size for all amounts of data; only a surface knows more than the best."""
    if reading.scenarios[0].loss is None or size is None:
        raise PlannerError(
            f"law {reading.law.id} knows one model size for each amount of data: give --data or --params; "
            "a surface law answers both together"
        )
    return replace(
        reading,
        scenarios=tuple(_of_size(world, size) for world in reading.scenarios),
        assumptions=tuple(text for text in reading.assumptions if not text.startswith(BALANCED)),
    )


def _of_size(world: Scenario, size: float) -> Scenario:
    assert world.loss is not None
    loss = world.loss
    return replace(world, params=lambda _: size, error=lambda x: loss(size, x), known_inverse=None)
