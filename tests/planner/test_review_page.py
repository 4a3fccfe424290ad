"""The page of a review: nothing from outside, nothing injected, the same bytes, the content of Markdown."""

import json
import math
import os
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from synthetic import bare, passes, planner, power, size, surface

from laws import paths
from laws.storage.store import Store
from planner.plans.portfolio import read_portfolio
from planner.reports.plots.law_curve import LEVELS

pytest.importorskip("matplotlib", reason="needs the extra `plot`")
pytest.importorskip("jinja2", reason="needs the extra `plot`")

EXAMPLE = Path("docs/examples/plan.toml")
NASTY = "A <script>alert(1)</script> & </section> 'x' {{ 7 * 7 }} $x_1$"
PLAN = f"""
title = "T {NASTY}"
today = 2026-11-23
[[products]]
name = "{NASTY}"
domain = "speech"
target = "8%"
on = "h100"
count = 64
deadline = "60d"
budget = "$20k"
[[products]]
name = "Language"
domain = "lm"
target = "2.3"
on = "a100"
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = Store(tmp_path_factory.mktemp("page") / "store")
    for law in (
        power(0.4, 0.3, 0.03, spread=0.1),
        size(2e4, 0.6),
        passes(12),
        surface(1.69, 406, 0.34, 410, 0.28, draws=100, spread=0.02),
    ):
        opened.add_law(law)
    assert opened.publish() == ()
    return opened.folder


def reviewed(plan, store, out, *arguments):
    ran = planner("review", plan, "--store", store, "--out", out, *arguments)
    assert ran.code == 0, ran.err
    return out.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def written(store, tmp_path_factory):
    """Return the page, the Markdown and the record of one plan whose names try to inject."""
    folder = tmp_path_factory.mktemp("written")
    plan = folder / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    page, markdown, record = (reviewed(plan, store, folder / f"r.{kind}") for kind in ("html", "md", "json"))
    return page, markdown, json.loads(record)


class ParsedPage(HTMLParser):
    """Every element with its attributes, and the text outside style and script."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self.inside = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside not in ("style", "script"):
            self.text.append(" ".join(data.split()))


