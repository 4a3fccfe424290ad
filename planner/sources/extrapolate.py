"""Forecast many learning curves at scales that nobody measured: `planner extrapolate`.

Every curve is forecast by `laws/forecasting/forecast.py` in processes of their own. Two passes: each curve judges the
beliefs on its own held-out scales, then the curves of one set share what they learned and every curve is
forecast. What is finished is kept in a journal beside the output, so that the same command goes on where it
was.
"""

import csv
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.storage.atomic_write import write_atomically
from planner import units
from planner.sources import run_table as measurements

NOT_CSV = (".parquet", ".jsonl", ".ndjson", ".json", ".xlsx")  # kinds that a name would promise
LEVELS = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
DRAWS = 2000  # of each curve: quantiles of a thousand are some 4 % of the spread off, and these cost little
OPTIONAL = ("y_se", "weight", "set", "ceiling")
_PARSED = {  # how a cell is written
    "x": units.parse_number,
    "weight": units.parse_number,
    **dict.fromkeys(("y", "y_se", "ceiling"), units.parse_value),
}
_ABOVE = ("x", "weight", "ceiling")  # 0 is refused


@dataclass(frozen=True)
class Question:
    """One curve: what was measured (rows of x, y, y_se, weight) and the scales that are asked."""

    set: str
    curve: str
    measured: tuple[tuple[float, float, float | None, float | None], ...]
    asked: tuple[float, ...]
    ceiling: float | None = None

    def key(self, seed: int) -> str:
        """Return a name for this question that changes with anything that changes its answer."""
        return hashlib.sha256(repr((self, seed)).encode()).hexdigest()[:24]


@dataclass(frozen=True)
class Answer:
    """Quantiles (one row an asked scale, in the order of LEVELS), the weights of the forms, warning codes."""

    quantiles: tuple[tuple[float, ...], ...]
    forms: dict[str, float]
    warnings: tuple[str, ...]


Tell = Callable[[str, int, int], None]


def extrapolate(
    curves: Path,
    out: Path,
    *,
    seed: int = 0,
    pool: bool = False,
    processes: int | None = None,
    tell: Tell = lambda _what, _done, _all: None,
) -> list[tuple[Question, Answer]]:
    """Forecast every curve of a file into `out` (CSV) and return the answers.

    Curves with the same value in the column `set` share what they learn about the forms; `pool` takes the
    whole file for one set. Raises PlannerError for a file or cell that cannot be read, and when nothing is
    asked.
    """
    questions = read(curves)
    if out.is_dir() or not out.parent.is_dir():
        raise PlannerError(f"{out} cannot be written: wanted the name of a file in a folder that exists")
    if out.exists() and out.samefile(curves):
        raise PlannerError(f"{out} is the file of curves itself: give another with --out")
    if out.suffix.lower() in NOT_CSV:
        raise PlannerError(f"{out}: forecasts are written as CSV, wanted a name that ends in .csv")
    journal = out.with_name(out.name + ".journal") if out.is_file() or not out.exists() else None
    try:
        if journal is not None:
            journal.touch()
        answers = answered(questions, seed=seed, pool=pool, processes=processes, journal=journal, tell=tell)
        both = list(zip(questions, answers, strict=True))
        write_atomically(out, lambda path: _write(path, both))
        if journal is not None:
            journal.unlink()
    except OSError as error:
        raise PlannerError(
            f"{out} cannot be written: {error.strerror}: give another file with --out"
        ) from None
    return both


