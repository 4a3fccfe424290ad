"""The sentences of assumptions: codes and values go in, plain English comes out."""

from collections.abc import Callable, Mapping
from typing import Any

from laws.types import FORECAST
from planner import units
from planner.assumptions import Assumption
from planner.lawmodel.assumptions import AssumptionCode, FlopMethod, LawAssumption
from planner.lawmodel.model import LawModel
from planner.plans.plan import Plan

# what a source is called where its name would mislead
ORIGINS = {
    "shipped": "calibrated by the authors on the embedded corpus, which tells you nothing about your data"
}
_METHODS = {
    FlopMethod.MODEL: "counted on the real model",
    FlopMethod.LOGGED: "as the training runs logged them",
    FlopMethod.GPU_HOURS: "derived from the GPU-hours that the training runs logged",
}
Values = Mapping[str, Any]


def law_sentences(law_model: LawModel) -> list[str]:
    """Return the assumptions of a law model as sentences.

    Args:
        law_model: The law that answers.

    Returns:
        One sentence per assumption, in their order.
    """
    return [law_sentence(assumption) for assumption in law_model.assumptions]


def plan_sentences(plan: Plan) -> list[str]:
    """Return every assumption of a plan, as saved forecasts keep them.

    Args:
        plan: The plan.

    Returns:
        Sentences on the law, then on the hardware; without hardware only those on the law.
    """
    hardware = () if plan.resources is None else plan.resources.assumed
    return [*law_sentences(plan.estimate.law_model), *map(exact_hardware_text, hardware)]


def law_sentence(assumption: LawAssumption) -> str:
    """Return the sentence of one assumption of a law model.

    Args:
        assumption: The code of the assumption and its values.

    Returns:
        The sentence.
    """
    return _SENTENCES[assumption.code](assumption.values)


def hardware_text(assumption: Assumption) -> str:
    """Return one assumption about the hardware as a report prints it.

    Args:
        assumption: The assumption about the hardware.

    Returns:
        Name, value or range, and unit; the origin follows where it is not the default.
    """
    low, high = units.format_number(assumption.low), units.format_number(assumption.high)
    value = low if low == high else f"{low} to {high}"
    origin = "" if assumption.is_default else f" ({assumption.origin}: {assumption.source})"
    return f"{assumption.name} {value} {assumption.unit}{origin}"


def exact_hardware_text(assumption: Assumption) -> str:
    """Return one assumption about the hardware as saved forecasts keep it.

    Args:
        assumption: The assumption about the hardware.

    Returns:
        Name, every band of values, unit, origin and source.
    """
    bands = " or ".join(f"{low:g}..{high:g}" if low < high else f"{low:g}" for low, high in assumption.bands)
    return f"{assumption.name}={bands} {assumption.unit} ({assumption.origin}: {assumption.source})"


def forms_text(forms: Mapping[str, float]) -> str:
    """Return the weights of the forms of a forecast, the largest first.

    Args:
        forms: Form -> weight.

    Returns:
        Text such as `power-floor 57%; three-phase 43%`.
    """
    ordered = sorted(forms.items(), key=lambda form: -form[1])
    return "; ".join(f"{name} {weight:.0%}" for name, weight in ordered)


def _stored_law(v: Values) -> str:
    smallest, largest = units.format_number(v["smallest"]), units.format_data(v["largest"], v["unit"])
    points = (
        f"{v['points']} points from {smallest} to {largest}" if v["points"] > 1 else f"1 point at {largest}"
    )
    law = f"Law {v['law']}: {ORIGINS.get(v['source'], v['source'])};"
    if v["form"] != FORECAST:
        return f"{law} form {v['form']}, {points}. The form is assumed to hold beyond them."
    return (
        f"{law} forecast from {points}. Beyond them, uncertainty about the curve's shape grows with "
        "distance. "
        f"Functional forms, weighted by how well each predicted the held-out largest points: "
        f"{forms_text(v['forms'])}. --single-form uses a single form."
    )


