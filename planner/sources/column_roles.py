"""Find the column of each role in a table: by the name you give, by its usual names, or by a clear heading.

A heading is clear where it is the only one with the word: `Train hours` for hours, `val loss` for the loss.
Words that speak of something else, such as `train loss` or `GPU hours`, do not count.
"""

from collections.abc import Iterable, Mapping, Sequence

from laws.errors import ConflictingInput, TableError, UnknownName, use
from planner.sources.expressions import Expression, parse_expression
from planner.sources.headings import parse_heading

MAX_NAMES_LISTED = 12  # of the columns of a file

# role -> names of its column, besides the one that you give; those of the metric and the unit are added
NAMES: Mapping[str, tuple[str, ...]] = {
    "data": ("data", "x", "n_train"),
    "metric": ("y",),
    "params": (
        "params", "parameters", "n_params", "num_params", "n_parameters", "num_parameters", "params_total",
        "total_params",
    ),
    "se": ("y_se", "se", "stderr"),
    "seed": ("seed",),
    "samples": ("samples", "seen"),
    "flops": ("flops", "training_flops", "train_flops", "total_flops", "total_flos"),
    "gpu_hours": ("gpu_hours", "gpu-hours", "gpu hours"),
    "device": ("device", "gpu", "accelerator", "gpu type", "gpu_type"),
    "train": (),
    "test_size": (),
}  # fmt: skip
REQUIRED = ("data", "metric")

# names that a column often has, too vague to read a law from: `planner columns` shows the guess
_GUESSED: Mapping[str, tuple[str, ...]] = {"family": ("family", "architecture", "arch", "model_type")}

# words of a heading that speak of another quantity than the role's
_OTHER = frozenset({"se", "std", "sd", "stderr", "stdev", "var", "variance", "min", "max", "count", "rank"})
_OTHER_OF = {
    "data": _OTHER
    | {"gpu", "cpu", "tpu", "device", "compute", "wall", "runtime", "per", "test", "evaluated"},
    "metric": _OTHER | {"train", "training"},
    "params": _OTHER | {"embedding", "per", "active"},
}


def usual_names(metric: str, data_unit: str) -> dict[str, tuple[str, ...]]:
    """Return the usual names of the column of each role.

    Args:
        metric: Name of the metric.
        data_unit: Unit of the data size.

    Returns:
        Role -> names, in the order in which they are tried.
    """
    usual = dict(NAMES)
    usual["data"] = (data_unit, *usual["data"])
    usual["metric"] = (metric, *usual["metric"])
    usual["se"] = (f"{metric}_se", *usual["se"])
    usual["train"] = (f"train_{metric}",)
    return usual


def find_columns(
    title: str, names: Sequence[str], given: Mapping[str, str | None], *, metric: str, data_unit: str
) -> dict[str, Expression]:
    """Return the column of each role that a table has.

    Args:
        title: The table, for messages.
        names: Its columns.
        given: Role -> the name or expression that you gave; None for the usual names.
        metric: Name of the metric.
        data_unit: Unit of the data size.

    Returns:
        Role -> column.

    Raises:
        UnknownName: A column that you named is not there ("unknown-column").
        TableError: A required column is missing ("missing-column"), or several could be it
            ("ambiguous-column", "duplicate-column").
        ConflictingInput: A column is used for two roles ("column-used-twice").
    """
    usual = usual_names(metric, data_unit)
    columns: dict[str, Expression] = {}
    for role in NAMES:
        if typed := given.get(role):
            columns[role] = _given(title, names, role, typed)
    given_columns = {expression.text for expression in columns.values()}
    taken: set[str] = set()
    for role in NAMES:
        if role in columns:
            continue
        # a required column that you named for another role is an error below, an optional one is absent
        used = taken if role in REQUIRED else taken | given_columns
        free = [name for name in names if name not in used]
        column = _usual(title, free, usual[role])
        if column is None and role in _OTHER_OF:
            column = _clear(title, free, role, usual[role])
        if column is not None:
            columns[role] = parse_expression(column, names)
            taken.add(column)
        elif role in REQUIRED:
            raise TableError(
                f"{title}: expected a column {' or '.join(map(repr, usual[role]))}, got {listed(names)}",
                code="missing-column",
                value=role,
                expected=f"a column {' or '.join(map(repr, usual[role]))}",
                hint=use(f"{role}_column", purpose=f"to name the column of the {role}"),
            )
    _refuse_twice(title, columns)
    return {role: columns[role] for role in NAMES if role in columns}


