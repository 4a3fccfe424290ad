"""Convert the given quantity (data, parameters, FLOP, or a pair) to a scale of each scenario."""

from collections.abc import Sequence

from laws import paths
from laws.errors import ConflictingInput, InputError, LawError, drop, run, use
from planner import units
from planner.lawmodel.assumptions import AssumptionCode
from planner.lawmodel.model import MEASURE_COST, LawModel
from planner.lawmodel.scenario import ScaleFunction, Scenario, value_at
from planner.plans.question import PAIR, ParsedQuestion

# Of the smallest measured data: so little less is still accepted, because each sample has the same cost at a
# slightly other scale.
SMALLEST_TOLERANCE = 0.95


def scales_from_given(law_model: LawModel, parsed: ParsedQuestion) -> tuple[LawModel, tuple[float, ...]]:
    """Return the scale at which each posterior sample has the given data, parameters or FLOP.

    Args:
        law_model: The law that answers.
        parsed: A question with one of data, params and flops, or with the pair of data and params.

    Returns:
        The law model, with the given model size where there is a pair, and one scale per posterior sample.

    Raises:
        LawError: The law cannot be solved for what is given.
        InputError: What is given is less than anything that was measured.
    """
    question, given = parsed.question, parsed.given
    if given == PAIR:
        law_model, given = with_size(law_model, parsed.params), "data"
    _check_given(law_model, given, question.allocate)
    values = {
        "data": (parsed.data, question.data),
        "params": (parsed.params, question.params),
        "flops": (parsed.flops, question.flops),
    }
    value, text = values[given or ""]
    assert value is not None and text is not None
    if given == "data":  # the scaling path is one over data
        scales = (value,) * len(law_model.scenarios)
    else:
        scales = tuple(
            scenario.scale_where(_function(scenario, given or ""), value) for scenario in law_model.scenarios
        )
    serving = f" with inference on {question.supply.serve.strip()}" if question.supply.serve else ""
    check_not_tiny(law_model, scales, f"{given} {text.strip()}{serving}")
    return law_model, scales


def _check_given(law_model: LawModel, given: str | None, allocate: str) -> None:
    """Check that the law can be solved for what is given."""
    id = law_model.law.id
    if given == "data" and allocate == "smallest-model":
        raise ConflictingInput(
            "data is given for the smallest model: expected only the available data",
            code="data-for-smallest-model",
            hint=drop("data", purpose="and keep have_data"),
        )
    if given == "params" and not law_model.has_params:
        raise LawError(
            f"law {id} has no model size, so it cannot be solved for params: expected data or a target",
            code="no-model-size",
            value=id,
            hint=run("calibrate", purpose="to measure one"),
        )
    if given == "flops" and not law_model.has_flops:
        raise LawError(
            f"law {id} has no compute cost, so it cannot be solved for FLOP: expected data or a target",
            code="no-compute-cost",
            value=id,
            hint=MEASURE_COST,
        )


def check_not_tiny(law_model: LawModel, scales: Sequence[float], given_text: str) -> None:
    """Check that a question is not below everything that the law was measured at.

    Args:
        law_model: The law that answers.
        scales: One scale per posterior sample.
        given_text: What is given, for the message.

    Raises:
        InputError: The median scale is below the law's smallest measurement, or below one parameter or
            sample.
    """
    middle = paths.quantile(scales, 0.5)
    start = law_model.curve_start
    if start is not None and middle < SMALLEST_TOLERANCE * start:
        raise InputError(
            f"{given_text}: expected more, at least what the smallest measured training of law "
            f"{law_model.law.id} took ({units.format_data(start, law_model.unit)})",
            code="below-measured",
        )
    sizes = [
        value_at(scenario.params, x)
        for scenario, x in zip(law_model.scenarios, scales, strict=False)
        if scenario.params
    ]
    if law_model.is_joint and (middle <= 1 or (sizes and paths.quantile(sizes, 0.5) < 1)):
        raise InputError(
            f"{given_text}: expected enough for one parameter and one sample", code="below-measured"
        )


def _function(scenario: Scenario, given: str) -> ScaleFunction:
    if given == "flops":
        return scenario.flops
    assert scenario.params is not None
    return scenario.params


def with_size(law_model: LawModel, params: float | None) -> LawModel:
    """Return the law model with one size for all amounts of data.

    Args:
        law_model: The law that answers.
        params: Parameters of the model.

    Returns:
        The law model.

    Raises:
        LawError: The law is not a joint one: it has one size for each amount of data.
    """
    if law_model.scenarios[0].loss is None or params is None:
        raise LawError(
            f"law {law_model.law.id} has one model size for each amount of data: expected data or params, "
            "not both",
            code="not-a-joint-law",
            value=law_model.law.id,
            hint=use("form", value="surface", purpose="to ask a joint law for both"),
        )
    return law_model._replace(
        scenarios=tuple(_of_size(scenario, params) for scenario in law_model.scenarios),
        assumptions=tuple(a for a in law_model.assumptions if a.code is not AssumptionCode.COMPUTE_OPTIMAL),
    )


def _of_size(scenario: Scenario, params: float) -> Scenario:
    assert scenario.loss is not None
    loss = scenario.loss
    return scenario._replace(params=lambda _: params, error=lambda x: loss(params, x), exact_inverse=None)