def _between_studies(v: Values) -> str:
    studies = f" ({', '.join(v['studies'])})" if v["studies"] else ", as for errors of other domains"
    return (
        f"Interval: that of another study, by how far published studies differ{studies}. It widens with the "
        "distance from the measured range."
    )


def _data(v: Values) -> str:
    return units.format_data(v["data"], v["unit"])


_SENTENCES: Mapping[AssumptionCode, Callable[[Values], str]] = {
    AssumptionCode.STORED_LAW: _stored_law,
    AssumptionCode.PUBLISHED_LAW: lambda v: (
        f"Law {v['law']}: published, {v['citation']}, {v['locator']} ({v['confidence']}); range: "
        f"{v['range']}."
    ),
    AssumptionCode.BETWEEN_STUDIES: _between_studies,
    AssumptionCode.JOINT_DRIFT: lambda v: (
        f"Beyond the largest measured compute (parameters times data), the loss may drift by {v['rate']:.1%} "
        "per decade (one standard deviation, from published ladders)."
    ),
    AssumptionCode.STANDARD_ERRORS: lambda v: (
        f"Interval: the standard errors of the source. Correlations: {v['origin']}."
    ),
    AssumptionCode.BEST_FAMILY: lambda v: (
        "Family: the best one in each posterior sample; probability of being best: "
        + ", ".join(f"{name} {share:.0%}" for name, share in v["families"].items())
        + "."
    ),
    AssumptionCode.LOSS_LAW: lambda v: (
        f"Error: what law {v['law']} ({v['citation']}) says at the sizes of this frontier."
    ),
    AssumptionCode.SIZE_LAW: lambda v: (
        f"Parameters: the best model size for that much data, from law {v['law']}."
    ),
    AssumptionCode.FLOPS_COUNTED: lambda v: (
        f"FLOP: {_METHODS[v['method']]} at {v['sizes']} sizes, per unit of data ({v['unit']})."
    ),
    AssumptionCode.FLOPS_LAW: lambda v: f"FLOP: one epoch over the data, from law {v['law']}.",
    AssumptionCode.SIX_ND: lambda _: (
        "FLOP: 6 x parameters x data, a rule of thumb for dense sequence models."
    ),
    AssumptionCode.ONE_EPOCH: lambda _: "Number of epochs: 1.",
    AssumptionCode.EPOCHS_OF_RUNS: lambda v: f"Number of epochs: {v['epochs']:g}, as in the runs.",
    AssumptionCode.EPOCHS_LAW: lambda v: f"Number of epochs: from law {v['law']}, fitted to the best runs.",
    AssumptionCode.EPOCHS_LOGGED: lambda _: "Number of epochs: as in the logged training runs.",
    AssumptionCode.COMPUTE_OPTIMAL: lambda v: (
        "Parameters and data: the pair with the fewest training FLOP"
        f"{', inference included' if v['serving'] else ''}."
    ),
    AssumptionCode.SMALLEST_MODEL: lambda v: (
        f"Parameters: the smallest model that reaches the error with {_data(v)}, each sample seen once."
    ),
    AssumptionCode.DATA_REPEATED: lambda v: (
        f"You have {_data(v)}; more is seen by repeating it, and each repeat is worth less "
        f"(R_D* = {v['data_half']:.1f}, R_N* = {v['params_half']:.1f}, Muennighoff et al. 2023, "
        "arXiv:2305.16264)."
    ),
    AssumptionCode.SERVING_COST: lambda v: (
        f"Inference on {_data(v)} costs a third of the training FLOP for as much data "
        "(Sardana et al. 2023, arXiv:2401.00448)."
    ),
    AssumptionCode.SERVING_NOT_OPTIMIZED: lambda _: (
        "Inference cost is counted but does not change the model size, which is the best for its data; "
        "a joint N-D law would balance the two."
    ),
    AssumptionCode.SERVING_OVERCOUNTED: lambda _: (
        "Inference cost is counted from the same FLOP, so it is too high by the number of epochs."
    ),
}