def test_the_same_store_gives_the_same_bytes(written, store, tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    assert reviewed(plan, store, tmp_path / "again.html") == written[0]


def test_names_from_a_plan_cannot_inject(written):
    parsed = ParsedPage(written[0])
    whole = " ".join(parsed.text)
    assert whole.count(NASTY) >= 3  # title, summary, section: as text
    tags = [tag for tag, _ in parsed.elements]
    assert tags.count("script") == 2  # the data of the panel and our own
    assert tags.count("section") == 5  # summary, panel, two products, provenance
    assert "<script>alert" not in written[0]
    embedded = re.search(r'<script type="application/json" id="panel-data">(.*?)</script>', written[0])
    assert NASTY in {product["name"] for product in json.loads(embedded[1])["products"]}


def test_charts_and_inputs_have_text_for_a_screen_reader(written):
    elements = ParsedPage(written[0]).elements
    charts = [attributes for tag, attributes in elements if tag == "svg"]
    assert len(charts) == 2
    assert all(chart["role"] == "img" and chart["aria-label"] for chart in charts)
    assert written[0].count("<title>") == 1 + 2  # of the page, and of each chart
    for text in re.findall("<desc>(.*?)</desc>", written[0]):
        assert re.search(r" from [0-9.]+\S* .*at [0-9.]+\S* to [0-9.]+", text)
    panel = written[0][written[0].index("<form>") : written[0].index("</form>")]
    assert len(re.findall("<(?:input|select) ", panel)) == panel.count("<label>") == 9


def test_the_page_refers_to_nothing_outside(written):
    for _, attributes in ParsedPage(written[0]).elements:
        for name in ("src", "href", "xlink:href", "action", "srcset", "data", "poster"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,")), attributes
    assert not re.search(r"url\((?!#)", written[0])
    assert "@import" not in written[0]
    assert "default-src 'none'" in written[0]  # and a browser enforces it


def test_the_page_has_the_content_of_markdown(written):
    page, markdown, record = written
    text = set(ParsedPage(page).text)
    cells = {
        cell.strip()
        for line in markdown.splitlines()
        if line.startswith("| ") and "---" not in line
        for cell in line.strip("|").split(" | ")
    }
    curves = {
        cell.strip()
        for block in re.findall(r"### The law:.*?(?=\n\n[^|-])", markdown, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("| ")
        for cell in line.strip("|").split(" | ")
    }
    assert {unescape(cell) for cell in cells - curves if cell} <= text  # the page draws the curves
    for code in (warning["code"] for row in record["products"] for warning in row["plan"]["warnings"]):
        assert f"[{code}]" in page
        assert f"[{code}]" in markdown
    for row in record["products"]:
        for law in row["laws"]:
            assert law["id"] in page
            assert law["id"] in markdown
        assert row["measure"] is None or row["measure"] in markdown
    for value in record["provenance"]["versions"].values():
        assert value in page
        assert value in markdown


def test_the_curve_is_that_of_the_paths_and_passes_through_the_answer(written, store):
    row = written[2]["products"][0]
    law = Store(store).law(row["plan"]["law"])
    curve = row["curve"]
    for i in (0, 20, 40):
        values = [math.exp(paths.value_at(law.grid, p, math.log(curve["x"][i]))) for p in law.paths]
        for name, level in LEVELS.items():
            assert curve["bands"][name][i] == pytest.approx(paths.quantile(values, level))
    assert curve["needed"] == [row["plan"]["data"][end] for end in ("q05", "median", "q95")]
    assert curve["x"][0] <= 1.0001 * law.x_range[0]
    assert curve["x"][-1] > curve["needed"][-1]


def test_a_fitted_law_shows_its_points(tmp_path):
    ran = planner(
        *("fit", "tests/data/whisper2022-medium-english.csv", "--domain", "asr", "--metric", "wer"),
        *("--data-unit", "hours", "--form", "power-floor", "--store", tmp_path / "store"),
    )
    assert ran.code == 0, ran.err
    plan = tmp_path / "plan.toml"
    plan.write_text('today = 2026-11-23\n[[products]]\nname = "A"\ndomain = "asr"\ntarget = "11%"\n')
    record = json.loads(reviewed(plan, tmp_path / "store", tmp_path / "r.json"))
    assert len(record["products"][0]["curve"]["measured"]) == 6
    assert "Fitted to 3.4k:" in reviewed(plan, tmp_path / "store", tmp_path / "r.md")
    law = record["products"][0]["laws"][0]
    assert law["provenance"]["fingerprint"]
    assert law["diagnostics"]["rhat"] < 1.02


def test_the_same_plan_store_and_day_give_the_same_bytes(tmp_path):
    bare(tmp_path / "store")
    for seed in ("1", "2"):
        subprocess.run(
            [
                *(sys.executable, "-c", "from planner.cli import main; main()", "review", str(EXAMPLE)),
                *("--store", str(tmp_path / "store"), "--out", str(tmp_path / f"{seed}.html")),
            ],
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        )
    assert (tmp_path / "1.html").read_bytes() == (tmp_path / "2.html").read_bytes()


@pytest.mark.parametrize("library", ["matplotlib", "jinja2"])
def test_a_page_without_its_libraries_says_what_to_install(tmp_path, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    for name in [name for name in sys.modules if name.startswith(f"{library}.")]:
        monkeypatch.setitem(sys.modules, name, None)
    store = bare(tmp_path / "store")
    ran = planner("review", EXAMPLE, "--store", store, "--out", tmp_path / "r.html")
    assert ran.code == 1
    assert "pip install 'scaling-planner[plot]'" in ran.err
    assert ran.err.count("\n") == 1
    assert planner("review", EXAMPLE, "--store", store, "--out", tmp_path / "r.md").code == 0


def test_a_plan_carries_the_hash_of_its_file(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    first = read_portfolio(plan).fingerprint
    plan.write_text(PLAN + "# more\n", encoding="utf-8")
    assert read_portfolio(plan).fingerprint != first


def test_the_panel_refers_a_frontier_to_the_command_line(tmp_path):
    """A frontier has the error of another law, which the arithmetic of the page does not repeat."""
    plan = tmp_path / "plan.toml"
    plan.write_text(
        '[[products]]\nname = "split"\nlaw = "llama3-allocation"\ntarget = "2"\n', encoding="utf-8"
    )
    page = reviewed(plan, tmp_path / "store", tmp_path / "r.html")
    embedded = re.search(r'<script type="application/json" id="panel-data">(.*?)</script>', page)
    (product,) = json.loads(embedded[1])["products"]
    assert product["frontier"]
    assert not product.keys() & {"curve", "surface", "paths"}
