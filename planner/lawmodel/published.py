"""Read a law of the literature: one world, because no interval was published."""

import math

from laws.catalog.published import PublishedLaw, companion, published_laws
from laws.codes import WarningCode
from planner.lawmodel import scenario
from planner.lawmodel.info import law_info
from planner.lawmodel.model import (
    AllocationConstraints,
    LawModel,
    balance_in_words,
    balance_warnings,
    balanced,
    check_curve,
    curve,
    serving_in_words,
    unit_cost,
)
from planner.lawmodel.scenario import Scenario
from planner.lawmodel.surface import Surface

_SURFACES = ("surface", "repeated-data")
_WIDE = (1e-3, 1e40)  # the data that a formula is asked at


def answerable(domain: str | None, metric: str | None) -> list[PublishedLaw]:
    """Return the published laws that say how much data a target needs, the one to ask first at the front."""
    return [law for law in published_laws(domain, metric) if answers(law)]


def answers(law: PublishedLaw) -> bool:
    """Return whether a law of an error or a loss can be read backwards to data, alone or with a size."""
    if law.formula is None or not (law.metric == "loss" or law.unit == "fraction"):
        return False
    return law.formula in _SURFACES or [i.name for i in law.inputs] == ["data"]


def data_unit(law: PublishedLaw) -> str:
    """Return the unit that the law counts data in."""
    return next(i.unit for i in law.inputs if i.name == "data")


def read_published(law: PublishedLaw, spending: AllocationConstraints) -> LawModel:
    """Return what a published law says, with the companions that its authors gave."""
    unit = data_unit(law)
    companions: dict[str, str] = {}
    assumptions = [
        f"Law {law.id}: published, {law.citation}, {law.locator} ({law.confidence}); range: {law.range}."
    ]
    warnings: list[str] = [WarningCode.NO_INTERVAL, WarningCode.OTHER_CORPUS]
    smallest, largest = law.measured
    begins: tuple[float | None, float | None] = (None, None)
    if law.formula in _SURFACES:
        flops_per_sample, note, doubts = unit_cost((), unit, known=True)
        world = balanced(surface_of(law), spending, flops_per_sample)
        once = math.isinf(spending.have)
        assumptions += [*balance_in_words(spending, unit), *([note] if note else [])]
        assumptions += ["Training sees the data once."] if once and flops_per_sample is not None else []
        warnings += [*doubts, *balance_warnings(spending)]
        begins, smallest = (smallest, law.sizes[0]), None
    else:
        check_curve(law.id, spending)
        world, notes, doubts, companions = _curve(law, unit)
        assumptions += [*notes, *serving_in_words(spending)]
        warnings += doubts
    return LawModel(
        law=law_info(law),
        unit=unit,
        scenarios=(world,),
        spread=False,
        smallest=smallest,
        largest=largest,
        begins=begins,
        companions=companions,
        assumptions=tuple(assumptions),
        warnings=tuple(warnings),
    )


def surface_of(law: PublishedLaw) -> Surface:
    """Return the surface of a published law in base units."""
    p = dict(law.parameters)
    if law.formula == "repeated-data":  # Muennighoff et al. 2023 print logarithms and one exponent for both
        p = {name: math.exp(p[key]) for name, key in (("E", "e"), ("A", "a"), ("B", "b"))} | {
            "a": p["alpha"],
            "b": p["alpha"],
        }
    per = {i.name: i.per for i in law.inputs}
    return Surface(
        E=law.scale * p["E"],
        A=law.scale * p["A"] * per["params"] ** p["a"],
        B=law.scale * p["B"] * per["data"] ** p["b"],
        alpha=p["a"],
        beta=p["b"],
    )


def _curve(law: PublishedLaw, unit: str) -> tuple[Scenario, list[str], list[str], dict[str, str]]:
    """Return the world of a curve, what it stands on, what to be warned of, and the laws that complete it."""
    size, cost = companion(law, "params"), companion(law, "flops")
    notes: list[str] = []
    doubts: list[str] = []
    companions: dict[str, str] = {}
    params: scenario.Line | None = None
    flops_per_sample: scenario.Line | None = None
    if size is None:
        doubts.append(WarningCode.NO_SIZE_LAW)
    else:
        params = _of_data(size)
        companions["params"] = size.id
        notes.append(f"Parameters: the best model size for that much data, by law {size.id}.")
    if size is not None and cost is not None:
        flops_per_sample = _per_unit(cost)
        companions["flops"] = cost.id
        notes.append(f"FLOP: one pass over the data, by law {cost.id}.")
        doubts.append(WarningCode.ONE_PASS)
    else:
        flops_per_sample, note, more = unit_cost((), unit, known=size is not None)
        notes += [note, "Training sees the data once."] if flops_per_sample is not None else []
        doubts += more
    low, high = _WIDE
    world = curve(
        _of_data(law),
        low=low,
        high=high,
        inverse=law.invert,
        params=params,
        seen=None,
        flops_per_sample=flops_per_sample,
    )
    return world, notes, doubts, companions


def _of_data(law: PublishedLaw) -> scenario.Line:
    return lambda x: law.evaluate(data=x)


def _per_unit(cost: PublishedLaw) -> scenario.Line:
    return lambda params: cost.evaluate(params=params, data=1.0)
