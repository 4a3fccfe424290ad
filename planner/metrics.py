"""What is known of metrics by their names: which are rates, and which rise with data."""

ERROR_RATES = frozenset({"wer", "cer", "ter", "wper", "error", "top1", "top5"})
RISING_METRICS = frozenset({"accuracy", "acc", "bleu", "chrf", "f1", "auc", "map", "miou"})
PERCENT_UNITS = frozenset({"%", "percent", "percentage", "pct"})
MAX_RATE = 2.0  # above it a rate is a percentage without its sign; word error rates may exceed 1


def usual_unit(metric: str) -> str:
    """Return the unit that a metric has unless told otherwise.

    Args:
        metric: Name of the metric, in any case.

    Returns:
        "fraction" for error rates, else "" (no unit).
    """
    return "fraction" if metric.lower() in ERROR_RATES else ""
