"""The other curves of a domain: their held-out scales also help to weight the forms of a forecast."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from laws.build import points_of
from laws.errors import LawNotFound, drop, use
from laws.forecasting.stacking import held_out_scores, stacking_weights
from laws.points import Points
from laws.storage.store import Store
from laws.types import FORECAST, Law
from planner.lawmodel.info import COMPANIONS


def other_curves(folder: Path, domain: str, *, family: str, metric: str) -> dict[str, Points]:
    """Return the points of the domain's other forecasts, the newest of each curve.

    Args:
        folder: Folder of the store.
        domain: The domain.
        family: Family of the curve to leave out.
        metric: Metric of the curve to leave out; a curve is a metric of a family.

    Returns:
        Id of the law -> its points.

    Raises:
        LawNotFound: The store has no other curve of the domain.
    """
    store = Store(folder)
    newest: dict[tuple[str, str], Law] = {}
    for row in store.laws(domain=domain):
        curve = (row.family, row.metric)
        if row.form == FORECAST and row.metric not in COMPANIONS and curve != (family, metric):
            newest.setdefault(curve, store.law(row.id))
    curves = {law.id: points_of(law) for law in newest.values() if law.points}
    if not curves:
        raise LawNotFound(
            f"domain {domain!r}: expected another curve in the store to learn from, got none",
            code="no-curve-to-pool",
            value=domain,
            hint=(
                use("family", "metric", purpose="to fit another curve of this domain first"),
                drop("pool"),
            ),
        )
    return curves


def shared_weights(points: Points, curves: Sequence[Points], *, seed: int) -> NDArray[np.float64]:
    """Return the weights of the prior components for a curve of a collection.

    Args:
        points: The curve.
        curves: The other curves of the collection.
        seed: Seed of the sampler.

    Returns:
        The weights, shape (components,).
    """
    scores = [held_out_scores(curve, seed=seed) for curve in (*curves, points)]
    return np.asarray(stacking_weights(scores)[-1])
