"""`planner track-record`: scores of past forecasts."""

from planner.commands.options import DomainOption, FormatOption, StoreOption, existing_store
from planner.reports.formats import Format


def track_record(
    domain: DomainOption = None, store: StoreOption = None, style: FormatOption = Format.table
) -> None:
    """Score your past forecasts against their outcomes.

    Reports coverage, bias and interval score by domain and age.
    """
    from planner.plans.tracking.track_record import comparisons, scores
    from planner.reports.report import show
    from planner.reports.store import current
    from planner.reports.track_record import track_records, track_report

    compared = comparisons(current(existing_store(store)), domain=domain)
    domain_scores = scores(compared)
    left_out = sum(comparison.predicted is None for comparison in compared)
    show(track_report(domain_scores, left_out), track_records(domain_scores), style)
