"""The short report of a calibration: what the law says, how it did on its largest shard, what to do next."""

from collections.abc import Sequence

from laws.types import FORECAST, Law
from planner.plans.backtest import TestedLaw
from planner.reports import budget_report, fit_brief
from planner.reports.backtest import sentence
from planner.reports.brief import Brief
from planner.reports.calibrate import edge_sentence, left_out, runs_sentence, stopped
from planner.reports.quantities import counted
from planner.sources.calibrate import Calibration


def brief(calibration: Calibration, tested: Sequence[TestedLaw], *, store: str = "") -> Brief | None:
    """Return the short report.

    Args:
        calibration: A finished calibration.
        tested: Back-tests of its laws.
        store: Folder of the store, where it was named.

    Returns:
        The report of the law that answers: of the asked metric, and of the family with the least error on the
        largest shard. None where no forecast was fitted.
    """
    law = _answering(calibration)
    if law is None:
        return None
    use, spec = calibration.budget_use, calibration.spec
    remarks = (
        *([budget_report.last_step(use, spec.domain)] if use and use.steps else []),
        *(f"Without its largest shard: {sentence(one)}" for one in tested if one.law == law.id),
        runs_sentence(calibration),
        *stopped(calibration),
        *spec.corpus.notes,
        *left_out(spec.corpus.skipped),
        *map(edge_sentence, calibration.edges),
        *calibration.problems,
    )
    families = len(calibration.best)
    if families > 1:
        remarks = (f"{counted(families, 'family')} measured; {law.family} has the least error.", *remarks)
    laws = [law, *(one for one in calibration.laws if (one.family, one.form) == (law.family, law.form))]
    return fit_brief.brief(laws, notes=remarks, store=store, family=families > 1)


def _answering(calibration: Calibration) -> Law | None:
    use, spec = calibration.budget_use, calibration.spec
    metric = use.goal.metric if use else spec.metric
    forecasts = [law for law in calibration.laws if law.form == FORECAST and law.metric == metric]
    last = {family: models[-1].metrics[metric] for family, models in calibration.best.items() if models}
    return min(forecasts, key=lambda law: last.get(law.family, float("inf")), default=None)
