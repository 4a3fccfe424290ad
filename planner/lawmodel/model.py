"""A law with its companions, read as possible scenarios: what every question is asked of.

Posteriors of different laws are independent, so any draw of one may meet any draw of the next; they are read
in opposite orders, lest two chains that used the same random numbers march in step.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from laws import paths
from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.types import FORECAST, Law, SizeCost
from planner import units
from planner.lawmodel import scenario
from planner.lawmodel.info import ORIGINS, WHOLE, LawInfo, law_info
from planner.lawmodel.scenario import Scenario
from planner.lawmodel.surface import Surface

# one unit passes every weight of a sequence model once: 2 FLOP forward, 4 backward (Kaplan et al. 2020, 2.1)
TOKENS = frozenset(
    {"tokens", "words", "characters", "bytes", "sub-word tokens", "word pieces", "speech tokens"}
)
COSTED = "measure with `planner calibrate`, or fit runs with columns of parameters and FLOP (`planner fit`)"
COUNTED = "counted on the real model"
AS_LOGGED = "Training sees the data as often as the logged trainings did."
BALANCED = "Data and parameters are the pair that needs the least FLOP"
FEW = 3  # values of the best size below which they do not say how it grows with the data
DRAWS = 1000  # of a surface, as many as a curve has paths
# repeats at which data, and parameters, have lost 1 - 1/e of their worth (Muennighoff et al. 2023,
# arXiv:2305.16264, constants of the authors' code)
DATA_HALF, PARAMS_HALF = 15.387756, 5.309743


@dataclass(frozen=True, kw_only=True)
class AllocationConstraints:
    """How data and model are to be balanced."""

    have: float = math.inf  # different data in hand
    served: float = 0.0  # data that the model will be run on once it is trained
    smallest: bool = False  # the smallest model that the data in hand allows, not the least FLOP

    @property
    def usual(self) -> bool:
        """Return whether nothing but the least training FLOP is asked for."""
        return math.isinf(self.have) and self.served == 0 and not self.smallest


@dataclass(frozen=True, kw_only=True)
class LawModel:
    """What a law says, world by world."""

    law: LawInfo
    unit: str  # of data
    scenarios: tuple[Scenario, ...]
    spread: bool = True  # False: one published figure, whose uncertainty nobody stated
    smallest: float | None  # measured data; None where a publication does not say, and for a surface
    largest: float | None
    begins: tuple[float | None, float | None] = (None, None)  # of a surface: smallest measured data and model
    forms: Mapping[str, float] = field(default_factory=dict)  # of a forecast: what each form weighs
    sizes: tuple[float, float] | None = None  # smallest and largest model whose cost was counted
    companions: Mapping[str, str] = field(default_factory=dict)  # "params", "samples" -> law
    unknowns: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # "exponent", "offset" -> draws
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    @property
    def knows_params(self) -> bool:
        """Return whether the law says how large a model is."""
        return self.scenarios[0].params is not None

    @property
    def knows_flops(self) -> bool:
        """Return whether the law says what training costs."""
        return self.knows_params and self.scenarios[0].flops_per_sample is not None

    @property
    def is_joint(self) -> bool:
        """Return whether the law leaves open how a model and its data are balanced."""
        return self.law.form in ("surface", "repeated-data")


def read(
    law: Law, spending: AllocationConstraints, *, size: Law | None = None, samples: Law | None = None
) -> LawModel:
    """Return what a stored law says with its companions.

    Raises:
        PlannerError: the law has nothing to read, or does not leave open what is to be balanced.
    """
    if law.form == "surface":
        return _surface(law, spending)
    if not law.paths:
        raise PlannerError(f"law {law.id} has no paths to read: fit it again with `planner fit`")
    check_curve(law.id, spending)
    size = size if size is not None and size.paths else None
    samples = samples if samples is not None and samples.paths else None
    ladder = sorted(law.ladder or (size.ladder if size else ()), key=lambda rung: rung.params)
    whole = size is not None and size.provenance.get("flops") == WHOLE
    flops_per_sample, note, warnings = unit_cost(ladder, law.x_unit, known=size is not None, how=_how(size))
    n = len(law.paths)
    found = [
        curve(
            scenario.on_path(law.grid, path),
            low=math.exp(law.grid[0]),
            high=math.exp(law.grid[-1]),
            inverse=_backwards(law, path),
            params=None
            if size is None
            else scenario.on_path(size.grid, size.paths[(-1 - i) % len(size.paths)]),
            seen=None
            if samples is None
            else scenario.on_path(samples.grid, samples.paths[(n // 2 - i) % len(samples.paths)]),
            flops_per_sample=flops_per_sample,
        )
        for i, path in enumerate(law.paths)
    ]
    companions = {}
    assumptions = [law_in_words(law)]
    if size is None:
        warnings = [WarningCode.NO_SIZE_LAW, *warnings]
    else:
        companions["params"] = size.id
        assumptions.append(f"Parameters: the best model size for that much data, by law {size.id}.")
        warnings = [*size.warnings, *warnings]
        taken = len(set(size.points.get("y", range(size.n_points))))  # values that the best size took
        warnings += [WarningCode.ONE_SIZE] if taken == 1 else [WarningCode.FEW_SIZES] if taken < FEW else []
    if any(_corpus(other) not in (None, _corpus(law)) for other in (size, samples) if other is not None):
        warnings = [*warnings, WarningCode.CORPORA_DIFFER]
    assumptions += serving_in_words(spending)
    if flops_per_sample is not None:
        assumptions.append(note)
        if samples is None and whole:
            assumptions += passes_in_words(spending)
        elif samples is None:
            assumptions.append("Training sees the data once.")
            warnings.append(WarningCode.ONE_PASS)
        else:
            companions["samples"] = samples.id
            assumptions.append(f"Training sees the data as often as the best runs did, by law {samples.id}.")
            warnings += samples.warnings
    reading = _reading(law, found, ladder, companions=companions, assumptions=assumptions, warnings=warnings)
    slope = math.log(law.x_range[1])
    step = math.log(2)
    return replace(
        reading,
        smallest=math.exp(law.grid[0]),
        unknowns={
            # both read from the path, so that every form has them
            "exponent": tuple(
                (paths.value_at(law.grid, p, slope - step) - paths.value_at(law.grid, p, slope)) / step
                for p in law.paths
            ),
            "offset": tuple(math.exp(p[-1]) for p in law.paths),
        },
    )


def _corpus(law: Law) -> str | None:
    """Return what tells a law's corpus from another: its fingerprint, or that of the file of runs."""
    return law.provenance.get("corpus", law.provenance.get("fingerprint"))


