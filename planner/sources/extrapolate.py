"""Forecast many learning curves at scales that were not measured: `planner extrapolate`.

Each curve is forecast by `laws/forecasting/forecast.py` in worker processes. It takes two stages: each curve
scores the prior components on its own held-out scales, then the curves of one set share those scores and
every curve is forecast. Finished work is kept in a journal next to the output, so that the same command
continues after an interruption.
"""

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from laws.codes import WarningCode
from laws.errors import FileError, PlannerError, TableError, use
from laws.storage.atomic_write import write_atomically
from planner import units
from planner.metrics import MetricScale
from planner.sources.column_roles import column_like
from planner.sources.metric_terms import MetricOptions, error_of_chance, rises_by_name, scale_of_rising
from planner.sources.run_table import cell_name, number
from planner.sources.table_file import read_names, read_rows
from planner.sources.tracked_table import is_tracked, tracked_curves
from planner.sources.training_log import log_curve, steps_column
from planner.sources.worker_pool import run_all
from planner.text import csv_cell

NOT_CSV = (".parquet", ".jsonl", ".ndjson", ".json", ".xlsx")  # suffixes that promise another format
LEVELS = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
SAMPLES_PER_CURVE = 2000  # quantiles of 1000 are off by some 4% of the spread, and these cost little
REQUIRED = ("curve", "x", "y")
OPTIONAL = ("y_se", "weight", "set", "ceiling")
_PARSED = {  # how a cell is written
    "x": units.parse_number,
    "weight": units.parse_number,
    **dict.fromkeys(("y", "y_se", "ceiling"), units.parse_value),
}
_ABOVE_ZERO = ("x", "weight", "ceiling")

OnProgress = Callable[[str, int, int], None]
Points = tuple[tuple[float, float, float | None, float | None], ...]


