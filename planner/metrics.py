"""Metrics: what their names say about direction, range and unit, and the scale that a law keeps them in.

Inside, every metric is an error that falls with data. For a metric that rises, such as accuracy, that error
is the distance to its best value, its ceiling. `MetricScale` is the one place that converts: what you write
and read is the metric in its own terms.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from laws.errors import InputError
from laws.types import Quantity
from planner import units

PERCENT_UNITS = frozenset({"%", "percent", "percentage", "pct"})
MAX_RATE = 2.0  # above it a rate is a percentage without its sign; word error rates may exceed 1
FRACTION = "fraction"
MAX_DIGITS = 12  # of a printed value; rounding errors begin beyond them


@dataclass(frozen=True)
class KnownMetric:
    """What the name of a metric says about it.

    Attributes:
        higher_is_better: Whether it rises with data.
        low: The least value it can have, minus infinity without a bound.
        high: The largest value it can have, infinity without a bound.
        unit: Its unit, "fraction" for rates and "" for none.
        chance: The value that guessing reaches, None where it depends on the task.
    """

    higher_is_better: bool
    low: float = 0.0
    high: float = math.inf
    unit: str = ""
    chance: float | None = None

    def negated(self) -> "KnownMetric":
        """Return the metric with its sign turned round, as scorers that maximize write losses."""
        chance = None if self.chance is None else -self.chance
        return KnownMetric(not self.higher_is_better, 0.0 - self.high, 0.0 - self.low, "", chance)


_KINDS: Mapping[KnownMetric, str] = {
    KnownMetric(False, unit=FRACTION): (
        "wer cer ter wper per der eer fer ser mer ler jer hter far frr fpr fnr err error errors errorrate "
        "top1 top5 top1error top5error misclassification wil"
    ),
    KnownMetric(False): (
        "loss losses nll logloss crossentropy ce xent entropy perplexity ppl mse rmse mae mape smape msle "
        "nrmse absoluteerror squarederror percentageerror fid kid kl divergence brier ece lpips mcd "
        "deviation distance chamfer regret hinge mindcf"
    ),
    KnownMetric(False, unit="bits/byte"): "bpb bitsperbyte",
    KnownMetric(False, unit="bits/character"): "bpc bitsperchar bitspercharacter",
    KnownMetric(False, unit="bits/token"): "bitspertoken",
    KnownMetric(False, unit="bits/dimension"): "bpd bitsperdim bitsperdimension",
    KnownMetric(True, high=1.0, unit=FRACTION): (
        "accuracy accuracies acc wacc exactmatch em correct uas las passrate successrate winrate solverate "
        "acctop1 acctop5 accuracytop1 accuracytop5"
    ),
    KnownMetric(True, high=1.0): (
        "f1 f2 fscore fmeasure fbeta precision recall ap ar map averageprecision ndcg mrr hits hit auprc "
        "prauc aucpr iou miou dice jaccard rouge rougel rougelsum meteor bertscore comet ssim sensitivity "
        "specificity pq mota hota idf1 pass stoi"
    ),
    KnownMetric(True, high=1.0, chance=0.5): "auroc auc rocauc aucroc roc cindex cstatistic",
    KnownMetric(True, high=100.0): "bleu sacrebleu spbleu chrf",
    KnownMetric(True, low=-1.0, high=1.0, chance=0.0): (
        "mcc matthews kappa qwk spearman pearson spearmanr pearsonr correlation corr rho tau plcc srcc"
    ),
    KnownMetric(True, low=-math.inf, high=1.0, chance=0.0): "r2 nse",
    KnownMetric(True, low=-math.inf, high=0.0): "loglikelihood logprob logp",
    KnownMetric(True, low=1.0, high=5.0): "mos",
    KnownMetric(True, low=-0.5, high=4.5): "pesq",
    KnownMetric(True, low=-math.inf): "psnr snr sdr sisdr reward return returns elo elbo inceptionscore",
}
CATALOG: Mapping[str, KnownMetric] = {name: kind for kind, names in _KINDS.items() for name in names.split()}

# Words after the metric that say what it is a value of, not what it is: `F1 score`, `acc_norm`, `wer_clean`.
_WORDS_AFTER = (
    "score scores value mean avg average macro micro weighted best final max min last overall total none "
    "norm all test val valid validation dev eval clean other small medium large rate pct percent k"
)
_AFTER = frozenset(_WORDS_AFTER.split())
# Words before "error" with which it is a rate; other errors, such as reconstruction errors, have no bound.
_WORDS_BEFORE_ERROR = (
    "val valid validation test dev eval train best final mean avg top 1 5 top1 top5 classification word "
    "character char phone phoneme token sentence label frame equal diarization overall total"
)
_BEFORE_ERROR = frozenset(_WORDS_BEFORE_ERROR.split())
_NEGATED = frozenset({"neg", "negative", "minus"})
_COMPLEMENT = re.compile(r"\s*(?:1|1\.0|100|one)\s*(?:[-−]|minus\b)", re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}")
_WORD = re.compile(r"[A-Za-z0-9]+")
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
MAX_JOINED = 3  # words of one metric: bits per byte


def known_metric(name: str) -> KnownMetric | None:
    """Return what a name says about its metric, by its last word.

    Args:
        name: Such as `val/acc`, `metrics/mAP50(B)`, `F1 score (doc avg)`, `NDCG@10` or `bits_per_byte`; case
            does not matter.

    Returns:
        Direction, range and unit; None for names that say nothing. `1 - acc` is an error rate.
    """
    if complement := _COMPLEMENT.match(name):
        of = known_metric(name[complement.end() :])
        unit = FRACTION if of is not None and of.high == 1 else ""
        return KnownMetric(False, unit=unit) if of is not None and of.higher_is_better else None
    words = _WORD.findall(_IN_BRACKETS.sub(" ", name))
    known = _by_last_word([word.lower() for word in words])
    if known is None:
        pieces = [piece for word in words for piece in _CAMEL.findall(word)]
        known = _by_last_word([piece.lower() for piece in pieces])
    if known is not None and words and words[0].lower() in _NEGATED:
        return known.negated()
    return known


def _by_last_word(words: list[str]) -> KnownMetric | None:
    while words:
        for count in range(min(MAX_JOINED, len(words)), 0, -1):
            name = "".join(words[-count:])
            known = CATALOG.get(name) or (CATALOG.get(name.rstrip("0123456789")) if count == 1 else None)
            if known is not None:
                bounded = name not in {"error", "errors", "err"} or _BEFORE_ERROR.issuperset(words[:-count])
                return known if bounded else KnownMetric(False)
        if words[-1] not in _AFTER and not words[-1].isdigit():
            return None
        words = words[:-1]
    return None


def usual_unit(metric: str) -> str:
    """Return the unit that a metric has unless you give another.

    Args:
        metric: Name of the metric, in any case.

    Returns:
        "fraction" for rates, "" for no unit.
    """
    known = known_metric(metric)
    return "" if known is None else known.unit


@dataclass(frozen=True)
class MetricScale:
    """The terms that a metric is written and read in, and how they become an error.

    Attributes:
        metric: Name of the metric.
        unit: Its unit, "fraction" for rates.
        ceiling: Best value of a metric that rises with data; None where the metric is itself an error.
    """

    metric: str
    unit: str
    ceiling: float | None = None

    @property
    def higher_is_better(self) -> bool:
        """Return whether the metric rises with data."""
        return self.ceiling is not None

    @property
    def quantity(self) -> str:
        """Return the key of the metric among the quantities of an answer."""
        return "score" if self.higher_is_better else "error"

    @property
    def without_unit(self) -> "MetricScale":
        """Return the terms for narrow tables: rates keep their percent sign, other units are left out."""
        return replace(self, unit=self.unit if self.unit == FRACTION else "")

    def to_error(self, value: float) -> float:
        """Return the error of a value of the metric: the distance to the ceiling where it rises."""
        return value if self.ceiling is None else float(f"{self.ceiling - value:.{MAX_DIGITS}g}")

    def from_error(self, error: float) -> float:
        """Return the value of the metric for an error."""
        return error if self.ceiling is None else self.ceiling - error

    def of_errors(self, errors: Quantity) -> Quantity:
        """Return a quantity of errors in the metric's own terms; its quantiles stay in ascending order."""
        if self.ceiling is None:
            return errors
        return Quantity(
            draws=tuple(map(self.from_error, errors.draws)), unit=errors.unit, spread=errors.spread
        )

    def ends(self, low: float, middle: float, high: float) -> tuple[float, float, float]:
        """Return ascending quantiles of the error as ascending quantiles of the metric."""
        if self.ceiling is None:
            return low, middle, high
        return self.from_error(high), self.from_error(middle), self.from_error(low)

    def format(self, value: float, *, digits: int = 3) -> str:
        """Return a value of the metric as text, with its unit.

        Args:
            value: The value, in the metric's own terms.
            digits: Significant digits; more near the ceiling, where 99.95% and 99.99% differ.

        Returns:
            The text.
        """
        if self.ceiling is not None and 0 < (gap := abs(self.ceiling - value)) < abs(value):
            digits = min(max(digits, math.ceil(math.log10(abs(value) / gap)) + 1), MAX_DIGITS)
        return units.format_metric(value, self.unit, digits=digits)

    def format_error(self, error: float, *, digits: int = 3) -> str:
        """Return an error as text, in the metric's own terms."""
        return self.format(self.from_error(error), digits=digits)

    def parse(self, text: str) -> float:
        """Return a value that was written in the metric's own terms.

        Args:
            text: Such as `92%`, `0.8` or `30`. On scales up to 1 or 100, `0.8` and `80%` are read.

        Returns:
            The value.

        Raises:
            InputError: The text is not such a value ("unreadable-quantity").
        """
        if self.unit != FRACTION and text.rstrip().endswith("%") and self.ceiling in {1.0, 100.0}:
            share = units.parse_fraction(text)
            return float(f"{share * (self.ceiling or 1.0):.15g}")
        return units.parse_metric(text, self.unit, metric=self.metric)

    def checked_target(self, value: float, *, written: str = "") -> float:
        """Return the error of a target, or refuse one that no law can reach or mean.

        Args:
            value: The target, in the metric's own terms.
            written: The text that was typed.

        Returns:
            The target as an error.

        Raises:
            InputError: The metric cannot have the value ("impossible-target").
        """
        if self.ceiling is None:
            return units.checked_target(value, self.metric, self.unit, written=written)
        if value >= self.ceiling:
            percent = self.unit == FRACTION and value > 1 and not written.rstrip().endswith("%")
            note = f"; for {value:g} percent write {value:g}%" if percent and value < 100 else ""
            raise InputError(
                f"target {self.metric} {self.format(value)}: expected less than {self.format(self.ceiling)}, "
                f"the best value of the metric{note}",
                code="impossible-target",
                value=value,
            )
        return self.to_error(value)

    def or_better(self, text: str) -> str:
        """Return a value as the side of it that is better: `5% or less`, `92% or more`."""
        return f"{text} or {'more' if self.higher_is_better else 'less'}"


def cell_terms(metric: str, unit: str) -> MetricScale:
    """Return the terms in which the cells of a table are read, before their range is known."""
    known = known_metric(metric)
    bounded = known is not None and known.higher_is_better and math.isfinite(known.high)
    return MetricScale(metric, unit, known.high if known is not None and bounded else None)


def rises(data: Sequence[float], values: Sequence[float]) -> bool:
    """Return whether a metric rises with data: most pairs of measurements at different sizes do.

    Args:
        data: Data sizes (n,).
        values: The metric (n,).

    Returns:
        True where more pairs rise than fall.
    """
    pairs = sorted(zip(data, values, strict=True))
    step = max(1, len(pairs) // MAX_PAIRED)
    pairs = pairs[::step]
    balance = 0
    for i, (x, y) in enumerate(pairs):
        balance += sum((later > y) - (later < y) for size, later in pairs[i + 1 :] if size > x)
    return balance > 0


MAX_PAIRED = 200  # measurements that are compared in pairs
