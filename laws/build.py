"""Make the record that is stored and read: a law with its paths, from a posterior."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from laws.fit import Posterior
from laws.forms import FORMS
from laws.points import Points
from laws.records import law_id
from laws.types import Law, Rung, Source

Array = NDArray[np.float64]

PATHS = 1000  # enough for a 90 % interval good to a tenth of its width, small enough to be read in a moment
REACH = 9.0  # decades beyond the largest measured x
FINE, COARSE = 0.05, 0.1  # decades between grid points up to two decades beyond the data, and further out


def grid(points: Points) -> Array:
    """Return log x from the smallest measured x to 1e9 times the largest, ascending."""
    low, high = np.log10(points.x.min()), np.log10(points.x.max())
    fine = low + FINE * np.arange(int(np.ceil((high + 2 - low) / FINE)) + 1)
    coarse = fine[-1] + COARSE * np.arange(1, int(np.ceil((high + REACH - fine[-1]) / COARSE)) + 1)
    return np.asarray(np.concatenate([fine, coarse]) * np.log(10))


def law_from(
    posterior: Posterior,
    points: Points,
    *,
    domain: str,
    family: str,
    metric: str,
    metric_unit: str,
    x_unit: str,
    source: Source,
    definitions: Mapping[str, str],
    provenance: Mapping[str, str],
    runs: Sequence[str],
    ladder: Sequence[Rung] = (),
    seed: int,
    created: str | None = None,
    paths: Array | None = None,
) -> Law:
    """Return the law of a posterior; its id is a hash of everything but the time of making.

    It carries 1,000 paths (draws of log y over `grid(points)`): those of the posterior, or `paths` (n, grid)
    where a forecast knows better. A surface has none, its equation is read directly.
    """
    data = points.x if points.x.ndim == 1 else points.x[:, 1]
    log_x: Array = np.empty(0)
    if posterior.form != "surface":
        log_x = grid(points)
        if paths is None:
            rows = np.linspace(0, len(posterior.parameters["scale"]) - 1, PATHS).round().astype(int)
            drawn = {name: values[rows] for name, values in posterior.parameters.items()}
            paths = FORMS[posterior.form].log_y(np.exp(log_x), drawn)
    law = Law(
        id="",
        created=created or datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        domain=domain,
        family=family,
        metric=metric,
        metric_unit=metric_unit,
        x="data" if points.x.ndim == 1 else "params,data",
        x_unit=x_unit,
        form=posterior.form,
        parameters={name: tuple(values.tolist()) for name, values in posterior.parameters.items()},
        grid=tuple(log_x.tolist()),
        paths=() if paths is None else tuple(map(tuple, paths.tolist())),
        x_range=(float(data.min()), float(data.max())),
        n_points=len(points),
        points=_columns(points),
        ladder=tuple(ladder),
        diagnostics=dict(posterior.diagnostics),
        definitions=dict(definitions),
        provenance=dict(provenance) | {"seed": str(seed)},
        runs=tuple(runs),
        warnings=posterior.warnings,
    )
    return replace(law, id=law_id(law))


def _columns(points: Points) -> dict[str, tuple[float, ...]]:
    x = {"x": points.x} if points.x.ndim == 1 else {"params": points.x[:, 0], "data": points.x[:, 1]}
    se = {} if points.y_se is None else {"y_se": points.y_se}
    return {name: tuple(column.tolist()) for name, column in (x | {"y": points.y} | se).items()}