@dataclass(frozen=True)
class Question:
    """One curve and the scales to forecast.

    Attributes:
        set: Name of the set of curves that share what they learn about the forms; "" for none.
        curve: Name of the curve.
        measured: x, y, standard error of y and weight of each measurement, ascending in x.
        asked: The scales to forecast.
        ceiling: Error of chance-level answers, where it is known.
        best: Best value of a metric that rises; `measured` has its distance to it.
    """

    set: str
    curve: str
    measured: Points
    asked: tuple[float, ...]
    ceiling: float | None = None
    best: float | None = None

    def key(self, seed: int) -> str:
        """Return a name that changes with anything that changes the answer.

        Args:
            seed: Seed of the forecast.

        Returns:
            24 hexadecimal digits.
        """
        return hashlib.sha256(repr((self, seed)).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Answer:
    """The forecast of one curve.

    Attributes:
        quantiles: One row per scale, in the order of `LEVELS`, in the unit of y.
        forms: Name of each form -> its weight.
        warnings: Warning codes.
    """

    quantiles: tuple[tuple[float, ...], ...]
    forms: dict[str, float]
    warnings: tuple[str, ...]


def extrapolate(
    curves: Path,
    out: Path,
    *,
    seed: int = 0,
    pool: bool = False,
    processes: int | None = None,
    metric: MetricOptions | None = None,
    column: str | None = None,
    at: Sequence[float] = (),
    on_progress: OnProgress = lambda _stage, _done, _all: None,
) -> list[tuple[Question, Answer]]:
    """Forecast every curve of a file and write the forecasts as CSV.

    Args:
        curves: A table file or a tracker's store, see `read_curves`.
        out: The file to write.
        seed: Seed of the forecasts.
        pool: Whether all curves share what they learn about the forms; otherwise those of one `set` do.
        processes: Number of worker processes, by default one per core; it does not change the answer.
        metric: What y is; None for an error or a loss.
        column: The metric of a tracker's runs that y is.
        at: Scales to forecast for every curve, besides those of the file.
        on_progress: Called with the stage, the number of curves done and the number of all.

    Returns:
        Each curve with its forecast, in the order of the file.

    Raises:
        TableError: The file or a cell cannot be read, or no scale is to be forecast.
        FileError: `out` cannot be written.
        EngineError: Worker processes are killed again and again.
    """
    questions = read_curves(curves, metric=metric, column=column, at=at)
    _refuse_output(out, curves)
    journal = out.with_name(out.name + ".journal") if out.is_file() or not out.exists() else None
    try:
        if journal is not None:
            _open_journal(journal).close()
        answers = answered(
            questions, seed=seed, pool=pool, processes=processes, journal=journal, on_progress=on_progress
        )
        both = [(q, _own(q, answer)) for q, answer in zip(questions, answers, strict=True)]
        write_atomically(out, lambda path: _write(path, both))
        if journal is not None:
            journal.unlink()
    except OSError as error:
        raise _unwritable(out, error.strerror or str(error)) from None
    return both


def _own(question: Question, answer: Answer) -> Answer:
    """Return a forecast of errors in the terms of y; its quantiles stay in ascending order."""
    if question.best is None:
        return answer
    rows = (tuple(question.best - value for value in reversed(row)) for row in answer.quantiles)
    return replace(answer, quantiles=tuple(rows))


def _refuse_output(out: Path, curves: Path) -> None:
    if out.is_dir() or not out.parent.is_dir():
        raise _unwritable(out, "expected the name of a file in a folder that exists")
    if out.exists() and out.samefile(curves):
        raise _unwritable(out, "it is the file of curves itself")
    if out.suffix.lower() in NOT_CSV:
        raise _unwritable(out, "forecasts are written as CSV, expected a name that ends in .csv")


def _unwritable(out: Path, reason: str) -> FileError:
    return FileError(
        f"{out} cannot be written: {reason}",
        code="unwritable-output",
        value=str(out),
        hint=use("out", purpose="to name another file"),
    )


@dataclass(frozen=True)
class _Workers:
    """Worker processes, and the journal of what they finished."""

    processes: int
    journal: Path | None
    on_progress: OnProgress
    finished: dict[str, Any]

    def results(
        self, stage: str, function: Callable[..., Any], tasks: dict[str, tuple[Any, ...]]
    ) -> dict[str, Any]:
        """Return the result of each task, computing what the journal lacks."""
        results = {key: self.finished[key] for key in tasks if key in self.finished}
        missing = {key: arguments for key, arguments in tasks.items() if key not in results}
        self.on_progress(stage, len(results), len(tasks))
        with closing(run_all(function, missing, processes=self.processes)) as ended:
            for key, result in ended:
                results[key] = result
                _append(self.journal, key, result)
                self.on_progress(stage, len(results), len(tasks))
        return results


def answered(
    questions: Sequence[Question],
    *,
    seed: int,
    pool: bool = False,
    processes: int | None = None,
    journal: Path | None = None,
    on_progress: OnProgress = lambda _stage, _done, _all: None,
) -> list[Answer]:
    """Return the forecasts of curves.

    Args:
        questions: The curves.
        seed: Seed of the forecasts.
        pool: Whether all curves share what they learn about the forms.
        processes: Number of worker processes; it does not change the answer.
        journal: File with the results of an interrupted call, which are used, and to which new ones are
            added.
        on_progress: Called with the stage, the number of curves done and the number of all.

    Returns:
        The forecasts, in the order of the questions.

    Raises:
        EngineError: Worker processes are killed again and again.
    """
    # many processes with one thread each
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    workers = _Workers(processes or os.cpu_count() or 1, journal, on_progress, dict(_journaled(journal)))
    return _forecasts(workers, questions, seed=seed, pool=pool)


def _forecasts(workers: _Workers, questions: Sequence[Question], *, seed: int, pool: bool) -> list[Answer]:
    from laws.forecasting.stacking import stacking_weights

    score_tasks = {"score-" + q.key(seed): (q, seed) for q in questions}
    scores = workers.results("judging forms", _score, score_tasks)
    sets: dict[str, list[int]] = {}
    for i, q in enumerate(questions):
        sets.setdefault("all" if pool else q.set or f"curve {i}", []).append(i)
    weights: dict[int, list[float]] = {}
    for members in sets.values():
        rows = stacking_weights([scores["score-" + questions[i].key(seed)] for i in members])
        weights |= {i: [float(w) for w in row] for i, row in zip(members, rows, strict=True)}
    keys = [f"answer-{q.key(seed)}-{_digest(weights[i])}" for i, q in enumerate(questions)]
    tasks = {key: (questions[i], weights[i], seed) for i, key in enumerate(keys)}
    results = workers.results("forecasting", _answer, tasks)
    return [
        Answer(tuple(map(tuple, r["quantiles"])), dict(r["forms"]), tuple(r["warnings"]))
        for r in (results[key] for key in keys)
    ]


def read_curves(
    path: Path,
    *,
    asked: bool = True,
    metric: MetricOptions | None = None,
    column: str | None = None,
    at: Sequence[float] = (),
) -> list[Question]:
    """Read the curves of a table file, or those of a tracker's runs over their steps.

    Args:
        path: A tracker's store, or a file with the columns curve, x, y and, optionally, y_se, weight, set and
            ceiling. A row with an empty y is a scale to forecast. Cells may be written as people write
            numbers.
        asked: Whether there must be a scale to forecast.
        metric: What y is; None for an error or a loss.
        column: The metric of a tracker's runs that y is.
        at: Scales to forecast for every curve, besides those of the file.

    Returns:
        The curves, in the order of their first rows.

    Raises:
        TableError: The file or a cell cannot be read, a curve has no positive y, or there is nothing to
            forecast.
    """
    if is_tracked(path):
        curves = {("", name): _Curve(list(rows)) for name, rows in tracked_curves(path, column)}
    elif _is_log(path, column):
        curves = {("", path.stem): _Curve(list(log_curve(path, column)))}
    else:
        curves = _curves_of_table(path)
    for curve in curves.values():
        curve.scales += at
    questions = [curve.question(*key) for key, curve in curves.items()]
    if metric is not None and rises_by_name(metric):
        questions = _as_errors(questions, metric, path)
    if asked and not any(q.asked for q in questions):
        raise TableError(
            f"{path}: expected at least one row with an x and an empty y, the scale to forecast",
            code="nothing-to-forecast",
            hint=use("at", value="100k", purpose="to name a scale"),
        )
    for q in questions:
        if not any(y > 0 for _, y, _, _ in q.measured):
            raise TableError(
                f"{path}, curve {q.curve!r}: expected a y above 0 at one x at least, got none",
                code="no-measurement",
                value=q.curve,
            )
    return questions


def _is_log(path: Path, column: str | None) -> bool:
    """Return whether a table is one training's log, and not one of curves."""
    names = read_names(path)
    is_of_curves = any(name.strip().lower() == "curve" for name in names)
    return steps_column(names) is not None and (column is not None or not is_of_curves)


def _curves_of_table(path: Path) -> dict[tuple[str, str], "_Curve"]:
    names = read_names(path)
    columns = {role: column_like(role, names, path) for role in (*REQUIRED, *OPTIONAL)}
    if missing := [role for role in REQUIRED if columns[role] is None]:
        raise TableError(
            f"{path}: expected the columns curve, x, y, got no column {missing[0]!r} among "
            f"{', '.join(map(repr, names[:12]))}",
            code="missing-column",
            value=missing[0],
        )
    used = {role: column for role, column in columns.items() if column is not None}
    curves: dict[tuple[str, str], _Curve] = {}
    for n, row in enumerate(read_rows(path, list(used.values()))):
        cells = _Row(path, n, dict(zip(used, row, strict=True)))
        curve = curves.setdefault((cells.text("set"), cells.text("curve")), _Curve())
        curve.add(cells)
    return curves


def _as_errors(questions: Sequence[Question], metric: MetricOptions, path: Path) -> list[Question]:
    """Return curves of a metric that rises as curves of its distance to the best value."""
    values = [y for q in questions for _, y, _, _ in q.measured]
    scale, low, factor = scale_of_rising(metric, values)
    scale, low = MetricScale(scale.metric, "", (scale.ceiling or 0.0) / factor), low / factor  # in units of y
    best = scale.ceiling or 0.0
    if not low <= min(values) <= max(values) <= best:
        raise TableError(
            f"{path}: expected y from {low:g} to {best:g}, the range of {metric.metric}, got "
            f"{min(values):g} to {max(values):g}",
            code="outside-metric-range",
            value=max(values),
            hint=use("metric_range", value="LOW:HIGH", purpose="to give another range"),
        )
    chance = error_of_chance(metric, scale, low, scale.to_error(max(values)))
    return [
        replace(
            q,
            measured=tuple((x, scale.to_error(y), se, weight) for x, y, se, weight in q.measured),
            ceiling=q.ceiling or chance,
            best=best,
        )
        for q in questions
    ]


@dataclass(frozen=True)
class _Row:
    """One row of a file of curves: role -> cell."""

    path: Path
    n: int
    cells: dict[str, Any]

    def text(self, role: str) -> str:
        """Return a cell as text, "" where it is empty."""
        return "" if self._is_empty(role) else str(self.cells[role])

    def number(self, role: str) -> float | None:
        """Return a cell as a number; None where it is empty, which only x must not be."""
        if role != "x" and self._is_empty(role):
            return None
        cell, content = self.name(role), self.cells[role]
        value = number(cell, content, _PARSED[role])
        if value < 0 or (value == 0 and role in _ABOVE_ZERO):
            least = "more than 0" if role in _ABOVE_ZERO else "0 or more"
            raise TableError(
                f"{cell}: expected {least}, got {content!r}", code="unreadable-cell", value=content
            )
        return value

    def name(self, role: str) -> str:
        """Return the name of a cell for messages."""
        return cell_name(self.path, self.n, role)

    def _is_empty(self, role: str) -> bool:
        content = self.cells.get(role)
        return content is None or str(content).strip() == ""


@dataclass
class _Curve:
    """The rows of one curve, as they are read."""

    measured: list[tuple[float, float, float | None, float | None]] = field(default_factory=list)
    scales: list[float] = field(default_factory=list)
    ceiling: float | None = None

    def add(self, row: _Row) -> None:
        """Add a measurement, or a scale to forecast."""
        x, y = row.number("x") or 0.0, row.number("y")
        if y is None:
            self.scales.append(x)
        else:
            self.measured.append((x, y, row.number("y_se"), row.number("weight")))
        ceiling = row.number("ceiling")
        if ceiling is not None and self.ceiling not in (None, ceiling):
            raise TableError(
                f"{row.name('ceiling')}: expected one ceiling per curve, got {ceiling:g} after "
                f"{self.ceiling:g}",
                code="conflicting-ceiling",
                value=ceiling,
            )
        self.ceiling = self.ceiling if ceiling is None else ceiling

    def question(self, set: str, curve: str) -> Question:
        """Return the curve as a question."""
        measured = tuple(sorted(self.measured, key=lambda row: row[0]))
        return Question(set, curve, measured, tuple(self.scales), self.ceiling)


def _points(q: Question) -> Any:
    import numpy as np

    from laws.merging import merge_neighbors
    from laws.points import check_points

    rows = [row for row in q.measured if row[1] > 0]
    x, y = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    se = np.array([r[2] or 0.0 for r in rows]) if any(r[2] for r in rows) else None
    weight = np.array([r[3] or 1.0 for r in rows]) if any(r[3] for r in rows) else None
    left_out = (WarningCode.ZERO_LEFT_OUT,) if len(rows) < len(q.measured) else ()
    points = check_points(x, y, y_se=se, weight=weight, baseline_error=q.ceiling, min_sizes=1)
    return merge_neighbors(replace(points, warnings=left_out))


def forecast_of(question: Question, *, seed: int) -> Any:
    """Return the forecast of one curve, with the forms weighted by its own held-out scales.

    Args:
        question: The curve.
        seed: Seed of the forecast.

    Returns:
        A `laws.forecasting.forecast.Forecast`.
    """
    from laws.forecasting.forecast import forecast

    return forecast(_points(question), seed=seed)


def plain_medians(question: Question, x: Sequence[float], *, seed: int) -> dict[str, tuple[float, ...]]:
    """Return the median of the best single form of a curve.

    Args:
        question: The curve.
        x: The scales.
        seed: Seed of the fit.

    Returns:
        Name of the form -> its median at each x; empty where no form can be fitted.
    """
    import numpy as np

    from laws.fitting.fit import fit_single_form
    from laws.fitting.forms import FORMS

    points = _points(question)
    try:
        posterior = fit_single_form(points, seed=seed)
    except PlannerError:  # too few sizes, or no convergence: only the forecast is shown
        return {}
    log_y = FORMS[posterior.form].log_y(np.array(x), posterior.parameters)
    return {posterior.form: tuple(np.exp(np.median(log_y, axis=0)).tolist())}


def _score(q: Question, seed: int) -> list[float]:
    from laws.forecasting.stacking import held_out_scores

    return [float(v) for v in held_out_scores(_points(q), seed=seed)]


def _answer(q: Question, weights: list[float], seed: int) -> dict[str, Any]:
    import numpy as np

    from laws.forecasting.forecast import forecast

    curve = forecast(_points(q), seed=seed, weights=np.array(weights), draws=SAMPLES_PER_CURVE)
    levels = tuple(LEVELS.values())
    quantiles = curve.quantiles(q.asked, levels).T if q.asked else np.empty((0, len(levels)))
    return {"quantiles": quantiles.tolist(), "forms": curve.weights, "warnings": list(curve.warnings)}


def _digest(values: Iterable[float]) -> str:
    return hashlib.sha256(repr(list(values)).encode()).hexdigest()[:16]


def _journaled(journal: Path | None) -> Iterator[tuple[str, Any]]:
    """Yield what an interrupted command finished; a line that was cut off, or is damaged, is left out."""
    if journal is None or not journal.is_file():
        return
    for line in journal.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            key, value = entry["key"], entry["value"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if _is_result(key, value):
            yield key, value


def _is_result(key: Any, value: Any) -> bool:
    """Return whether an entry of a journal has the shape of a result."""
    if isinstance(key, str) and key.startswith("score-"):
        return isinstance(value, list) and all(isinstance(score, float | int) for score in value)
    return isinstance(value, dict) and value.keys() == {"quantiles", "forms", "warnings"}


def _append(journal: Path | None, key: str, value: Any) -> None:
    if journal is not None:
        with _open_journal(journal) as file:
            file.write("\n" * (file.tell() == 0) + json.dumps({"key": key, "value": value}) + "\n")


def _open_journal(journal: Path) -> IO[str]:
    """Open a journal to add to it; a link at its name, which anyone may have put there, is an error."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(journal, flags, 0o666), "a", encoding="utf-8")


def _write(out: Path, both: Sequence[tuple[Question, Answer]]) -> None:
    """Write one row per forecast scale."""
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "curve", "x", *LEVELS, "forms", "warnings"])
        for q, answer in both:
            forms = " ".join(
                f"{name.replace(' ', '_')}={w:.2f}"
                for name, w in sorted(answer.forms.items(), key=lambda item: -item[1])
            )
            for x, row in zip(q.asked, answer.quantiles, strict=True):
                values = [f"{v:.6g}" for v in row]
                names = [csv_cell(q.set), csv_cell(q.curve)]
                writer.writerow([*names, f"{x:.12g}", *values, forms, " ".join(answer.warnings)])
