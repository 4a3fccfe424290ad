"""The page of a review in a browser: the panel has the command line's digits, and nothing is loaded."""

import itertools
import json
import math
import os
import random
import re
import shlex
import shutil

import pytest
from synthetic import passes, planner, power, size, surface

from laws import paths
from laws.storage.store import Store
from laws.types import Run
from planner import units

IN_CI = os.environ.get("CI", "").lower() in ("true", "1")
if not IN_CI:  # there a missing library is an error
    pytest.importorskip("playwright.sync_api", reason="needs the extra `dev`")
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
from playwright import sync_api  # noqa: E402

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.browser

NASTY = "<img src=x onerror='window.hit = 1'><script>window.hit = 1</script>"
PLAN = f"""
title = "In a browser {NASTY}"
today = 2026-11-23
fleet = "fleet.toml"

[[products]]
name = "calibrated {NASTY}"
domain = "speech"
target = "8%"
on = "h100"
count = 64
deadline = "60d"
budget = "$20k"
have_data = "1000h"
data_price = "$12/hour"

[[products]]
name = "floor"
domain = "floor"
target = "12%"
have_data = "5000h"

[[products]]
name = "committed"
domain = "speech"
target = "10%"
on = "a100"
confidence = "80%"
gpu_hours = "0.001"
assume = ["utilization=0.2..0.3", "price=1..4"]

[[products]]
name = "rising"
domain = "vision"
target = "88%"
have_data = "5000h"

[[products]]
name = "rising, committed"
domain = "vision"
target = "0.86"
confidence = "60%"

[[products]]
name = "score"
domain = "mt"
target = "80"

[[products]]
name = "repeated"
domain = "lm"
target = "2.3"
on = "h100"
have_data = "3B tokens"
deadline = "36h"

[[products]]
name = "served"
domain = "lm"
target = "2.3"
on = "h100"
serve = "1e12 tokens"

[[products]]
name = "one split"
domain = "lm"
target = "2.3"
on = "h100"
confidence = "70%"

[[products]]
name = "given"
domain = "speech"
data = "100h"
on = "v100"

[[products]]
name = "published"
law = "hestness2019-nmt-curve"
target = "30%"
on = "h100"
count = 8
deadline = "30d"
budget = "$5k"

[[products]]
name = "published surface"
law = "besiroglu2024"
on = "h100"
count = 256
budget = "$1M"
have_data = "100B tokens"

[[products]]
name = "broken"
law = "caballero2022-bnsl-4digit"
target = "2"

[[products]]
name = "saturating"
law = "bansal2022-encdec"
target = "1.6"

[[products]]
name = "ratio"
law = "kaplan2020-LD"
target = "2.5"
"""
FLEET = """
power_usage_effectiveness = 1.2
carbon_intensity = [0.02, 0.06]
[parts.h100]
count = 32
price = 2.10
price_date = 2024-10-01
utilization = [0.35, 0.42]
[parts.in-house]
memory_gb = 96
bandwidth_tb_s = 2.4
price = [0.8, 1.1]
peak_tflops = { bf16 = 400, fp32 = 50 }
"""
PRODUCTS = re.findall(r'^name = "(.*)"$', PLAN, re.MULTILINE)
# as planned, other machines, a price, a band, nothing paid, no machine, other targets
CHANGES = [
    {},
    {"accelerator": "a100-80-sxm", "count": "16"},
    {"accelerator": "h200", "count": "1000", "price": "2"},
    {"accelerator": "tpu-v5p", "count": "7", "price": "$1.5..3.25"},
    {"accelerator": "in-house", "count": "256"},
    {"price": "0"},
    {"accelerator": ""},
    {"times": 1.1},
    {"times": 0.97, "count": "128"},
    {"times": 0.8},
    {"times": 4},  # far below the measured data, where the law answers that
    {"data_price": "3.5", "have_data": "2,000", "budget": "$15k", "deadline": "45"},
    {"accelerator": "", "data_price": "20", "budget": "100k", "deadline": "90 d"},
    {"times": 0.35},  # never, in most posterior samples or in all
]


