"""The other curves of a domain: their held-out scales say, too, which forms forecast there."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from laws.build import points_of
from laws.errors import PlannerError
from laws.forecasting.stacking import held_out_scores, stacking_weights
from laws.points import Points
from laws.storage.store import Store
from laws.types import FORECAST, Law
from planner.lawmodel.info import COMPANIONS


def others(folder: Path, domain: str, *, family: str, metric: str) -> dict[str, Points]:
    """Return the points of the domain's other forecasts by the id of the law: the newest of each curve.

    A curve is a metric of a family. Raises PlannerError where the store has none but the one that is named.
    """
    store = Store(folder)
    found: dict[tuple[str, str], Law] = {}
    for row in store.laws(domain=domain):
        key = (row.family, row.metric)
        if row.form == FORECAST and row.metric not in COMPANIONS and key != (family, metric):
            found.setdefault(key, store.law(row.id))
    curves = {law.id: points_of(law) for law in found.values() if law.points}
    if not curves:
        raise PlannerError(
            f"--pool: the store has no other curve of {domain!r} to learn from: fit one first under this "
            "--domain, with another --family or --metric, or leave --pool out"
        )
    return curves


def shared_weights(points: Points, curves: Sequence[Points], *, seed: int) -> NDArray[np.float64]:
    """Return the weights (K,) of the beliefs for `points` where `curves` are of the same collection."""
    scores = [held_out_scores(each, seed=seed) for each in (*curves, points)]
    return np.asarray(stacking_weights(scores)[-1])
