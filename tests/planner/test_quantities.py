"""The registry of quantities: one entry is all that a new quantity needs."""

import csv
import io
import json
from pathlib import Path

import pytest
from synthetic import passes, planner, power, size

from laws.storage.store import Store
from laws.types import Quantity
from planner.plans import quantities as registry
from planner.plans.plan import Plan


def tokens_per_parameter(plan: Plan) -> Quantity:
    """Return the toy quantity of these tests, per posterior sample."""
    pairs = zip(plan.estimate.data.draws, plan.estimate.params.draws, strict=True)
    return Quantity(draws=tuple(data / params for data, params in pairs), unit="hours/parameter")


TOY = registry.QuantityKind(
    key="data_per_parameter", label="Data per parameter", unit="hours/parameter", of=tokens_per_parameter
)
ASK = ("estimate", "--target-wer", "8%")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    opened = Store(tmp_path)
    for law in (power(0.4, 0.3, 0.02, spread=0.1), size(2e4, 0.6), passes(12)):
        opened.add_law(law)
    opened.publish()
    return tmp_path


def test_one_entry_adds_a_quantity_to_every_output(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "QUANTITIES", (*registry.QUANTITIES, TOY))
    answers = {style: planner(*ASK, "--store", store, "--format", style, "--explain").out for style in
               ("table", "json", "csv", "markdown")}  # fmt: skip
    assert TOY.label in answers["table"]
    assert f"| {TOY.label} |" in answers["markdown"]
    record = json.loads(answers["json"])
    assert record[TOY.key]["unit"] == TOY.unit
    assert record[TOY.key]["median"] == pytest.approx(
        record["data"]["median"] / record["params"]["median"], rel=0.1
    )
    row = next(csv.DictReader(io.StringIO(answers["csv"])))
    assert float(row[f"{TOY.key}.median"]) == record[TOY.key]["median"]


def test_one_entry_adds_a_quantity_to_what_if_frontier_and_forecasts(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "QUANTITIES", (*registry.QUANTITIES, TOY))
    ask = ("what-if", "--target-wer", "8%,9%", "--show", TOY.key, "--store", store)
    assert TOY.label in planner(*ask).out
    cells = json.loads(planner(*ask, "--format", "json").out)
    assert all(cell[TOY.key]["unit"] == TOY.unit for cell in cells)
    points = json.loads(planner("frontier", "--store", store, "--format", "json").out)
    assert all(TOY.key in point for point in points)
    saved = json.loads(planner(*ASK, "--save", "--store", store, "--format", "json").out)
    kept = json.loads(
        planner("forecasts", "show", saved["forecast"], "--store", store, "--format", "json").out
    )
    assert kept["quantities"][TOY.key]["median"] == saved[TOY.key]["median"]


def test_every_quantity_has_a_key_of_its_own_and_a_label() -> None:
    assert len(set(registry.keys())) == len(registry.QUANTITIES)
    assert all(kind.label and kind.key.isidentifier() for kind in registry.QUANTITIES)
    assert [row["key"] for row in registry.as_data()] == list(registry.keys())


def test_a_key_that_this_version_lacks_is_printed_as_a_number() -> None:
    kind = registry.kind_of("tokens_per_second")
    assert (kind.label, kind.printed(1234.0)) == ("tokens_per_second", "1.23k")