@pytest.fixture(scope="module", autouse=True)
def chromium():
    """Return the browser; without one a developer's machine skips, and continuous integration fails."""
    if CHROMIUM is None:
        missing = "no Chromium on this machine: apt-get install chromium"
        if IN_CI:
            pytest.fail(missing)
        pytest.skip(missing)
    return CHROMIUM


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = Store(tmp_path_factory.mktemp("browser") / "store")
    for i in range(4):  # trainings on a V100, from which its utilization is measured
        opened.add_run(
            Run(
                id=f"v100-{i}", status="finished", sweep="s", domain="speech", family="ds2", optimizer="adam",
                data=1.0, data_unit="hours", params=1000, flops=125e12 * 100 * (0.1 + i / 50), seconds=100.0,
                device="Tesla V100-SXM2-32GB",
            )
        )  # fmt: skip
    for law in (
        power(0.4, 0.3, 0.03, spread=0.1),
        size(
            2e4, 0.6, spread=0.1, draws=150
        ),  # with another number of posterior samples, which are read repeatedly
        passes(12),
        power(
            0.4, 0.3, 0.1, spread=0.1, domain="floor", source="fitted"
        ),  # some posterior samples never reach the target
        power(0.4, 0.3, 0.03, spread=0.1, domain="vision", metric="accuracy", metric_ceiling=1.0),
        power(40, 0.3, 10, spread=0.1, domain="mt", metric="bleu", metric_unit="", metric_ceiling=100.0),
        surface(1.69, 406, 0.34, 410, 0.28, draws=60, spread=0.02),
    ):
        opened.add_law(law)
    assert opened.publish() == ()
    return opened.folder


