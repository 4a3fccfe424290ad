"""A plan file: several products, each one question, asked on one day with one seed.

title = "Models of 2027"
today = 2026-11-23                        # prices and deadlines are held against this day
seed = 0
fleet = "fleet.toml"                      # beside the plan file

[[products]]
name = "Keyboard"
domain = "word-lm"
metric = "loss"
target = "3.2"                            # every other key is an option of `planner estimate`
on = "h100"
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from laws.errors import PlannerError, nearest
from planner.lawmodel.selector import TARGETS, LawSelector, with_target
from planner.plans.question import OPTIONS, Question
from planner.toml_files import read_toml

_CHOICE = tuple(field.name for field in fields(LawSelector))
_ASKED = OPTIONS
_PLAN = ("title", "today", "seed", "fleet", "products")
_PRODUCT = ("name", *_CHOICE, *_ASKED, *TARGETS)


@dataclass(frozen=True, kw_only=True)
class Product:
    """One thing to be built, as a question."""

    name: str
    question: Question


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """What a plan file says."""

    title: str
    today: date | None
    seed: int
    fleet: Path | None
    products: tuple[Product, ...]
    file: str  # the plan file's name, and a hash of its bytes
    fingerprint: str


def read_portfolio(path: Path) -> Portfolio:
    """Return the products of a plan file.

    Raises:
        PlannerError: no such file, not TOML, an unknown key (with the nearest known one), a value of another
            kind, no product, or two of one name.
    """
    table, content = read_toml(path, "plan file")
    _known(table, _PLAN, str(path))
    rows = table.get("products")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise PlannerError(f"{path} has no products: wanted a table [[products]] for each")
    products = tuple(_product(row, i, str(path)) for i, row in enumerate(rows, start=1))
    names = [product.name for product in products]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise PlannerError(f"two products of {path} are called {twice!r}: give each its own name")
    fleet = table.get("fleet")
    return Portfolio(
        title=" ".join(_text(table.get("title", path.stem), "title", str(path)).split()),
        today=_day(table.get("today"), str(path)),
        seed=_whole(table.get("seed", 0), "seed", str(path)),
        fleet=None if fleet is None else path.parent / _text(fleet, "fleet", str(path)),
        products=products,
        file=path.name,
        fingerprint=hashlib.sha256(content).hexdigest(),
    )


def _product(row: Mapping[str, Any], place: int, path: str) -> Product:
    name = row.get("name")
    if not isinstance(name, str) or not name.strip():
        raise PlannerError(f'product {place} of {path} has no name: wanted name = "..."')
    where = f"product {name!r} of {path}"
    _known(row, _PRODUCT, where)
    asked: dict[str, Any] = {
        key: _text(row[key], key, where) for key in _ASKED if key in row and key not in ("count", "assume")
    }
    if "count" in row:
        asked["count"] = _whole(row["count"], "count", where)
    if "assume" in row:
        asked["assume"] = _assumed(row["assume"], where)
    choice = LawSelector(**{key: _text(row[key], key, where) for key in _CHOICE if key in row})
    targets = {key: _text(row[key], key, where) for key in ("target", *TARGETS) if key in row}
    try:
        choice, asked["target"] = with_target(choice, targets)
    except PlannerError as error:
        raise PlannerError(f"{where}: {error}") from None
    return Product(name=" ".join(name.split()), question=Question.of(selector=choice, **asked))


def _known(row: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in row:
        if key not in keys:
            raise PlannerError(f"unknown key {key!r} in {where}{nearest(key, keys)}")


def _text(value: object, key: str, where: str) -> str:
    """Return what is written for a key; a number or a day stands for its text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise PlannerError(f"{key} = {value!r} in {where}: wanted a text or a number")
    return value if isinstance(value, str) else repr(value)


def _whole(value: object, key: str, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise PlannerError(f"{key} = {value!r} in {where}: wanted a whole number")
    return value


def _day(value: object, where: str) -> date | None:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise PlannerError(f"today = {value!r} in {where}: wanted a day such as 2026-11-23, without quotes")


def _assumed(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise PlannerError(f'assume = {value!r} in {where}: wanted a list such as ["utilization=0.35..0.42"]')
    return tuple(value)
