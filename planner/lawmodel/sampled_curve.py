"""The laws that a new measurement can be compared with: curves of data with posterior samples and noise."""

from laws.catalog.published import PublishedLaw
from laws.errors import LawError, run
from laws.types import Law
from planner.lawmodel.model import JOINT_FORMS


def sampled_curve(law: Law | PublishedLaw) -> Law:
    """Return a law if it is a curve of data with posterior samples and noise.

    Args:
        law: A law.

    Returns:
        The law.

    Raises:
        LawError: It is of parameters and data ("joint-law-without-curve"), or was not sampled here
            ("no-sampled-curve").
    """
    if isinstance(law, Law) and law.form in JOINT_FORMS:
        raise LawError(
            f"law {law.id} is of parameters and data: expected a curve of data only, since measurements are "
            "compared at one size of data",
            code="joint-law-without-curve",
            value=law.id,
            hint=(
                run("backtest", value=law.id, purpose="to test it on its largest runs"),
                run("estimate", value=f"--law {law.id} --params N --data D", purpose="to see its forecast"),
            ),
        )
    if not isinstance(law, Law) or not law.paths or "scale" not in law.parameters:
        raise LawError(
            f"law {law.id} has no sampled curve with noise: expected one, to say how far measurements may be "
            "from it",
            code="no-sampled-curve",
            value=law.id,
            hint=(run("calibrate", purpose="to measure one"), run("fit", purpose="to fit one")),
        )
    return law
