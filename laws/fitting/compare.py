"""Judge forms by what they would have said of the largest scales, had those not been measured yet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from laws.errors import PlannerError
from laws.fitting.fit import Posterior, fit
from laws.fitting.forms import FORMS
from laws.fitting.noise import Noise
from laws.points import Points

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Judgment:
    """How one form did on the points that it did not see."""

    form: str
    score: (
        float  # log predictive density of the held-out log y, summed; -inf where the form could not be fitted
    )
    rmsle: float  # of the median against the held-out y; NaN where the form could not be fitted
    weight: float  # softmax of the scores
    reason: str = ""  # why there is no fit


def held_out(points: Points, share: float = 0.3) -> NDArray[np.bool_]:
    """Return the mask (n,) of the largest `share` of the distinct x, one at least (of data on a surface)."""
    x = points.x if points.x.ndim == 1 else points.x[:, 1]
    sizes = np.unique(x)
    return np.asarray(x >= sizes[-max(1, int(share * len(sizes)))])


def log_predictive(posterior: Posterior, points: Points) -> float:
    """Return the log density of all points' log y together under the posterior predictive distribution."""
    residual = np.log(points.y) - FORMS[posterior.form].log_y(points.x, posterior.parameters)
    density = Noise(points).log_density(residual, posterior.parameters)
    return float(logsumexp(density) - np.log(len(density)))


def compare(points: Points, forms: Sequence[str], *, seed: int, share: float = 0.3) -> tuple[Judgment, ...]:
    """Return the judgment of each form, best first: fitted below the held-out largest sizes, scored on them.

    Leave-future-out scores (Bürkner et al. 2020, arXiv:1902.06281), weights by pseudo-BMA (Yao et al. 2018,
    arXiv:1704.02030, section 3.4). Raises PlannerError where no form can be fitted.
    """
    late = held_out(points, share)
    early, unseen = points.part(~late), points.part(late)
    scores, errors, reasons = [], [], []
    for form in forms:
        score, rmsle, reason = -np.inf, np.nan, ""
        try:
            posterior = fit(early, form, seed=seed)
        except PlannerError as refusal:
            reason = str(refusal)
        else:
            score = log_predictive(posterior, unseen)
            median = np.median(FORMS[form].log_y(unseen.x, posterior.parameters), axis=0)
            rmsle = float(np.sqrt(np.mean((median - np.log(unseen.y)) ** 2)))
        scores.append(score)
        errors.append(rmsle)
        reasons.append(reason)
    if not np.any(np.isfinite(scores)):
        raise PlannerError(f"no form could be judged on the largest sizes; of {forms[0]}: {reasons[0]}")
    weights = softmax(scores)
    rows = zip(forms, scores, errors, weights, reasons, strict=True)
    judged = [Judgment(form, s, e, float(w), r) for form, s, e, w, r in rows]
    return tuple(sorted(judged, key=lambda each: -each.score))
