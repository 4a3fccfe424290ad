"""`import planner`: what a notebook calls. It answers as the command line does, by the same code."""

import ast
import doctest
import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from synthetic import planner as command

import planner
from laws.errors import ConflictingInput, InputError, TableError, UnknownName
from planner.api.tables import as_file

HOURS, WER = [100.0, 200.0, 400.0, 800.0, 1600.0], [0.3, 0.24, 0.2, 0.165, 0.135]
PARAMS = [1e6, 2e6, 4e6, 8e6, 16e6]
TABLE = {"hours": HOURS, "wer": WER, "params": PARAMS, "flops": [6e10 * p for p in PARAMS]}
STUB = ast.parse(Path(planner.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def law() -> planner.Law:
    return planner.fit(TABLE, x="hours", y="wer", domain="my-asr", form="power-floor")


def test_an_import_costs_nothing_until_a_name_is_used() -> None:
    code = (
        "import sys, planner; before = set(sys.modules); planner.__all__; dir(planner); print(sorted(before))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "scipy", "duckdb", "typer", "rich", "dataclasses"} & set(
        ast.literal_eval(ran.stdout)
    )


def test_type_checkers_see_the_names_that_there_are() -> None:
    imported = {
        alias.asname for node in STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert imported == set(planner.__all__) == set(dir(planner))
    for name in planner.__all__:
        assert getattr(planner, name).__doc__
    with pytest.raises(AttributeError):
        planner.nonsense  # type: ignore[attr-defined]  # noqa: B018


class Frame:
    """What pandas and polars have in common."""

    def __init__(self, columns: dict[str, list[Any]]) -> None:
        self.columns = list(columns)
        self._values = columns

    def __getitem__(self, name: str) -> Any:
        return np.array(self._values[name])


class Arrow:
    """What pyarrow has."""

    def to_pydict(self) -> dict[str, list[Any]]:
        return TABLE


def files(folder: Path) -> Iterator[Path]:
    csv = folder / "runs.csv"
    rows = zip(*TABLE.values(), strict=True)
    csv.write_text("\n".join(",".join(map(str, row)) for row in (TABLE, *rows)) + "\n", encoding="utf-8")
    yield csv


def test_every_kind_of_table_gives_the_same_law(law: planner.Law, tmp_path: Path) -> None:
    (csv,) = files(tmp_path)
    arrays = {name: np.array(values) for name, values in TABLE.items()}
    for table in (csv, str(csv), arrays, Frame(TABLE), Arrow()):
        again = planner.fit(table, x="hours", y="wer", domain="my-asr", form="power-floor")
        assert {name: of.samples.tolist() for name, of in again.parameters.items()} == {
            name: of.samples.tolist() for name, of in law.parameters.items()
        }


@pytest.mark.parametrize("name", ["pandas", "polars"])
def test_frames_of_the_real_libraries_are_read(name: str) -> None:
    library = pytest.importorskip(name)
    frame = library.DataFrame({"hours": [1, 2, None], "wer": [0.5, None, 0.3], "model": ["a", "b", "c"]})
    with as_file(frame) as path:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [row["wer"] for row in rows] == [0.5, None, 0.3]
    assert [row["model"] for row in rows] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("table", "error", "code"),
    [
        ({"hours": [1, 2], "wer": [0.5]}, InputError, "ragged-table"),
        ({"hours": [1, 2, 3], "wer": [0.5, 0.4, "abc"]}, TableError, "unreadable-cell"),
        ({"hours": [1, 2, 3], "wr": [0.5, 0.4, 0.3]}, UnknownName, "unknown-column"),
        (42, InputError, "not-a-table"),
    ],
)
def test_a_table_that_cannot_be_used_is_an_exception_with_a_code(
    table: Any, error: type[planner.PlannerError], code: str
) -> None:
    with pytest.raises(error) as caught:
        planner.fit(table, x="hours", y="wer")
    assert caught.value.code == code
    assert "--" not in str(caught.value)
    assert "/tmp" not in str(caught.value)


def test_a_law_predicts_with_an_interval(law: planner.Law) -> None:
    predicted = law.predict([3200, 6400])
    assert predicted.samples.shape == (1000, 2)  # as many as a law stores paths
    assert predicted.median[0] > predicted.median[1]
    (low, high), _ = predicted.interval(0.5)
    wide_low, wide_high = predicted.interval(0.9)[0]
    assert wide_low < low < predicted.median[0] < high < wide_high
    assert law.measured == (100, 1600)
    with pytest.raises(InputError):
        law.predict(-1)
    with pytest.raises(InputError):
        law.predict(100, params=1e6)


def test_a_metric_that_rises_is_in_its_own_terms() -> None:
    table = {"images": [100, 200, 400, 800, 1600], "accuracy": [0.7, 0.76, 0.8, 0.835, 0.865]}
    law = planner.fit(table, x="images", y="accuracy", form="power")
    assert 0.865 < law.predict(6400).median[0] < 1
    plan = planner.estimate(law, target=0.9)
    assert plan.to_dict()["target"] == 0.9
    assert plan.data.median > 1600
    better = planner.fit(
        table | {"accuracy": [0.8, 0.86, 0.9, 0.935, 0.95]}, x="images", y="accuracy", form="power"
    )
    assert planner.compare([better, law]).probability_best()[0].min() > 0.9


def test_a_plan_is_that_of_the_command(law: planner.Law, tmp_path: Path) -> None:
    plan = planner.estimate(law, target=0.1, on="h100", count=8, data_price=90, have_data=1600)
    law.save(tmp_path)
    words = (
        "--target-wer",
        "10%",
        "--on",
        "h100",
        "--count",
        8,
        "--data-price",
        "$90/hour",
        "--have-data",
        "1600h",
    )
    ran = command("estimate", "--store", tmp_path, *words, "--format", "json")
    answer = json.loads(ran.out)
    assert plan.to_dict()["data"] == answer["data"]
    assert plan.dollars.median == answer["total_dollars"]["median"]
    assert plan.probability == answer["probability_reachable"]
    assert plan.data.interval() == (answer["data"]["q05"], answer["data"]["q95"])
    assert len(plan["energy"]) > 0
    assert len(plan["serving_flops"]) == 0
    with pytest.raises(UnknownName):
        plan["nonsense"]


def test_a_plan_prints_itself_as_the_short_answer(law: planner.Law) -> None:
    plan = planner.estimate(law, target=0.1, on="h100", count=8, data_price=90, have_data=1600)
    lines = repr(plan).splitlines()
    assert len(lines) < 20
    assert "WER 10%" in lines[0]
    assert plan._repr_html_().count("<tr>") <= 1 + 7


def test_a_target_is_drawn_as_a_line(law: planner.Law) -> None:
    pytest.importorskip("matplotlib")
    for target in (0.1, "10%"):
        (axes,) = law.plot(target=target).axes
        lines = {line.get_label(): line.get_ydata() for line in axes.lines}
        assert list(lines["target 10%"]) == [0.1, 0.1]
    assert not any("target" in str(line.get_label()) for line in law.plot().axes[0].lines)


def test_headings_say_metric_and_unit_as_on_the_command_line() -> None:
    table = {"# images": [100, 200, 400, 800], "val acc (%)": [70.0, 76.0, 80.5, 84.0]}
    law = planner.fit(table, x="# images", y="val acc (%)", form="power")
    assert (law.metric, law.data_unit, law.measured) == ("acc", "images", (100, 800))
    assert 0.84 < law.predict(3200).median[0] < 1


def test_everything_goes_into_a_frame(law: planner.Law) -> None:
    pytest.importorskip("pandas")
    plan = planner.estimate(law, target=0.1)
    assert plan.to_frame().loc["data", "median"] == plan.data.median
    assert list(law.predict([10, 20]).to_frame()["data"]) == [10, 20]
    assert list(law.to_frame()["beta"]) == law.parameters["beta"].samples.tolist()
    assert len(planner.compare([law, law]).to_frame()) == 4


def test_a_store_gives_its_law_back(law: planner.Law, tmp_path: Path) -> None:
    law.save(tmp_path)
    again = planner.load(tmp_path, domain="my-asr")
    assert again.id == law.id
    assert again.predict(5000).median == pytest.approx(
        law.predict(5000).median, rel=1e-6
    )  # stored in 4 bytes


def test_probabilities_of_a_comparison_sum_to_one(law: planner.Law) -> None:
    worse = planner.fit(
        TABLE | {"wer": [2 * wer for wer in WER]}, x="hours", y="wer", form="power-floor", family="worse"
    )
    both = planner.compare([law, worse])
    assert both.probability_best().sum(axis=0) == pytest.approx([1, 1])
    assert both.probability_best()[0].min() > 0.99
    with pytest.raises(InputError):
        planner.compare([law])
    with pytest.raises(ConflictingInput):
        planner.compare([law, planner.fit(TABLE, x="params", y="wer", form="power")])


def test_values_print_as_small_tables(law: planner.Law) -> None:
    plan = planner.estimate(law, target=0.1)
    for value in (law, law.predict(1e4), plan, plan.data, planner.compare([law, law])):
        assert len(repr(value)) < 2000
        assert max(map(len, repr(value).splitlines())) < 200
    assert plan._repr_html_().startswith("<table>")
    named = planner.fit(TABLE, x="hours", y="wer", domain="a", family="b", form="power")
    assert "<script>" not in named._repr_html_()


@pytest.mark.parametrize("name", ["samples", "law", "plan", "comparison"])
def test_the_examples_run(name: str) -> None:
    module = importlib.import_module(f"planner.api.{name}")
    failed, tried = doctest.testmod(module)
    assert (failed, tried > 0) == (0, True)


def test_a_joint_law_predicts_for_a_model_size() -> None:
    grid = [(n, d, 1.7 + 406 / n**0.34 + 410 / d**0.28) for n in (1e8, 2e8, 4e8) for d in (1e9, 2e9, 4e9)]
    params, tokens, loss = map(list, zip(*grid, strict=True))
    table = {"params": params, "tokens": tokens, "loss": loss}
    law = planner.fit(table, x="tokens", y="loss", form="surface")
    small, large = (law.predict(2e9, params=n).median[0] for n in (1e8, 4e8))
    assert small == pytest.approx(1.7 + 406 / 1e8**0.34 + 410 / 2e9**0.28, rel=0.01)
    assert large < small
