"""What you asked to calibrate, checked before a corpus is made for nothing."""

from dataclasses import dataclass
from glob import has_magic
from pathlib import Path

from calibrate import domains
from calibrate.types import Domain, Goal, Preset
from laws.errors import ConflictingInput, InputError, MissingInput, UnknownName, run, use
from planner import units

BUDGET_KINDS = "a time such as 30m, or FLOP such as 1e15"


@dataclass(frozen=True, kw_only=True)
class CalibrationRequest:
    """A request to calibrate, as it was written.

    Attributes:
        domain: Name of a domain, or path of a domain's .py file.
        preset: Name of one of its presets.
        families: Families to train; empty for those of the preset.
        data: A corpus of the user; None for the embedded one.
        store: Folder of the store.
        cache: Folder of prepared corpora.
        seed: Seed of corpus, draws and trainings.
        workers: Trainings at once; None for as many as fit.
        engine: "local" or "ray".
        address: The Ray cluster.
        budget: The most to spend; empty for all that the preset asks for.
        target: Metric (empty for the domain's first) and value whose uncertainty a budget reduces.
    """

    domain: str
    preset: str
    families: tuple[str, ...]
    data: Path | None
    store: Path
    cache: Path
    seed: int
    workers: int | None
    engine: str = "local"
    address: str = "auto"
    budget: str = ""
    target: tuple[str, str] | None = None

    @property
    def command(self) -> str:
        """Return the command that asks this again, on any machine."""
        words = ["planner calibrate --domain", self.domain, "--preset", self.preset, "--seed", str(self.seed)]
        words += [word for family in self.families for word in ("--family", family)]
        words += ["--data", str(self.data)] if self.data else []
        words += ["--budget", f"'{self.budget}'"] if self.budget else []
        words += ["--target", f"'{'='.join(filter(None, self.target))}'"] if self.target else []
        return " ".join(words)


def check_request(request: CalibrationRequest) -> tuple[Domain, tuple[str, ...], Preset]:
    """Look up the domain, families and preset of a request.

    Args:
        request: What was asked.

    Returns:
        The domain, the families to train, and the preset.

    Raises:
        UnknownName: For an unknown domain, preset, family or metric.
        MissingInput: For a corpus that does not exist ("corpus-not-found").
        InputError: For a budget or target that cannot be used.
    """
    domain = domains.find_domain(request.domain)
    if request.preset not in domain.presets:
        raise UnknownName("preset", request.preset, domain.presets, code="unknown-preset")
    for family in request.families:
        if family not in domain.families:
            raise UnknownName(f"family of {domain.name}", family, domain.families, code="unknown-family")
    if request.data is not None and not request.data.exists() and not has_magic(str(request.data)):
        raise MissingInput(
            f"corpus {request.data} does not exist: expected a folder, file, glob or archive",
            code="corpus-not-found",
            value=str(request.data),
        )
    preset = domain.presets[request.preset]
    families = tuple(dict.fromkeys(request.families)) or preset.families or domain.families
    if request.budget:
        parse_request_budget(request)
        _check_comparable(domain, families, goal_of(request, domain).metric)
    elif request.target:
        raise MissingInput(
            "a target was given without a budget: expected a budget to spend on it",
            code="target-without-budget",
            value="=".join(filter(None, request.target)),
            hint=(
                use("budget", value="30m"),
                run("estimate", purpose="to ask what a target needs from laws that are measured"),
            ),
        )
    return domain, families, preset


def _check_comparable(domain: Domain, families: tuple[str, ...], metric: str) -> None:
    """Raise InputError where families count a metric differently, so that none of them is the best."""
    definitions = {
        domain.definitions.get(f"{metric} of {family}", domain.definitions.get(metric)) for family in families
    }
    if len(definitions) > 1:
        raise ConflictingInput(
            f"{' and '.join(families)} count {metric} differently: expected families that can be compared",
            code="metric-differs",
            value=metric,
            hint=(use("family", purpose="to train one"), use("target", purpose="to name another metric")),
        )


def parse_request_budget(request: CalibrationRequest) -> tuple[float, str]:
    """Parse the budget of a request.

    Args:
        request: What was asked, with a budget.

    Returns:
        The amount and its unit: "FLOP", "seconds" or "GPU-seconds".

    Raises:
        InputError: For an amount of 0 ("empty-budget"), or GPU-hours on a cluster, whose number of GPUs
            changes ("gpu-hours-on-cluster").
    """
    amount, unit = units.parse_budget(request.budget)
    written = request.budget.strip()
    if amount <= 0:
        raise InputError(f"budget {written}: expected more than 0", code="empty-budget", value=written)
    if unit == "GPU-seconds" and request.engine == "ray":
        raise ConflictingInput(
            f"budget {written}: expected {BUDGET_KINDS}, because nodes of a cluster come and go "
            "and the number of "
            "GPUs is not known in advance",
            code="gpu-hours-on-cluster",
            value=written,
            expected=BUDGET_KINDS,
        )
    return amount, unit


def check_gpus(request: CalibrationRequest, gpus: int) -> None:
    """Refuse a budget of GPU-hours where trainings run on the CPU.

    Args:
        request: What was asked.
        gpus: How many GPUs this machine has.

    Raises:
        InputError: For GPU-hours without a GPU ("no-gpu").
    """
    if request.budget and not gpus and parse_request_budget(request)[1] == "GPU-seconds":
        written = request.budget.strip()
        raise InputError(
            f"budget {written}: expected {BUDGET_KINDS}, because this machine has no GPU",
            code="no-gpu",
            value=written,
            expected=BUDGET_KINDS,
        )


def goal_of(request: CalibrationRequest, domain: Domain) -> Goal:
    """Return the quantity whose uncertainty a budget reduces.

    Args:
        request: What was asked.
        domain: Its domain.

    Returns:
        The metric, and the target where one was given.

    Raises:
        UnknownName: For a metric that the domain does not have.
        InputError: For a target that no law can reach.
    """
    if request.target is None:
        return Goal(metric=next(iter(domain.metrics)))
    metric = request.target[0] or next(iter(domain.metrics))
    written = request.target[1]
    if metric not in domain.metrics:
        raise UnknownName(f"metric of {domain.name}", metric, domain.metrics, code="unknown-metric")
    unit = domain.metrics[metric]
    value = units.parse_metric(written, unit, metric=metric)
    return Goal(metric=metric, target=units.checked_target(value, metric, unit, written=written))