def answered(
    questions: Sequence[Question],
    *,
    seed: int,
    pool: bool = False,
    processes: int | None = None,
    journal: Path | None = None,
    tell: Tell = lambda _what, _done, _all: None,
) -> list[Answer]:
    """Return the answers to questions, in their order; the number of processes changes nothing."""
    from laws.forecasting.stacking import stacking_weights

    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = (
        "1"  # for the processes: many, not wide
    )
    kept = dict(_kept(journal))
    pool_of = ProcessPoolExecutor(
        processes or os.cpu_count(), mp_context=get_context("spawn"), initializer=_end_with_parent
    )
    with pool_of as workers:

        def done(
            what: str, function: Callable[..., Any], tasks: dict[str, tuple[Any, ...]]
        ) -> dict[str, Any]:
            results = {key: kept[key] for key in tasks if key in kept}
            missing = [key for key in tasks if key not in results]
            tell(what, len(results), len(tasks))
            for key, result in (
                zip(
                    missing,
                    workers.map(function, *zip(*(tasks[k] for k in missing), strict=True)),
                    strict=True,
                )
                if missing
                else ()
            ):
                results[key] = result
                _keep(journal, key, result)
                tell(what, len(results), len(tasks))
            return results

        scores = done("judging forms", _score, {"score-" + q.key(seed): (q, seed) for q in questions})
        groups: dict[str, list[int]] = {}
        for i, q in enumerate(questions):
            groups.setdefault("all" if pool else q.set or f"curve {i}", []).append(i)
        weights: dict[int, list[float]] = {}
        for members in groups.values():
            rows = stacking_weights([scores["score-" + questions[i].key(seed)] for i in members])
            weights |= {i: [float(w) for w in row] for i, row in zip(members, rows, strict=True)}
        names = [f"answer-{q.key(seed)}-{_digest(weights[i])}" for i, q in enumerate(questions)]
        tasks = {name: (questions[i], weights[i], seed) for i, name in enumerate(names)}
        results = done("forecasting", _answer, tasks)
    return [
        Answer(tuple(map(tuple, r["quantiles"])), dict(r["forms"]), tuple(r["warnings"]))
        for r in (results[name] for name in names)
    ]


def read(path: Path, *, asked: bool = True) -> list[Question]:
    """Return the curves of a file with columns curve, x, y and, if there, y_se, weight, set, ceiling.

    A row with an empty y is a scale that is asked; `asked` says that there must be one. Cells may be
    written as people write numbers.
    """
    names, rows = measurements.table(path)
    found = {name: measurements.column_like(name, names) for name in ("curve", "x", "y", *OPTIONAL)}
    for name in ("curve", "x", "y"):
        if found[name] is None:
            raise PlannerError(
                f"{path} has no column {name!r} (it has {', '.join(names)}): wanted curve, x, y"
            )
    at = {name: names.index(column) for name, column in found.items() if column is not None}
    curves: dict[tuple[str, str], dict[str, list[Any]]] = {}
    for n, row in enumerate(rows):
        cells = {
            name: None if row[i] is None or str(row[i]).strip() == "" else row[i] for name, i in at.items()
        }

        def value(name: str, cells: dict[str, Any] = cells, n: int = n) -> float | None:
            """Return a cell as a number of the kind that its column wants."""
            cell = cells.get(name)
            if cell is None and name != "x":
                return None
            where = measurements.place(path, n, name)
            number = measurements.number(where, cell, _PARSED[name])
            if number < 0 or (number == 0 and name in _ABOVE):
                least = "a number above 0" if name in _ABOVE else "0 or above"
                raise PlannerError(f"{where} is {cell!r}: wanted {least}")
            return number

        x, y = value("x"), value("y")
        key = (str(cells.get("set") or ""), str(cells.get("curve") or ""))
        curve = curves.setdefault(key, {"measured": [], "asked": [], "ceiling": []})
        if y is None:
            curve["asked"].append(x)
        else:
            curve["measured"].append((x, y, value("y_se"), value("weight")))
        if (ceiling := value("ceiling")) is not None:
            curve["ceiling"].append(ceiling)
            if len(set(curve["ceiling"])) > 1:
                where = measurements.place(path, n, "ceiling")
                raise PlannerError(
                    f"{where} is not that of other rows of the curve: wanted one ceiling a curve"
                )
    questions = [
        Question(
            group, curve, tuple(sorted(found["measured"], key=lambda row: row[0])), tuple(found["asked"]),
            found["ceiling"][0] if found["ceiling"] else None,
        )
        for (group, curve), found in curves.items()
    ]  # fmt: skip
    if asked and not any(q.asked for q in questions):
        raise PlannerError(
            f"{path} asks nothing: add rows with an x and an empty y for the scales to forecast"
        )
    for q in questions:
        if not any(y > 0 for _, y, _, _ in q.measured):
            raise PlannerError(f"{path}, curve {q.curve!r} has no y above 0: measure at one scale at least")
    return questions


