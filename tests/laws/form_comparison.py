"""Compare forms by their predictions of the largest scales: an independent check of the forms in the
package.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from laws.errors import LawError, PlannerError
from laws.fitting.fit import Posterior, fit
from laws.fitting.forms import FORMS
from laws.fitting.noise import Noise
from laws.points import Points

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Judgment:
    """How one form did on the points that it did not see.

    Attributes:
        form: A key of FORMS.
        score: Log predictive density of the held-out log y, summed; -inf where the form could not be fitted.
        rmsle: Root mean squared error of the median's log; NaN where the form could not be fitted.
        weight: Softmax of the scores.
        code: Code of the error where there is no fit.
    """

    form: str
    score: float
    rmsle: float
    weight: float
    code: str = ""


def held_out(points: Points, share: float = 0.3) -> NDArray[np.bool_]:
    """Return the mask (n,) of the largest `share` of the distinct x, at least one (of data for a joint
    law).
    """
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
    arXiv:1704.02030, section 3.4).

    Raises:
        LawError: Where no form can be fitted; code "no-form-fitted".
    """
    late = held_out(points, share)
    early, future = points.part(~late), points.part(late)
    scores, errors, codes = [], [], []
    for form in forms:
        score, rmsle, code = -np.inf, np.nan, ""
        try:
            posterior = fit(early, form, seed=seed)
        except PlannerError as refusal:
            code = refusal.code
        else:
            score = log_predictive(posterior, future)
            median = np.median(FORMS[form].log_y(future.x, posterior.parameters), axis=0)
            rmsle = float(np.sqrt(np.mean((median - np.log(future.y)) ** 2)))
        scores.append(score)
        errors.append(rmsle)
        codes.append(code)
    if not np.any(np.isfinite(scores)):
        raise LawError("forms: expected one that can be judged on the largest sizes", code="no-form-fitted")
    weights = softmax(scores)
    rows = zip(forms, scores, errors, weights, codes, strict=True)
    judgments = [Judgment(form, s, e, float(w), c) for form, s, e, w, c in rows]
    return tuple(sorted(judgments, key=lambda judgment: -judgment.score))
