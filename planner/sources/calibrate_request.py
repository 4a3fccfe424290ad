"""What the user asked to calibrate, read and checked before a corpus is made for nothing."""

from dataclasses import dataclass
from glob import has_magic
from pathlib import Path

from calibrate import domains
from calibrate.types import Domain, Goal, Preset
from laws.errors import PlannerError, nearest
from planner import units

_WANTED = "give a time such as 30m, or FLOP such as 1e15"


@dataclass(frozen=True, kw_only=True)
class CalibrationRequest:
    """What the user asked to calibrate, as it was written."""

    domain: str
    preset: str
    families: tuple[str, ...]  # none: those of the preset
    data: Path | None
    store: Path
    cache: Path
    seed: int
    workers: int | None
    engine: str = "local"
    address: str = "auto"  # of the cluster, where the engine is ray
    budget: str = ""  # what may be spent; nothing: all that the preset asks for
    target: tuple[str, str] | None = None  # metric (none: the domain's first) and value, for a budget

    @property
    def command(self) -> str:
        """Return the command that asks this again, on any machine."""
        words = ["planner calibrate --domain", self.domain, "--preset", self.preset, "--seed", str(self.seed)]
        words += [word for family in self.families for word in ("--family", family)]
        words += ["--data", str(self.data)] if self.data else []
        words += ["--budget", f"'{self.budget}'"] if self.budget else []
        words += ["--target", f"'{'='.join(filter(None, self.target))}'"] if self.target else []
        return " ".join(words)


def preset_of(request: CalibrationRequest) -> tuple[Domain, tuple[str, ...], Preset]:
    """Return the domain, families and preset that a request names; raise PlannerError for what cannot be."""
    domain = domains.find_domain(request.domain)
    if request.preset not in domain.presets:
        raise PlannerError(f"no preset is called {request.preset!r}{nearest(request.preset, domain.presets)}")
    for family in request.families:
        if family not in domain.families:
            raise PlannerError(f"{domain.name} has no family {family!r}{nearest(family, domain.families)}")
    if request.data is not None and not request.data.exists() and not has_magic(str(request.data)):
        raise PlannerError(
            f"--data {request.data}: wanted a corpus (a folder, file, glob or archive), and there is none"
        )
    preset = domain.presets[request.preset]
    families = tuple(dict.fromkeys(request.families)) or preset.families or domain.families
    if request.budget:
        budget_of(request)
        _check_alike(domain, families, goal_of(request, domain).metric)
    elif request.target:
        raise PlannerError(
            "a target says what a budget is spent on, and there is no budget: add one such as --budget 30m, "
            "or leave the target to `planner estimate`"
        )
    return domain, families, preset


def _check_alike(domain: Domain, families: tuple[str, ...], metric: str) -> None:
    """Raise PlannerError where the best of families is asked by a metric that they count differently."""
    counted = {
        domain.definitions.get(f"{metric} of {family}", domain.definitions.get(metric)) for family in families
    }
    if len(counted) > 1:
        raise PlannerError(
            f"{metric} is counted differently in {' and '.join(families)}, so the best of them cannot be "
            "told: give one --family, or a target of another metric"
        )


def budget_of(request: CalibrationRequest) -> tuple[float, str]:
    """Return what may be spent and its unit; raise PlannerError where that buys nothing."""
    amount, unit = units.parse_budget(request.budget)
    if amount <= 0:
        raise PlannerError(f"--budget {request.budget.strip()} buys nothing: wanted more than 0")
    if unit == "GPU-seconds" and request.engine == "ray":
        raise PlannerError(
            f"--budget {request.budget.strip()}: the nodes of a cluster come and go, so how many GPUs a "
            f"sweep holds is not known beforehand: {_WANTED}"
        )
    return amount, unit


def check_gpus(request: CalibrationRequest, gpus: int) -> None:
    """Raise PlannerError for a budget of GPU-hours where trainings run on the CPU."""
    if request.budget and not gpus and budget_of(request)[1] == "GPU-seconds":
        raise PlannerError(
            f"--budget {request.budget.strip()}: no GPU is seen here, trainings run on the CPU: {_WANTED}"
        )


def goal_of(request: CalibrationRequest, domain: Domain) -> Goal:
    """Return what a budget is to make surer; raise PlannerError for a target that no law could mean."""
    if request.target is None:
        return Goal(metric=next(iter(domain.metrics)))
    metric = request.target[0] or next(iter(domain.metrics))
    written = request.target[1]
    if metric not in domain.metrics:
        raise PlannerError(f"{domain.name} has no metric {metric!r}{nearest(metric, domain.metrics)}")
    unit = domain.metrics[metric]
    value = units.parse_metric(written, unit, metric=metric)
    return Goal(metric=metric, target=units.checked_target(value, metric, unit, written=written))