def serving_in_words(spending: AllocationConstraints) -> list[str]:
    """Return what serving changes in the answer of a curve: nothing but the FLOP that are counted."""
    if not spending.served:
        return []
    return ["The model is the best for its data: serving is counted, but moves nothing; a surface law would."]


def passes_in_words(spending: AllocationConstraints) -> list[str]:
    """Return what FLOP of whole trainings have in them, which what is served has not."""
    if not spending.served:
        return [AS_LOGGED]
    return [AS_LOGGED, "Serving is counted at those FLOP, too, and comes out too high by as many passes."]


def check_curve(law: str, spending: AllocationConstraints) -> None:
    """Refuse to balance model and data by a law that knows one best size for each amount of data."""
    if spending.smallest:
        raise PlannerError(
            f"law {law} knows one best model size for each amount of data: --allocate smallest-model needs a "
            "surface law (`planner fit --form surface`)"
        )


def curve(
    error: scenario.Line,
    *,
    low: float,
    high: float,
    inverse: scenario.Line,
    params: scenario.Line | None,
    seen: scenario.Line | None,
    flops_per_sample: scenario.Line | None,
) -> Scenario:
    """Return the world of a curve over data, with the best size for each amount of it."""
    return Scenario(
        low=low,
        high=high,
        error=error,
        data=lambda x: x,
        seen=seen or (lambda x: x),
        params=params,
        flops_per_sample=flops_per_sample,
        known_inverse=inverse,
    )


def _backwards(law: Law, path: Sequence[float]) -> Callable[[float], float]:
    def inverse(target: float) -> float:
        log_x = paths.inverse(law.grid, path, math.log(target))
        if log_x == -math.inf:  # a path that is flat where it begins
            return math.exp(law.grid[0])
        return math.exp(log_x) if log_x < 700 else math.inf

    return inverse


def _surface(law: Law, spending: AllocationConstraints) -> LawModel:
    p = law.parameters
    rows = rows_of(law)
    passes = float(law.provenance.get("passes", 1))  # that every run made over its data
    ladder = sorted(law.ladder, key=lambda rung: rung.params)
    whole = law.provenance.get("flops") == WHOLE
    once, note, warnings = unit_cost(ladder, law.x_unit, known=True, how=_how(law))
    flops_per_sample = None if once is None else (lambda params: passes * once(params))
    found = [
        balanced(
            Surface(E=p["E"][i], A=p["A"][i], B=p["B"][i], alpha=p["a"][i], beta=p["b"][i]),
            spending,
            flops_per_sample,
        )
        for i in rows
    ]
    assumptions = [law_in_words(law), *balance_in_words(spending, law.x_unit)]
    if flops_per_sample is not None:
        assumptions.append(note)
    if whole:
        assumptions += passes_in_words(spending)
    elif flops_per_sample is not None and (math.isinf(spending.have) or passes != 1):
        times = "once" if passes == 1 else f"{passes:g} times, as the runs did"
        assumptions.append(f"Training sees the data {times}.")
    reading = _reading(
        law,
        found,
        ladder,
        companions={},
        assumptions=assumptions,
        warnings=[*warnings, *balance_warnings(spending)],
    )
    unknowns = {"exponent of parameters": "a", "exponent of data": "b", "offset": "E"}
    return replace(
        reading,
        begins=(law.x_range[0], min(law.points.get("params", ()), default=None)),
        unknowns={name: tuple(p[key][i] for i in rows) for name, key in unknowns.items()},
    )


