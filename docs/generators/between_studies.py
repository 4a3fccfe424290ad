"""Compute how far published studies of one question are from one another: `python -m
docs.generators.between_studies` writes laws/catalog/between_studies.json.

Notation: study j says y_j(x). Over the range that it measured, log y_j is close to a line, with the level a_j
at a scale that all studies share and the exponent b_j. A floor shows as a smaller exponent of the total. The
hierarchical model is a_j ~ N(mu, s_level^2) and b_j / mean(b) ~ N(1, s_ratio^2), each variance with a
scaled-inverse-chi^2 prior that is shared by all questions of a kind; a prediction for another study is then a
Student t (Gelman et al., Bayesian Data Analysis, section 2.6 and 5.4).
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from laws.catalog.between_studies import Spread
from laws.catalog.published import published_law
from planner.lawmodel.published import surface_of

FILE = Path(__file__).parents[2] / "laws" / "catalog" / "between_studies.json"
PRIOR_STUDIES = 1.0  # what the shared variance of a kind counts for
KINDS = ("error", "allocation", "setting")
LEVEL, RATIO = ("level",), ("ratio",)
POINTS = 5  # of each study, spread over the range that it measured


class Study(NamedTuple):
    """One study's answer to a question, over the scales that it measured."""

    name: str
    value: Callable[[float], float]
    low: float
    high: float

    def points(self) -> list[float]:
        """Return scales over the measured range, evenly spaced in logarithms."""
        step = math.log(self.high / self.low) / (POINTS - 1)
        return [self.low * math.exp(i * step) for i in range(POINTS)]

    def exponent(self) -> float:
        """Return the slope of log value against log scale over the measured range."""
        return math.log(self.value(self.high) / self.value(self.low)) / math.log(self.high / self.low)


def _law(id: str) -> Callable[[float], float]:
    law = published_law(id)
    (name,) = (i.name for i in law.inputs)
    return lambda x: law.evaluate(**{name: x})


def _best_loss(id: str) -> Callable[[float], float]:
    """Return the least loss of a joint law at 6 N D FLOP, by golden section over log N."""
    surface = surface_of(published_law(id))

    def loss(flops: float) -> float:
        low, high, golden = math.log(1e5), math.log(1e15), (math.sqrt(5) - 1) / 2
        for _ in range(60):
            left, right = high - golden * (high - low), low + golden * (high - low)
            worse = surface.loss(math.exp(left), flops / 6 / math.exp(left)) > surface.loss(
                math.exp(right), flops / 6 / math.exp(right)
            )
            low, high = (left, high) if worse else (low, right)
        size = math.exp((low + high) / 2)
        return surface.loss(size, flops / 6 / size)

    return loss


def _scaled(value: Callable[[float], float], factor: float) -> Callable[[float], float]:
    return lambda x: factor * value(x)


class Question(NamedTuple):
    """One question with the studies that answer it."""

    kind: str
    scale: float  # at which levels are compared
    studies: Sequence[Study]
    compares: Sequence[str] = ("level", "ratio")  # not both: other units, or one exponent used twice


def questions() -> dict[str, Question]:
    """Return every question by its name; replications on one data set are one study.

    Henighan et al. 2020 repeat Kaplan et al. 2020 on WebText2, and Besiroglu et al. 2024 the runs of Hoffmann
    et al. 2022.
    """
    size, data = _law("hoffmann2022-frontier-a1"), _law("hoffmann2022-frontier-a1-data")
    tokens, step_rate = _law("llama3-allocation"), published_law("steplaw2025-lr")
    step_batch, per_token = _law("steplaw2025-batch"), _law("deepseek2024-M")
    bits, gordon = math.log(2), published_law("gordon2021-de-en")  # a bit in nats
    return {
        "language/loss": Question(
            "error",
            1e21,
            [
                Study("kaplan2020", _law("kaplan2020-LCmin"), 1e17, 1e21),
                Study("besiroglu2024", _best_loss("besiroglu2024"), 6e18, 3e21),
                Study("muennighoff2023", _best_loss("muennighoff2023"), 1e19, 1e22),
                Study("sardana2023", _best_loss("sardana2023-refit-all"), 1e18, 1e22),
                Study("krajewski2024", _best_loss("krajewski2024-dense"), 1e19, 3e21),
            ],
        ),
        "language/params": Question(
            "allocation",
            1e20,
            [
                Study("kaplan2020", _law("kaplan2020-nopt"), 1e17, 1e21),
                Study("hoffmann2022", size, 6e18, 3e21),
                Study("llama3", lambda c: c / 6 / tokens(c), 6e18, 1e22),
                Study("deepseek2024", lambda c: per_token(c) / 6, 1e17, 3e20),
                Study("tao2024", _law("tao2024-size"), 1e18, 1e21),
            ],
        ),
        "language/batch": Question(
            "setting",
            1e20,
            [
                Study("kaplan2020", _law("kaplan2020-b"), 1e17, 1e21),
                Study("deepseek2024", _law("deepseek2024-batch"), 1e17, 2e19),
                Study("moonlight2025", _law("moonlight2025-batch"), 1e19, 1e21),
                Study("steplaw2025", lambda c: step_batch(data(c)), 1e18, 1e21),
            ],
        ),
        "language/learning-rate": Question(
            "setting",
            1e20,
            [
                Study("deepseek2024", _law("deepseek2024-lr"), 1e17, 2e19),
                Study("moonlight2025", _law("moonlight2025-lr"), 1e19, 1e21),
                Study("steplaw2025", lambda c: step_rate.evaluate(params=size(c), data=data(c)), 1e18, 1e21),
            ],
        ),
        "translation/exponent": Question(
            "error",
            1e7,
            [  # token error by tokens, loss by sentence pairs, loss by bytes at a billion parameters
                Study("hestness2017", _law("hestness2017-nmt-bestfit"), 5e5, 1.3e8),
                Study("bansal2022", _law("bansal2022-encdec"), 5.12e5, 5.12e8),
                Study("gordon2021", lambda x: gordon.evaluate(params=1e9, data=x), 5.24e6, 5e8),
            ],
            RATIO,
        ),
        "word-lm/loss": Question(
            "error",
            1e8,
            [
                Study("hestness2017", _law("hestness2017-wordlm"), 1e6, 7.68e8),
                Study("hestness2019", _law("hestness2019-wordlm-curve"), 1e6, 7.68e8),
            ],
            LEVEL,
        ),
        "char-lm/loss": Question(
            "error",
            1e8,
            [
                Study("hestness2017", _law("hestness2017-charlm-sgd"), 350730, 1.4e8),
                Study("hestness2019", _scaled(_law("hestness2019-charlm-curve"), bits), 1e8, 3.48e9),
            ],
            LEVEL,
        ),
        "translation/token-error": Question(
            "error",
            1e8,
            [
                Study("hestness2017", _law("hestness2017-nmt-bestfit"), 5e5, 1.3e8),
                Study("hestness2019", _law("hestness2019-nmt-curve"), 1e7, 1.3e8),
            ],
            LEVEL,
        ),
    }


