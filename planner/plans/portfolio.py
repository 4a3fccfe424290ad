"""A plan file: several products, one question each, on one day and with one seed.

title = "Models of 2027"
today = 2026-11-23                        # prices and deadlines refer to this day
seed = 0
fleet = "fleet.toml"                      # relative to the plan file

[[products]]
name = "Keyboard"
domain = "word-lm"
metric = "loss"
target = "3.2"                            # every other key is an option of `planner estimate`
on = "h100"
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from laws.errors import ConflictingInput, InputError, MissingInput, PlannerError, UnknownName
from planner.lawmodel.selector import TARGETS, LawSelector, with_target
from planner.plans.question import OPTIONS, Question
from planner.toml_files import read_toml

_SELECTOR_KEYS = tuple(field.name for field in fields(LawSelector))
_PLAN_KEYS = ("title", "today", "seed", "fleet", "products")
_PRODUCT_KEYS = ("name", *_SELECTOR_KEYS, *OPTIONS, *TARGETS)


@dataclass(frozen=True, kw_only=True)
class Product:
    """One product of a plan file: its name and its question."""

    name: str
    question: Question


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """The content of a plan file."""

    title: str
    today: date | None
    seed: int
    fleet: Path | None
    products: tuple[Product, ...]
    file: str  # name of the plan file
    fingerprint: str  # sha256 of its bytes


def read_portfolio(path: Path) -> Portfolio:
    """Read a plan file.

    Args:
        path: A TOML file.

    Returns:
        The products, with title, day, seed and fleet.

    Raises:
        FileError: The file cannot be read, or is not TOML.
        UnknownName: A key is unknown.
        MissingInput: The file has no product, or one has no name.
        InputError: A value has the wrong type.
        ConflictingInput: Two products have the same name, or a product has two targets.
    """
    table, content = read_toml(path, "plan file")
    _check_keys(table, _PLAN_KEYS, f"plan {path}")
    rows = table.get("products")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise MissingInput(
            f"plan {path}: expected a table [[products]] for each product, got none", code="no-products"
        )
    products = tuple(_product(row, number, str(path)) for number, row in enumerate(rows, start=1))
    names = [product.name for product in products]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise ConflictingInput(
            f"products of {path}: expected different names, got {repeated!r} twice",
            code="repeated-product",
            value=repeated,
        )
    fleet = table.get("fleet")
    return Portfolio(
        title=" ".join(_text(table.get("title", path.stem), "title", str(path)).split()),
        today=_day(table.get("today"), str(path)),
        seed=_whole_number(table.get("seed", 0), "seed", str(path)),
        fleet=None if fleet is None else path.parent / _text(fleet, "fleet", str(path)),
        products=products,
        file=path.name,
        fingerprint=hashlib.sha256(content).hexdigest(),
    )


def in_product(error: PlannerError, name: str) -> PlannerError:
    """Return an error that names its product; class, code and hints stay.

    Args:
        error: An error about the question of a product.
        name: The product.

    Returns:
        The same error, with the product in front of its message.
    """
    error.message = f"product {name!r}: {error.message}"
    return error


def _product(row: Mapping[str, Any], number: int, path: str) -> Product:
    name = row.get("name")
    if not isinstance(name, str) or not name.strip():
        raise MissingInput(
            f'product {number} of {path}: expected name = "...", got none', code="product-without-name"
        )
    where = f"product {name!r} of {path}"
    _check_keys(row, _PRODUCT_KEYS, where)
    options: dict[str, Any] = {
        key: _text(row[key], key, where)
        for key in OPTIONS
        if key in row and key not in ("count", "assume", "data_price")
    }
    if "count" in row:
        options["count"] = _whole_number(row["count"], "count", where)
    if "data_price" in row:  # a list has one tier per item
        price = row["data_price"]
        tiers = _list_of_texts(price, "data_price", where) if isinstance(price, list) else ()
        options["data_price"] = ", then ".join(tiers) or _text(price, "data_price", where)
    if "assume" in row:
        options["assume"] = _list_of_texts(row["assume"], "assume", where)
    selector = LawSelector(**{key: _text(row[key], key, where) for key in _SELECTOR_KEYS if key in row})
    targets = {key: _text(row[key], key, where) for key in ("target", *TARGETS) if key in row}
    try:
        selector, options["target"] = with_target(selector, targets)
    except PlannerError as error:
        raise in_product(error, name) from None
    return Product(name=" ".join(name.split()), question=Question.of(selector=selector, **options))


def _check_keys(row: Mapping[str, Any], keys: Collection[str], where: str) -> None:
    for key in row:
        if key not in keys:
            raise UnknownName("key", key, keys, where=where, code="unknown-key")


def _text(value: object, key: str, where: str) -> str:
    """Return the text of a key; a number or a day becomes text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _wrong_type(value, key, where, "a text or a number")
    return value if isinstance(value, str) else repr(value)


def _whole_number(value: object, key: str, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(value, key, where, "a whole number")
    return value


def _day(value: object, where: str) -> date | None:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    raise _wrong_type(value, "today", where, "a day such as 2026-11-23, without quotes")


def _list_of_texts(value: object, key: str, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        example = "$50/hour up to 1000h" if key == "data_price" else "utilization=0.35..0.42"
        raise _wrong_type(value, key, where, f'a list such as ["{example}"]')
    return tuple(value)


def _wrong_type(value: object, key: str, where: str, expected: str) -> InputError:
    return InputError(
        f"{key} in {where}: expected {expected}, got {value!r}",
        code="wrong-type",
        value=value,
        expected=expected,
    )