def _given(title: str, names: Sequence[str], role: str, typed: str) -> Expression:
    expression = parse_expression(typed, names)
    for name in expression.names:
        if name not in names:
            raise UnknownName(
                f"column of {title} for the {role}", name, names[:MAX_NAMES_LISTED], code="unknown-column"
            )
    return expression


def _refuse_twice(title: str, columns: Mapping[str, Expression]) -> None:
    texts = [expression.text for expression in columns.values()]
    twice = next((text for text in texts if texts.count(text) > 1), None)
    if twice is not None:
        roles = [role for role in NAMES if role in columns and columns[role].text == twice]
        raise ConflictingInput(
            f"column {twice!r} of {title} is used for {' and '.join(roles)}: expected a column for each",
            code="column-used-twice",
            value=twice,
        )


def _usual(title: str, names: Sequence[str], usual: Iterable[str]) -> str | None:
    """Return the column with the first usual name that a column has, apart from case, spaces and scale."""
    for name in usual:
        if (column := column_like(name, names, title)) is not None:
            return column
        words = parse_heading(name).words
        same = [column for column in names if words and parse_heading(column).words == words]
        if len(same) > 1:
            raise _ambiguous(title, name, same)
        if same:
            return same[0]
    return None


def _clear(title: str, names: Sequence[str], role: str, usual: Sequence[str]) -> str | None:
    """Return the only column whose heading has the words of the role's first name; None without one."""
    words = parse_heading(usual[0]).words
    if not words or len("".join(words)) < 3:
        return None
    with_words = []
    for column in names:
        own = parse_heading(column).words
        if any(own[i : i + len(words)] == words for i in range(len(own))) and not _OTHER_OF[role] & set(own):
            with_words.append(column)
    if len(with_words) > 1 and role in REQUIRED:
        raise _ambiguous(title, usual[0], with_words, role)
    return with_words[0] if len(with_words) == 1 else None


def _ambiguous(title: str, name: str, columns: Sequence[str], role: str = "") -> TableError:
    hint = use(f"{role}_column", purpose="to name one") if role else ()
    return TableError(
        f"{title} has several columns for {name!r}: {listed(columns)}; expected one",
        code="ambiguous-column",
        value=name,
        hint=hint,
    )


def column_like(name: str, names: Sequence[str], title: object) -> str | None:
    """Return the column that has a name, in any case and with spaces around it.

    Args:
        name: The name to look for.
        names: The columns of the file.
        title: The file, for messages.

    Returns:
        The column as the file spells it; the exact spelling first. None where no column has the name.

    Raises:
        TableError: Several columns differ from the name only in case or spaces.
    """
    if name in names:
        return name
    similar = [column for column in names if column.strip().lower() == name.lower()]
    if len(similar) > 1:
        raise TableError(
            f"{title} has several columns for {name!r}: {listed(similar)}; expected one",
            code="duplicate-column",
            value=name,
        )
    return similar[0] if similar else None


def guessed_role(name: str) -> str:
    """Return what a column is probably for, by its name only; "" where the name does not say it.

    Args:
        name: The column, also as a tracker names it: `params.hours`, `metrics.test_wer`.

    Returns:
        A role of `NAMES`, or "family".
    """
    last = name.strip().rsplit(".", 1)[-1].rsplit("/", 1)[-1].lower()
    words = "_".join(parse_heading(last).words)
    for role, names in {**NAMES, **_GUESSED}.items():
        if any(words in ("_".join(parse_heading(one).words), one) for one in names if len(one) > 1):
            return role
    return ""


def listed(names: Sequence[str]) -> str:
    """Return names for a message.

    Args:
        names: Names of columns.

    Returns:
        The first of them, quoted.
    """
    shown = ", ".join(map(repr, names[:MAX_NAMES_LISTED]))
    return f"{shown}, ..." if len(names) > MAX_NAMES_LISTED else shown