class _Squares(NamedTuple):
    """Sums of squared deviations from the mean of a question's studies, and how many of each are free."""

    level: float = 0.0
    ratio: float = 0.0
    free_level: int = 0
    free_ratio: int = 0


def _squares(question: Question) -> _Squares:
    scale, studies = question.scale, question.studies
    levels = [math.log(study.value(scale)) for study in studies]
    exponents = [study.exponent() for study in studies]
    level, exponent = (sum(values) / len(studies) for values in (levels, exponents))
    free = {name: len(studies) - 1 if name in question.compares else 0 for name in ("level", "ratio")}
    return _Squares(
        level=sum((value - level) ** 2 for value in levels) if free["level"] else 0.0,
        ratio=sum((value / exponent - 1) ** 2 for value in exponents) if free["ratio"] else 0.0,
        free_level=free["level"],
        free_ratio=free["ratio"],
    )


def spread(kind: str, every: Mapping[str, Question], name: str | None) -> Spread:
    """Return how far one more study of a question may be from one of these.

    Args:
        kind: One of `KINDS`.
        every: All questions; those of the kind share the prior of the variances.
        name: The question; None for one without two studies.

    Returns:
        Standard deviations of level and exponent between two studies, and degrees of freedom.
    """
    kinds = [_squares(question) for question in every.values() if question.kind == kind]
    own = _squares(every[name]) if name is not None else _Squares()
    shared_level = sum(one.level for one in kinds) / sum(one.free_level for one in kinds)
    shared_ratio = sum(one.ratio for one in kinds) / sum(one.free_ratio for one in kinds)

    def apart(mine: float, shared: float, free: int) -> float:
        # of the difference of two studies
        return math.sqrt(2 * (PRIOR_STUDIES * shared + mine) / (PRIOR_STUDIES + free))

    freedom = PRIOR_STUDIES + max(own.free_level, own.free_ratio)
    return Spread(
        kind=kind,
        level=apart(own.level, shared_level, own.free_level),
        ratio=apart(own.ratio, shared_ratio, own.free_ratio),
        freedom=freedom if name is not None else float(sum(one.free_level for one in kinds)),
        studies=tuple(study.name for study in every[name].studies) if name is not None else (),
    )


def coverage(every: Mapping[str, Question], name: str) -> tuple[int, int]:
    """Return how many points of each left-out study the 90 % intervals by every other study hold.

    Args:
        every: All questions.
        name: The question whose studies are left out in turn.

    Returns:
        Points inside, and all points.
    """
    inside = total = 0
    question = every[name]
    for left_out in question.studies:
        others = [study for study in question.studies if study is not left_out]
        apart = spread(question.kind, {**every, name: question._replace(studies=others)}, name)
        for study in others:
            center = study.value(math.sqrt(study.low * study.high))
            for x in left_out.points():
                low, high = apart.interval(study.value(x), center)
                inside += low <= left_out.value(x) <= high
                total += 1
    return inside, total


def main() -> None:
    """Write the spread of every question, and of each kind for questions with fewer than two studies."""
    every = questions()
    rows = {name: spread(question.kind, every, name) for name, question in every.items()}
    rows |= {kind: spread(kind, every, None) for kind in KINDS}
    text = json.dumps({name: row._asdict() for name, row in rows.items()}, indent=1)
    FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
