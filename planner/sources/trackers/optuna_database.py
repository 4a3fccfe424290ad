"""Read Optuna studies from a SQLite file: one row per trial, with its parameters, attributes and value.

A categorical parameter is stored as the index of its choice. Trials that were pruned or failed may have a
value as well: the state says which ones completed.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from planner.sources.trackers.runs import (
    MAX_RUNS,
    Cell,
    History,
    Run,
    RunTable,
    cell,
    flat,
    refuse_too_many,
    state_of,
)

KIND = "Optuna storage"
GROUP = "study"
TABLES = frozenset({"studies", "study_directions", "trials", "trial_params", "trial_values"})


def read_optuna_database(connection: sqlite3.Connection, columns: Mapping[str, frozenset[str]]) -> RunTable:
    """Read every trial of an Optuna storage.

    Args:
        connection: The open database, which has the tables of `TABLES`.
        columns: Name of a table -> its columns.

    Returns:
        The trials, with columns `params.X`, `user_attrs.X` and `value`. Trials of a study with several
        objectives have `values.0`, `values.1` and so on.
    """
    values: dict[int, dict[str, Cell | History]] = defaultdict(dict)
    for trial, name, number, distribution in connection.execute(
        "select trial_id, param_name, param_value, distribution_json from trial_params"
    ):
        values[trial][f"params.{name}"] = _parameter(number, distribution)
    if "trial_user_attributes" in columns:
        for trial, key, text in connection.execute(
            "select trial_id, key, value_json from trial_user_attributes"
        ):
            values[trial] |= flat(_json(text), f"user_attrs.{key}")
    objectives = dict(connection.execute("select study_id, count(*) from study_directions group by study_id"))
    of_old_versions = "value_type" not in columns["trial_values"]
    for trial, study, objective, value, of_kind in connection.execute(
        "select v.trial_id, study_id, objective, value, 'FINITE' from trial_values v "
        "join trials using (trial_id)"
        if of_old_versions
        else "select v.trial_id, study_id, objective, value, value_type from trial_values v "
        "join trials using (trial_id)"
    ):
        column = "value" if objectives.get(study, 1) == 1 else f"values.{objective}"
        values[trial][column] = cell(value) if of_kind == "FINITE" else None
    rows = connection.execute(
        "select trial_id, number, state, study_name from trials join studies using (study_id) "
        "order by trial_id"
    ).fetchmany(MAX_RUNS + 1)
    refuse_too_many(len(rows), MAX_RUNS, "trials")
    runs = [
        Run(str(trial), f"trial {number}", state_of(state), values.get(trial, {}), str(study))
        for trial, number, state, study in rows
    ]
    return RunTable(KIND, GROUP, tuple(runs))


def _parameter(number: Any, distribution: Any) -> Cell:
    """Return the value of a parameter: the choice itself, not its index."""
    described = _json(distribution)
    if not isinstance(described, dict) or not isinstance(number, int | float):
        return cell(number)
    attributes = described.get("attributes")
    choices = attributes.get("choices") if isinstance(attributes, dict) else None
    if isinstance(choices, list):
        index = int(number) if abs(number) < MAX_RUNS else -1
        return cell(choices[index]) if 0 <= index < len(choices) else None
    whole = str(described.get("name", "")).startswith("Int") and float(number).is_integer()
    return int(number) if whole else cell(number)


def _json(text: Any) -> Any:
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
