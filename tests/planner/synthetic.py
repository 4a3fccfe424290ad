"""Laws with known answers, made from draws of their parameters, and the real command line to ask them."""

import contextlib
import io
import json
import math
import random
import sys
from dataclasses import dataclass, replace
from unittest import mock

from laws.errors import PlannerError
from laws.storage.records import content_id
from laws.storage.store import Store
from laws.types import Law, SizeCost
from planner import cli
from planner.commands import hints
from planner.commands.hints import line as as_line
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.stored import law_model
from planner.plans.estimate import estimate, scales_for_target

POINTS = 150  # about as many as a fit stores
LADDER = tuple(
    SizeCost(size=float(w), params=100.0 * w**2, flops=6e5 * w**2) for w in (8, 16, 32, 64, 128, 256)
)


def law(
    log_y,
    parameters,
    *,
    metric="wer",
    metric_unit="fraction",
    domain="speech",
    family="ds2",
    x_unit="hours",
    form="power-floor",
    x_range=(0.5, 8.0),
    source="calibrated",
    ladder=(),
    created="2026-01-01T00:00:00Z",
    x="data",
    n_points=5,
    warnings=(),
    metric_ceiling=None,
):
    """Return a stored law whose paths are `log_y(log x, draw)` for each draw of the parameters."""
    n = len(next(iter(parameters.values())))
    start, end = math.log(x_range[0]), math.log(1e9 * x_range[1])
    grid = tuple(start + i * (end - start) / POINTS for i in range(POINTS + 1)) if log_y else ()
    draws = [{name: values[i] for name, values in parameters.items()} for i in range(n)]
    made = Law(
        id="0",
        created=created,
        source=source,
        domain=domain,
        family=family,
        metric=metric,
        metric_unit=metric_unit,
        metric_ceiling=metric_ceiling,
        x=x,
        x_unit=x_unit,
        form=form,
        parameters={name: tuple(values) for name, values in parameters.items()},
        grid=grid,
        paths=tuple(tuple(log_y(g, draw) for g in grid) for draw in draws) if log_y else (),
        x_range=x_range,
        n_points=n_points,
        ladder=ladder,
        definitions={"parameters": "all trainable parameters"},
        provenance={"seed": "0"},
        warnings=warnings,
    )
    return replace(made, id=content_id(made))


def power(alpha, beta, gamma=0.0, *, spread=0.0, draws=200, seed=0, **rest):
    """Return a law y = alpha·x^-beta + gamma whose parameters scatter by the relative `spread`."""
    rng = random.Random(seed)
    parameters = {
        "alpha": [alpha * math.exp(spread * rng.gauss(0, 1)) for _ in range(draws)],
        "beta": [beta * math.exp(spread * rng.gauss(0, 1)) for _ in range(draws)],
        "gamma": [gamma * math.exp(spread * rng.gauss(0, 1)) for _ in range(draws)],
    }
    return law(lambda g, p: math.log(p["alpha"] * math.exp(-p["beta"] * g) + p["gamma"]), parameters, **rest)


def size(sigma, beta_p, *, draws=200, spread=0.0, seed=1, **rest):
    """Return a law of model size s = sigma·x^beta_p."""
    rng = random.Random(seed)
    parameters = {
        "sigma": [sigma * math.exp(spread * rng.gauss(0, 1)) for _ in range(draws)],
        "beta_p": [beta_p for _ in range(draws)],
    }
    settings = {"metric": "params", "metric_unit": "parameters", "form": "size", "ladder": LADDER} | rest
    return law(lambda g, p: math.log(p["sigma"]) + p["beta_p"] * g, parameters, **settings)


def passes(times, *, draws=200, **rest):
    """Return a law of data seen to the best error: `times` passes over any data."""
    settings = {"metric": "samples", "metric_unit": "hours", "form": "size"} | rest
    return law(lambda g, p: math.log(p["sigma"]) + g, {"sigma": [times] * draws}, **settings)


def surface(E, A, a, B, b, *, draws=50, spread=0.0, seed=2, **rest):
    """Return a surface law L = E + A/N^a + B/D^b."""
    rng = random.Random(seed)
    parameters = {
        name: [value * math.exp(spread * rng.gauss(0, 1)) for _ in range(draws)]
        for name, value in {"E": E, "A": A, "a": a, "B": B, "b": b}.items()
    }
    settings = {
        "metric": "loss",
        "metric_unit": "nats/token",
        "domain": "lm",
        "family": "transformer",
        "x_unit": "tokens",
        "form": "surface",
        "x": "params,data",
        "x_range": (6e8, 6e10),
        "source": "fitted",
    }
    return law(None, parameters, **(settings | rest))


def bare(folder):
    """Return the folder of a store that has no record yet; to name one that is no store at all is refused."""
    (folder / "laws").mkdir(parents=True)
    return folder


@dataclass(frozen=True)
class Ran:
    """What a command did: its exit code, its output, and the error that it was refused with."""

    code: int
    out: str
    err: str
    error: PlannerError | None = None

    @property
    def refused(self) -> str | None:
        """Return the code of the error of a command that printed one line and exited with 1."""
        one_line = (self.code, self.out, self.err.count("\n")) == (1, "", 1)
        return self.error.code if one_line and self.error is not None else None


def planner(*arguments):
    """Run `planner` as its entry point does, in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    errors: list[PlannerError] = []

    def line(error: PlannerError) -> str:
        errors.append(error)
        return as_line(error)

    with (
        mock.patch.object(hints, "line", line),
        mock.patch.object(sys, "argv", ["planner", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return Ran(code, out.getvalue(), err.getvalue(), errors[0] if errors else None)


def filled(folder, *laws):
    """Store laws in a new store, and return its folder."""
    opened = Store(folder)
    for stored in laws:
        opened.add_law(stored)
    opened.publish()
    return folder


def ask(store, *words):
    """Return what `planner estimate` answers by a store, as JSON."""
    ran = planner("estimate", *words, "--store", store, "--format", "json")
    assert ran.code == 0, ran.error
    return json.loads(ran.out)


def estimate_by(law, target, *, size=None, samples=None):
    """Return what a target needs by a stored law and its companions."""
    model = law_model(law, AllocationConstraints(), size=size, samples=samples)
    return estimate(model, scales_for_target(model, target), target=target)