def rows_of(law: Law) -> list[int]:
    """Return which draws of a surface are read: all, or as many as a curve has paths, evenly."""
    n = len(law.parameters["E"])
    return list(range(n)) if n <= DRAWS else [round(i * (n - 1) / (DRAWS - 1)) for i in range(DRAWS)]


def balanced(
    surface: Surface, spending: AllocationConstraints, flops_per_sample: scenario.Line | None
) -> Scenario:
    """Return the world of a surface, balanced as asked; `flops_per_sample` is the FLOP of a unit by model size."""
    if spending.smallest:
        world = scenario.smallest(surface, have=spending.have)
    else:
        world = scenario.split(
            surface,
            have=spending.have,
            served=spending.served,
            data_half=DATA_HALF,
            params_half=PARAMS_HALF,
        )
    return replace(world, flops_per_sample=flops_per_sample)


def balance_in_words(spending: AllocationConstraints, unit: str) -> list[str]:
    """Return the sentences that say how a surface was balanced."""
    have = units.format_data(spending.have, unit)
    if spending.smallest:
        return [f"The model is the smallest that reaches the error with {have}, each seen once."]
    served = "" if spending.served == 0 else ", counting what it serves"
    found = [f"{BALANCED}{served}."]
    if spending.served:
        found.append(
            f"Serving {units.format_data(spending.served, unit)} costs a third of the training FLOP of as "
            "much data (Sardana et al. 2023, arXiv:2401.00448)."
        )
    if math.isfinite(spending.have):
        found.append(
            f"There is {have}; more is seen by repeating it, worth less each time (R_D* = {DATA_HALF:.1f}, "
            f"R_N* = {PARAMS_HALF:.1f}, Muennighoff et al. 2023, arXiv:2305.16264)."
        )
    return found


def balance_warnings(spending: AllocationConstraints) -> list[str]:
    """Return the codes that come with how a surface was balanced."""
    return [WarningCode.REPEATS_ASSUMED] if math.isfinite(spending.have) and not spending.smallest else []


def _how(law: Law | None) -> str:
    """Return how the ladder of a law was counted."""
    if law is None or law.source != "fitted":
        return COUNTED
    hours = WarningCode.FLOPS_FROM_HOURS in law.warnings
    return "from the GPU-hours that trainings logged" if hours else "as trainings logged them"


def unit_cost(
    ladder: Sequence[SizeCost], unit: str, *, known: bool, how: str = COUNTED
) -> tuple[scenario.Line | None, str, list[str]]:
    """Return training FLOP of one unit of data by model size, how they were counted, what to be warned of."""
    if known and ladder:
        note = f"FLOP: {how} at {len(ladder)} sizes, per unit of data ({unit})."
        cost = scenario.cost_of_size([rung.params for rung in ladder], [rung.flops for rung in ladder])
        return cost, note, []
    if known and unit in TOKENS:
        note = "FLOP: 6 x parameters x data, a rule of thumb for dense sequence models."
        return (lambda params: 6 * params), note, [WarningCode.SIX_ND]
    return None, "", [WarningCode.NO_COMPUTE]


def _reading(
    law: Law,
    found: Sequence[Scenario],
    ladder: Sequence[SizeCost],
    *,
    companions: Mapping[str, str],
    assumptions: Sequence[str],
    warnings: Sequence[str],
) -> LawModel:
    own: list[str] = [WarningCode.EMBEDDED_CORPUS] if law.source == "shipped" else []
    own += law.warnings
    after = [WarningCode.NO_FLOOR] if law.form == "power" else []
    if law.n_points < 5:
        after.append(WarningCode.FEW_POINTS)
    return LawModel(
        law=law_info(law),
        unit=law.x_unit,
        scenarios=tuple(found),
        smallest=None,
        largest=law.x_range[1],
        forms=law.forms,
        sizes=(ladder[0].params, ladder[-1].params) if ladder else None,
        companions=companions,
        assumptions=tuple(assumptions),
        warnings=(*own, *warnings, *after),
        runs=law.runs,
    )


def law_in_words(law: Law) -> str:
    """Return the sentence that says what a stored law is."""
    low, high = units.format_number(law.x_range[0]), units.format_data(law.x_range[1], law.x_unit)
    origin = ORIGINS.get(law.source, law.source)
    points = f"{law.n_points} points from {low} to {high}" if law.n_points > 1 else f"one point at {high}"
    if law.form != FORECAST:
        return f"Law {law.id}: {origin}, form {law.form}, {points}; the form is taken to hold beyond them."
    return (
        f"Law {law.id}: {origin}, a forecast from {points}; beyond them the curve may change, the more "
        f"the further. Forms, by how well each foretold the largest points from the others: "
        f"{forms_in_words(law.forms)}. --single-form answers by one form."
    )


def forms_in_words(forms: Mapping[str, float]) -> str:
    """Return the weights of the forms of a forecast, the heaviest first."""
    ordered = sorted(forms.items(), key=lambda form: -form[1])
    return "; ".join(f"{name} {weight:.0%}" for name, weight in ordered)
