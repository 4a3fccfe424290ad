"""A review as one page that needs nothing else: no network, no file beside it; it opens by double click.

What it says is the record and the sheets of `planner/reports/review.py`; `html/review.html` arranges it.
"""

import base64
import hashlib
import math
from pathlib import Path
from typing import Any

from laws import paths
from laws.errors import PlannerError
from planner import units
from planner.plans.plan import Plan
from planner.plans.review import Review, total
from planner.reports.estimate import probability, report, sensitivity_caption
from planner.reports.plots import svg as chart
from planner.reports.plots.law_curve import Curve, caption
from planner.reports.provenance import in_words, law_in_words
from planner.reports.report import Report
from planner.reports.review import headline, record, summary, verdict
from planner.reports.sections import Section
from planner.reports.web.panel import embedded

_HTML = Path(__file__).with_name("html")
_SCRIPTS = (
    "units",
    "worlds",
    "machines",
    "whatif",
    "panel",
)  # in the order in which they stand on each other
_FOLDED = (Section.HARDWARE_ASSUMPTIONS,)  # sections that the page shows folded


def page(found: Review) -> str:
    """Return the page; the same review gives the same bytes.

    Raises:
        PlannerError: jinja2 or matplotlib is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup
    except ImportError:
        raise PlannerError(
            "a page is filled in by jinja2: pip install 'scaling-planner[plot]', or write .md or .json"
        ) from None
    told = record(found)
    environment = Environment(
        loader=FileSystemLoader(_HTML), autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    script = "\n".join(_HTML.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    products = []
    for number, ((_, each), row) in enumerate(zip(found.plans, told["products"], strict=True), start=1):
        curve = Curve(**row["curve"])
        drawn = chart.draw(curve, name=f"law-{number}")
        products.append(_product(each, row, curve) | {"svg": Markup(drawn)})  # noqa: S704 - ours, escaped by matplotlib
    return environment.get_template("review.html").render(
        told=told,
        headline=headline(found),
        figures=_figures(found, told),
        summary=summary(found, told),
        products=products,
        trail=in_words(told["trail"]),
        draws=embedded(found),
        script=Markup(script),  # noqa: S704 - ours
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=Markup(_HTML.joinpath("review.css").read_text(encoding="utf-8").rstrip()),  # noqa: S704 - ours
    )


def _product(found: Plan, row: dict[str, Any], curve: Curve) -> dict[str, Any]:
    """Return what the template shows of one product, as text."""
    told: Report = report(found)
    fits, chance = row["plan"]["feasible"], row["plan"]["probability"]
    sections = [
        (heading, lines)
        for heading, lines in told.sections.items()
        if lines and heading != Section.SENSITIVITY
    ]
    shares = sorted(found.sensitivity.shares.items(), key=lambda item: -item[1])
    return {
        "name": row["name"],
        "verdict": verdict(row["plan"]) + ("" if chance is None else f", {probability(chance)}"),
        "mark": "" if fits is None else "good" if fits else "bad",
        "report": told,
        "caption": caption(curve, drawn=True),
        "bars": [
            (name.replace("_", " "), f"{share:.0%}", f"{100 * share:.0f}")
            for name, share in shares
            if share >= 0.01
        ],
        "bars_heading": Section.SENSITIVITY.value,
        "shares_of": sensitivity_caption(found) if shares else "",
        "measure": row["measure"],
        "sections": sections,
        "long": {i for i, (heading, _) in enumerate(sections) if heading in _FOLDED},
        "trail": [law_in_words(each) for each in row["laws"]],
    }


def _figures(found: Review, told: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return what is read first: name, value, and the range or the rest of the sentence."""
    of = told["summary"]
    plans = [each for _, each in found.plans]
    limited = of["products"] - of["unlimited"]
    figures = [("Feasible", f"{of['feasible']} of {limited}", "within their limits")] if limited else []
    for name, words, show in (
        ("gpu_hours", "GPU-hours", units.format_number),
        ("total_dollars", "Dollars", units.format_money),
    ):
        if draws := total(plans, name).draws:
            low, middle, high = (
                show(value) if math.isfinite(value) else "never"
                for value in (paths.quantile(draws, level) for level in (0.05, 0.5, 0.95))
            )
            figures.append((words, middle, f"{low} to {high}"))
    if of["done"]["median"] or of["done"]["q95"]:
        figures.append(
            ("All done", of["done"]["median"] or "never", f"with 95%: {of['done']['q95'] or 'never'}")
        )
    return figures
