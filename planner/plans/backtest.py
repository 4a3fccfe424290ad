"""Back-test what was measured: without the largest scales, what would have been forecast for them?"""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from laws.errors import LawError, PlannerError, run
from laws.forecasting.backtest import Backtest, backtest
from laws.points import check_points
from laws.types import FORECAST, Law
from planner.lawmodel.info import COMPANIONS, law_info
from planner.lawmodel.select import select_law
from planner.lawmodel.selector import LawSelector
from planner.metrics import MetricScale
from planner.sources.fit import Request, points_to_fit


class TestedLaw(NamedTuple):
    """A back-test and what it is of."""

    title: str  # the file, or the law
    law: str  # its id; "" for a file
    scale: MetricScale  # of the metric
    data_unit: str
    left_out: str  # which rows of a file were not used; "" for none
    result: Backtest


def backtest_source(request: Request, *, leave_out: int | None = None) -> TestedLaw:
    """Back-test the law that a file would give.

    Args:
        request: The file and what you say about it, as `planner fit` takes it.
        leave_out: How many of the largest sizes are left out; None for the largest 30 %.

    Returns:
        The back-test.

    Raises:
        InputError: The request cannot be fitted, or too few sizes are left ("too-few-sizes").
        TableError: The file, a column or a cell cannot be read.
        LawError: Sampling did not converge.
    """
    points, form, terms = points_to_fit(request)
    result = backtest(points, form, seed=request.seed, leave_out=leave_out)
    measured = terms.measured
    return TestedLaw(measured.path.name, "", terms.scale, request.data_unit, measured.left_out, result)


def backtest_stored(
    selector: LawSelector, folder: Path, *, seed: int, leave_out: int | None = None
) -> TestedLaw:
    """Back-test a law of a store on the points that it was fitted to.

    Args:
        selector: Which law.
        folder: Folder of the store.
        seed: The same seed gives the same answer.
        leave_out: How many of the largest sizes are left out; None for the largest 30 %.

    Returns:
        The back-test.

    Raises:
        LawError: The law has no points ("no-points-of-law"), or sampling did not converge.
        InputError: Too few sizes are left ("too-few-sizes").
    """
    law = select_law(selector, folder).law
    if not isinstance(law, Law) or not law.points:
        raise LawError(
            f"law {law.id} does not record its points: expected a fitted or calibrated law",
            code="no-points-of-law",
            value=law.id,
            hint=run("fit", purpose="to fit one"),
        )
    return _of_law(law, seed=seed, leave_out=leave_out)


def backtests(laws: Sequence[Law], *, seed: int) -> tuple[TestedLaw, ...]:
    """Return the back-test of each forecast among some laws, without its largest size.

    Args:
        laws: Laws, such as those of a calibration.
        seed: The same seed gives the same answer.

    Returns:
        Back-tests in the order of the laws; laws with too few sizes, or that do not settle, have none.
    """
    tested = []
    for law in laws:
        if law.form == FORECAST and law.points and law.metric not in COMPANIONS:
            with suppress(PlannerError):
                tested.append(_of_law(law, seed=seed, leave_out=1))
    return tuple(tested)


def _of_law(law: Law, *, seed: int, leave_out: int | None) -> TestedLaw:
    columns = law.points
    x = columns["x"] if "x" in columns else list(zip(columns["params"], columns["data"], strict=True))
    points = check_points(x, columns["y"], y_se=columns.get("y_se"))
    result = backtest(points, law.form, seed=seed, leave_out=leave_out)
    return TestedLaw(f"law {law.id}", law.id, law_info(law).scale, law.x_unit, "", result)
