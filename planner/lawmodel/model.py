"""A law with its companions, evaluable per posterior sample: a `LawModel` answers every question."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from laws.codes import WarningCode
from laws.errors import run
from laws.types import SizeCost
from planner.lawmodel.assumptions import AssumptionCode, FlopMethod, LawAssumption, assume
from planner.lawmodel.info import LawInfo
from planner.lawmodel.power_law import PowerLaw
from planner.lawmodel.scenario import ScaleFunction, Scenario, cost_of_size

# Units of data of which a sequence model processes one per position: 2 FLOP per parameter forward, 4 backward
# (Kaplan et al. 2020, section 2.1, arXiv:2001.08361).
TOKENS = frozenset(
    {"tokens", "words", "characters", "bytes", "sub-word tokens", "word pieces", "speech tokens"}
)
JOINT_FORMS = ("surface", "repeated-data")
# the next step where a law has no compute cost
MEASURE_COST = (
    run("calibrate", purpose="to measure one"),
    run("fit", purpose="to fit runs with columns of parameters and FLOP"),
)


class MeasuredRange(NamedTuple):
    """What a law was measured at; None where a publication does not say."""

    smallest_data: float | None = None
    largest_data: float | None = None
    smallest_params: float | None = None  # of a joint law
    counted_sizes: tuple[float, float] | None = None  # smallest and largest model whose cost was counted
    largest_params: float | None = None  # of a joint law
    largest_compute: float | None = None  # of a joint law that was fitted here: parameters times data


class LawModel(NamedTuple):
    """A law with its companions, evaluable per posterior sample.

    Samples of different laws are independent, so any sample of one may be combined with any of the next.
    """

    law: LawInfo
    unit: str  # of data
    scenarios: tuple[Scenario, ...]
    measured: MeasuredRange
    forms: Mapping[str, float] = {}  # of a forecast: form -> weight
    families: Mapping[str, float] = {}  # of several: family -> probability that it is the best one
    companions: Mapping[str, str] = {}  # "params", "samples" -> id of a law
    unknowns: Mapping[str, tuple[float, ...]] = {}  # "exponent", ... -> samples
    power_law: PowerLaw | None = None  # through the measured points, by least squares; no forecast
    assumptions: tuple[LawAssumption, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def has_params(self) -> bool:
        """Return whether the law says how large a model is."""
        return self.scenarios[0].params is not None

    @property
    def has_flops(self) -> bool:
        """Return whether the law says how much compute training takes."""
        return self.has_params and self.scenarios[0].flops_per_sample is not None

    @property
    def is_joint(self) -> bool:
        """Return whether the law leaves open how parameters and data are balanced."""
        return self.law.form in JOINT_FORMS

    @property
    def curve_start(self) -> float | None:
        """Return the data below which a curve does not answer, the smallest measured; None for a joint
        law.
        """
        return None if self.is_joint else self.measured.smallest_data

    @property
    def joint_start(self) -> tuple[float | None, float | None]:
        """Return the smallest measured data and model of a joint law; None for both for a curve."""
        return (self.measured.smallest_data, self.measured.smallest_params) if self.is_joint else (None, None)


def curve_scenario(
    error: ScaleFunction,
    *,
    low: float,
    high: float,
    inverse: ScaleFunction,
    params: ScaleFunction | None,
    samples_seen: ScaleFunction | None,
    flops_per_sample: ScaleFunction | None,
) -> Scenario:
    """Return the scenario of a learning curve; its scale is the amount of data.

    Args:
        error: Error as a function of data.
        low: Smallest data.
        high: Largest data.
        inverse: Data as a function of error.
        params: Best model size as a function of data; None without a law of model size.
        samples_seen: Data seen in training as a function of data; None for one epoch.
        flops_per_sample: Training FLOP per sample as a function of parameters; None where not known.

    Returns:
        The scenario.
    """
    return Scenario(
        low=low,
        high=high,
        error=error,
        data=lambda x: x,
        samples_seen=samples_seen or (lambda x: x),
        params=params,
        flops_per_sample=flops_per_sample,
        exact_inverse=inverse,
    )


class ComputeCost(NamedTuple):
    """Training FLOP per sample as a function of parameters, and how they are known."""

    flops_per_sample: ScaleFunction | None
    assumptions: tuple[LawAssumption, ...] = ()
    warnings: tuple[str, ...] = ()


def compute_cost(
    ladder: Sequence[SizeCost],
    unit: str,
    *,
    has_params: bool,
    method: FlopMethod = FlopMethod.MODEL,
) -> ComputeCost:
    """Return what training costs per sample.

    Args:
        ladder: Model sizes whose cost was counted, by increasing parameters.
        unit: Unit of data.
        has_params: Whether a law says how large the model is.
        method: How the FLOP of the ladder were counted.

    Returns:
        The cost by the ladder; by 6 N D for sequence models without one; else without a function.
    """
    if has_params and ladder:
        counted = assume(AssumptionCode.FLOPS_COUNTED, method=method, sizes=len(ladder), unit=unit)
        function = cost_of_size([size.params for size in ladder], [size.flops for size in ladder])
        return ComputeCost(flops_per_sample=function, assumptions=(counted,))
    if has_params and unit in TOKENS:
        return ComputeCost(
            flops_per_sample=lambda params: 6 * params,
            assumptions=(assume(AssumptionCode.SIX_ND),),
            warnings=(WarningCode.SIX_ND,),
        )
    return ComputeCost(flops_per_sample=None, warnings=(WarningCode.NO_COMPUTE,))