def _points(q: Question) -> Any:
    import numpy as np

    from laws.points import check_points

    rows = [row for row in q.measured if row[1] > 0]
    x, y = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    se = np.array([r[2] or 0.0 for r in rows]) if any(r[2] for r in rows) else None
    weight = np.array([r[3] or 1.0 for r in rows]) if any(r[3] for r in rows) else None
    left_out = (WarningCode.ZERO_LEFT_OUT,) if len(rows) < len(q.measured) else ()
    points = check_points(x, y, y_se=se, weight=weight, baseline_error=q.ceiling, min_sizes=1)
    return replace(points, warnings=left_out)


def forecast_of(question: Question, *, seed: int) -> Any:
    """Return the `laws.forecasting.forecast.Forecast` of one curve, whose own held-out scales weigh the forms."""
    from laws.forecasting.forecast import forecast

    return forecast(_points(question), seed=seed)


def plain_medians(question: Question, x: Sequence[float], *, seed: int) -> dict[str, tuple[float, ...]]:
    """Return the median at x of the one form that a curve is given, by its name; none where it cannot be."""
    import numpy as np

    from laws.fitting.fit import fit_single_form
    from laws.fitting.forms import FORMS

    points = _points(question)
    try:
        found = fit_single_form(points, seed=seed)
    except PlannerError:  # too few sizes, or a chain that does not settle: the forecast stands alone
        return {}
    drawn = FORMS[found.form].log_y(np.array(x), found.parameters)
    return {found.form: tuple(np.exp(np.median(drawn, axis=0)).tolist())}


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: a killed command leaves nothing behind."""

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _score(q: Question, seed: int) -> list[float]:
    from laws.forecasting.stacking import held_out_scores

    return [float(v) for v in held_out_scores(_points(q), seed=seed)]


def _answer(q: Question, weights: list[float], seed: int) -> dict[str, Any]:
    import numpy as np

    from laws.forecasting.forecast import forecast

    told = forecast(_points(q), seed=seed, weights=np.array(weights), draws=DRAWS)
    lines = told.quantiles(q.asked, tuple(LEVELS.values())).T if q.asked else np.empty((0, len(LEVELS)))
    return {"quantiles": lines.tolist(), "forms": told.weights, "warnings": list(told.warnings)}


def _digest(values: Iterable[float]) -> str:
    return hashlib.sha256(repr(list(values)).encode()).hexdigest()[:16]


def _kept(journal: Path | None) -> Iterator[tuple[str, Any]]:
    """Yield what an interrupted run has finished; a last line that was cut off is left out."""
    if journal is None or not journal.is_file():
        return
    for line in journal.read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        yield entry["key"], entry["value"]


def _keep(journal: Path | None, key: str, value: Any) -> None:
    if journal is not None:
        with journal.open("a", encoding="utf-8") as file:
            file.write("\n" * (file.tell() == 0) + json.dumps({"key": key, "value": value}) + "\n")


def _write(out: Path, both: Sequence[tuple[Question, Answer]]) -> None:
    """Write one row an asked scale."""
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "curve", "x", *LEVELS, "forms", "warnings"])
        for q, answer in both:
            forms = " ".join(
                f"{name.replace(' ', '_')}={w:.2f}"
                for name, w in sorted(answer.forms.items(), key=lambda f: -f[1])
            )
            for x, row in zip(q.asked, answer.quantiles, strict=True):
                cells = [f"{v:.6g}" for v in row]
                writer.writerow([q.set, q.curve, f"{x:.12g}", *cells, forms, " ".join(answer.warnings)])