@pytest.fixture(scope="module")
def path(store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser-page")
    (folder / "plan.toml").write_text(PLAN, encoding="utf-8")
    (folder / "fleet.toml").write_text(FLEET, encoding="utf-8")
    ran = planner("review", folder / "plan.toml", "--store", store, "--out", folder / "review.html")
    assert ran.code == 0, ran.err
    return folder / "review.html"


@pytest.fixture(scope="module")
def loaded(path, chromium):
    """Return the open page, with its console messages and its requests while loading."""
    with sync_api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium)
        page = browser.new_page()
        messages, requests = [], []
        page.on("console", lambda message: messages.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("#what-if:not([hidden])")
        yield page, messages, requests
        browser.close()


@pytest.fixture
def page(loaded):
    loaded[0].emulate_media(media="screen", color_scheme="light")
    return loaded[0]


def test_the_page_loads_without_errors_and_without_the_network(loaded, path):
    page, messages, requests = loaded
    assert messages == []
    assert requests == [path.as_uri()]
    refused = page.evaluate("fetch('https://example.org/').then(() => 'loaded', () => 'refused')")
    assert refused == "refused"  # by the page's own policy
    page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.hit = 2";
      document.body.append(script);
    }""")
    assert page.evaluate("window.hit") is None  # only the script whose hash the page names runs
    messages.clear()


def test_a_name_from_the_plan_stays_text(page):
    assert page.evaluate("window.hit") is None
    assert page.locator("h1").inner_text() == f"In a browser {NASTY}"
    assert page.locator("select[name=product] option").all_inner_texts() == PRODUCTS


def ask(page, product, change):
    """Set the panel; return its refusal, or its table, numbers, notes, codes and command."""
    page.select_option("select[name=product]", str(PRODUCTS.index(product)))
    for field, value in change.items():
        if field == "accelerator":
            page.select_option("select[name=accelerator]", value)
        elif field == "times":
            planned = page.input_value("input[name=target]")
            number = f"{float(planned.rstrip('%')) * value:.4g}"
            page.fill("input[name=target]", number + "%" * planned.endswith("%"))
        else:
            page.fill(f"input[name={field}]", value)
    return page.evaluate("""() => {
      const panel = document.getElementById("what-if");
      const rows = [...panel.querySelectorAll("tbody tr")];
      return {
        refusal: panel.querySelector(".error").textContent,
        command: panel.querySelector("code").textContent,
        table: rows.map((row) => [...row.children].map((cell) => cell.textContent)),
        numbers: Object.fromEntries(rows.map((row) => [row.dataset.quantity,
          [...row.querySelectorAll("td")].map((cell) => cell.dataset.value ?? null)])),
        notes: [...panel.querySelectorAll(".chances li")].map((note) => note.textContent),
        codes: [...panel.querySelectorAll(".warnings li")].map((line) => line.dataset.code),
      };
    }""")


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda name: name.partition(" <")[0])
def test_the_panel_agrees_with_the_command_that_it_names(page, path, store, product):
    answered = 0
    for change in CHANGES:
        shown = ask(page, product, change)
        if shown["refusal"]:
            # the plan itself is always answered; a joint law cannot reach its target with any data in hand
            assert {"accelerator", "times", "have_data"} & change.keys(), shown["refusal"]
            continue
        answered += 1
        words = shlex.split(shown["command"])
        words = [str(path.with_name(word)) if word == "fleet.toml" else word for word in words]
        assert words[:2] == ["planner", "estimate"]
        ran = planner(*words[1:], "--store", store, "--format", "json")
        assert ran.code == 0, ran.err
        answer = json.loads(ran.out)
        for name, values in shown["numbers"].items():
            expected = answer["beyond"]["factor"] if name == "beyond" else answer[name]
            for end, value in zip(("q05", "median", "q95"), values, strict=True):
                if expected[end] is None:
                    assert value in (None, "Infinity"), (change, name, end)
                else:
                    assert float(value) == pytest.approx(expected[end], rel=1e-9), (change, name, end)
        assert shown["codes"] == [warning["code"] for warning in answer["warnings"]], change
        printed = planner(*words[1:], "--store", store, "--explain", "--format", "markdown").out.splitlines()
        table = [
            [cell.strip() for cell in line.strip("|").split(" | ")] for line in printed if line[:2] == "| "
        ]
        assert shown["table"] == [row for row in table[1:] if row[0] != "---"], change
        notes = [line[2:] for line in printed[printed.index("") :] if line[:2] == "- "]
        assert shown["notes"] == notes[: len(shown["notes"])], change
    assert answered >= 4


REFUSED = [
    *(("target", text) for text in ("", "0", "200%", "99%", "5 parsecs")),
    *(("count", text) for text in ("0", "1.5")),
    *(("price", text) for text in ("-1", "3..1", "a..b")),
    *(("budget", text) for text in ("-1", "lots")),
    *(("deadline", text) for text in ("soon", "-3")),
    *((field, "many") for field in ("have_data", "data_price")),
]


@pytest.mark.parametrize(("field", "text"), REFUSED)
def test_the_panel_refuses_what_the_command_line_refuses(page, path, store, field, text):
    accepted = ask(page, PRODUCTS[0], {"price": "2"})
    shown = ask(page, PRODUCTS[0], {"price": "2", field: text})
    assert shown["refusal"]
    assert (shown["table"], shown["notes"], shown["codes"], shown["command"]) == ([], [], [], "")
    words = [*shlex.split(accepted["command"])[1:], "--store", str(store)]
    words[words.index("--fleet") + 1] = str(path.with_name("fleet.toml"))
    assert planner(*words).code == 0
    option, value = {"price": ("--assume", f"price={text}")}.get(
        field, (f"--{field.replace('_', '-')}", text)
    )
    words[words.index(option) + 1] = value
    ran = planner(*words)
    assert ran.code in (1, 2)
    assert ran.out == ""
    assert not ask(page, PRODUCTS[0], {})["refusal"]


def test_reset_returns_to_the_plan(page):
    before = ask(page, PRODUCTS[0], {})
    changed = ask(
        page, PRODUCTS[0], {"accelerator": "v100-sxm2-32", "count": "3", "price": "9", "times": 1.2}
    )
    assert changed["table"] != before["table"]
    page.click("#what-if button[type=reset]")
    assert page.locator("#what-if code").inner_text() == before["command"]


def test_numbers_are_printed_as_python_prints_them(page):
    rng = random.Random(0)
    values = [rng.uniform(1, 10) * 10.0 ** rng.randint(-12, 24) for _ in range(1500)]
    values += [float(f"{a}{b}5e{e}") for a, b, e in itertools.product("129", "0459", range(-3, 12))]  # halves
    values += [n / 8 for n in range(1, 200)] + [0.0, 1.0, 999.5, 9995.0, 999500.0, 1e15, 9.995e14, math.inf]
    printed = page.evaluate(
        "values => values.map((v) => v ?? Infinity).map((v) => [formatNumber(v), formatFlops(v),"
        " formatFraction(v), formatBytes(v), formatMoney(v), Number.isFinite(v) ? fixed(100 * v, 0) : ''])",
        [None if math.isinf(v) else v for v in values],
    )
    for value, texts in zip(values, printed, strict=True):
        finite = math.isfinite(value)
        assert texts[0] == units.format_number(value)
        assert texts[1] == units.format_flops(value)
        assert texts[4] == units.format_money(value)
        assert texts[3] == units.format_si(value, "B")
        if finite and value < 1e15:
            assert texts[2] == units.format_fraction(value)
            assert texts[5] == f"{100 * value:.0f}"


def test_paths_are_read_as_python_reads_them(page):
    rng = random.Random(1)
    cases = []
    for _ in range(300):
        grid = sorted(rng.uniform(0, 9) for _ in range(8))
        path = [rng.uniform(-3, 0) for _ in grid]  # humps, ends above the target, begins below it
        if rng.random() < 0.5:
            path.sort(reverse=True)
        cases.append((grid, path, rng.uniform(-3.2, 0.2), rng.uniform(-1, 10)))
    computed = page.evaluate(
        "cases => cases.map(([grid, path, y, x]) =>"
        " [String(inverse(grid, path, y)), valueAt(grid, path, x)])",
        cases,
    )
    for (grid, path, y, x), (back, forth) in zip(cases, computed, strict=True):
        assert float(back) == pytest.approx(paths.inverse(grid, path, y), rel=1e-12)
        assert forth == pytest.approx(paths.value_at(grid, path, x), rel=1e-12)


def test_the_printed_page_leaves_the_panel_out(page):
    page.emulate_media(media="print")
    assert not page.locator("#what-if").is_visible()
    assert page.locator("#summary table").is_visible()
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    # the first product follows the summary, every other one begins a page
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) >= len(PRODUCTS)


def test_a_phone_shows_the_summary_without_scrolling_sideways(page):
    page.set_viewport_size({"width": 390, "height": 800})
    wide = page.evaluate("document.querySelector('#summary .wide').scrollWidth")
    assert wide <= page.evaluate("document.querySelector('#summary .wide').clientWidth") <= 390
    assert page.evaluate(
        "getComputedStyle(document.querySelector('table.summary td'), '::before').content"
    ).strip('"')


def test_dark_mode_changes_page_and_charts(page):
    colors = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colors.append(
            page.evaluate(
                "['body', 'figure svg text'].map((name) => getComputedStyle(document.querySelector(name)))"
                ".map((style) => [style.backgroundColor, style.fill])"
            )
        )
    (light_body, light_text), (dark_body, dark_text) = colors
    assert light_body[0] != dark_body[0]
    assert light_text[1] != dark_text[1]
