"""A review as one HTML file that needs nothing else: no network, no second file; open it with a double click.

It shows the record and the reports of `planner/reports/review.py`; `html/review.html` arranges them.
"""

import base64
import hashlib
import math
import re
from pathlib import Path
from typing import Any

from laws import paths
from planner import units
from planner.plans.plan import Plan
from planner.plans.review import Review, total
from planner.reports.estimate import report, sensitivity_caption
from planner.reports.plots import svg
from planner.reports.plots.law_curve import LawCurve, caption
from planner.reports.plots.libraries import missing_library
from planner.reports.provenance import law_sentence, provenance_sentences
from planner.reports.review import record
from planner.reports.review_summary import VERDICT_COLUMN, Verdict, headline, summary, verdict, verdict_text
from planner.reports.sections import Section
from planner.reports.sentences import NEVER
from planner.reports.web.panel import panel_data

MIN_BAR_SHARE = 0.01  # of the variance: smaller shares have no bar
_TEMPLATES = Path(__file__).with_name("html")
_SCRIPTS = ("numbers", "scenarios", "hardware", "estimate", "panel")  # each uses those before it
_VERDICT_CLASSES = {Verdict.FEASIBLE: "good", Verdict.UNCERTAIN: "unsure", Verdict.NOT_FEASIBLE: "bad"}
_FOLDED = (Section.HARDWARE_ASSUMPTIONS,)  # long lists, set in two columns


def page(review: Review) -> str:
    """Return the HTML page of a review; the same review gives the same bytes.

    Args:
        review: The plans of all products, with the laws that answered.

    Returns:
        The HTML, with styles, script, charts and data inside.

    Raises:
        PlannerError: jinja2 or matplotlib is not installed (code "missing-library").
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from markupsafe import Markup, escape
    except ImportError:
        raise missing_library("jinja2") from None
    review_record = record(review)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = lambda text: Markup(_code(str(escape(text))))  # noqa: S704 - escaped first
    environment.policies["json.dumps_kwargs"] = {"sort_keys": True, "separators": (",", ":")}
    script = "\n".join(_TEMPLATES.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    products = []
    for number, ((_, plan), row) in enumerate(zip(review.plans, review_record["products"], strict=True), 1):
        curve = LawCurve(**row["curve"])
        chart = svg.draw(curve, name=f"law-{number}")
        products.append(_product(plan, row, curve) | {"svg": Markup(chart)})  # noqa: S704 - ours, escaped by matplotlib
    return environment.get_template("review.html").render(
        review=review_record,
        headline=headline(review),
        key_numbers=_key_numbers(review, review_record),
        summary=summary(review),
        verdict_classes=[_VERDICT_CLASSES.get(verdict(plan), "") for _, plan in review.plans],
        verdict_column=VERDICT_COLUMN,
        products=products,
        provenance=provenance_sentences(review_record["provenance"]),
        panel_data=panel_data(review),
        script=Markup(script),  # noqa: S704 - ours
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        style=Markup(_TEMPLATES.joinpath("review.css").read_text(encoding="utf-8").rstrip()),  # noqa: S704 - ours
    )


def _code(escaped: str) -> str:
    """Return a sentence with the commands that it names in backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)


def _product(plan: Plan, row: dict[str, Any], curve: LawCurve) -> dict[str, Any]:
    """Return what the template shows for one product, as text."""
    answer = report(plan)
    kind = verdict(plan)
    sections = [
        (heading, lines)
        for heading, lines in answer.sections.items()
        if lines and heading != Section.SENSITIVITY  # the page draws it as bars
    ]
    shares = sorted(plan.sensitivity.shares.items(), key=lambda item: -item[1])
    return {
        "name": row["name"],
        "verdict": verdict_text(plan),
        "verdict_class": _VERDICT_CLASSES.get(kind, ""),
        "report": answer,
        "caption": caption(curve, drawn=True),
        "bars": [
            (name.replace("_", " "), f"{share:.0%}", f"{100 * share:.0f}")
            for name, share in shares
            if share >= MIN_BAR_SHARE
        ],
        "bars_heading": Section.SENSITIVITY.value,
        "bars_caption": sensitivity_caption(plan) if shares else "",
        "measure": row["measure"],
        "sections": sections,
        "folded": {i for i, (heading, _) in enumerate(sections) if heading in _FOLDED},
        "provenance": [law_sentence(law) for law in row["laws"]],
    }


def _key_numbers(review: Review, review_record: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return the large numbers at the top: name, value, and the range or the rest of the sentence."""
    counts = review_record["summary"]
    plans = [plan for _, plan in review.plans]
    verdicts = [verdict(plan) for plan in plans]
    limited = len(verdicts) - verdicts.count(Verdict.NO_LIMITS)
    feasible = f"{verdicts.count(Verdict.FEASIBLE)} of {limited}"
    numbers = [("Feasible", feasible, "within their limits")] if limited else []
    for key, label, print_value in (
        ("data_dollars", "Data", units.format_money),
        ("dollars", "Compute", units.format_money),
        ("gpu_hours", "GPU-hours", units.format_number),
    ):
        if samples := total(plans, key).draws:
            low, middle, high = (
                print_value(value) if math.isfinite(value) else NEVER
                for value in (paths.quantile(samples, level) for level in (0.05, 0.5, 0.95))
            )
            numbers.append((label, middle, f"{low} to {high}"))
    done = counts["done"]
    if done["median"] or done["q95"]:
        late = f"with probability 95%: {done['q95'] or NEVER}"
        numbers.append(("Finish", done["median"] or NEVER, late))
    return numbers
