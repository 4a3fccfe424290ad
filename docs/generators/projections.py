"""The projections of Hestness, Ardalani, Diamos 2019, published and ours, for docs/research/projections.md.

Ours come from the laws that ship (`laws/catalog/published.py`) and the planner's own formulas; published
figures are in `ppopp2019.json`. Nothing is fitted to them.

    python -m cogapp -rP docs/research/projections.md      # writes the tables into the page
"""

import json
import math
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from laws.catalog.published import PublishedLaw, published_law
from laws.paths import quantile
from planner.hardware import cost
from planner.hardware.accelerators import catalog
from planner.hardware.fleet import read_fleet
from planner.hardware.training import roofline_seconds, train
from planner.units import format_duration, format_number

PUBLISHED: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "research" / "ppopp2019.json").read_text(encoding="utf-8")
)
TARGET = catalog()["ppopp19-target"]
TODAY = date(2026, 11, 23)  # of the prices on the page


@dataclass(frozen=True, kw_only=True)
class Projection:
    """What our laws and formulas say of one of the paper's domains, in base units."""

    name: str
    published: dict[str, Any]
    data_times: float
    params_times: float  # of our own data_times
    params_times_of_printed: float  # of the data_times that the paper prints
    params: float  # of the size law at the paper's projected data
    step_flops: float
    step_bytes: float
    footprint: float
    compute_seconds: float  # from the paper's printed FLOP
    memory_seconds: float  # from the paper's printed bytes
    step_seconds: float  # the longer of the two
    own_step_seconds: float  # from ours
    per_element: float  # samples that one batch element holds, which makes the paper's epoch come out


def law(row: dict[str, Any], kind: str) -> PublishedLaw:
    """Return the law of a domain: "curve", "size", "flops", "bytes", "footprint", "training"."""
    return published_law(f"{row['laws']}-{kind}")


def seconds(flops: float, moved: float) -> float:
    """Return the time of a step on the paper's accelerator."""
    return roofline_seconds(flops, moved, peak=TARGET.peak_at("fp32"), bandwidth=TARGET.bandwidth)


def project(row: dict[str, Any]) -> Projection:
    """Work a domain out again from the printed constants."""
    data_times = law(row, "curve").factor(row["target"] / row["current"])
    given = {"batch": row["batch"], "params": row["params"]}
    flops, moved = law(row, "flops").evaluate(**given), law(row, "bytes").evaluate(**given)
    steps = row["epoch_days"] * 86400 / row["step_seconds"]
    return Projection(
        name=row["name"],
        published=row,
        data_times=data_times,
        params_times=law(row, "size").change(data_times),
        params_times_of_printed=law(row, "size").change(row["data_times"]),
        params=law(row, "size").evaluate(data=row["data"]),
        step_flops=flops,
        step_bytes=moved,
        footprint=law(row, "footprint").evaluate(params=row["params"]),
        compute_seconds=seconds(row["step_flops"], 0.0),
        memory_seconds=seconds(0.0, row["step_bytes"]),
        step_seconds=seconds(row["step_flops"], row["step_bytes"]),
        own_step_seconds=seconds(flops, moved),
        per_element=row["data"] / row["batch"] / steps,
    )


def projections() -> list[Projection]:
    """Return all five domains."""
    return [project(row) for row in PUBLISHED["domains"]]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A model that the authors' tool counted exactly, next to our closed forms."""

    name: str
    published: dict[str, Any]
    params: int
    multiplied: int  # parameters that a matrix multiplication uses at every position
    flops: float  # 6 x multiplied x positions; for the network of convolutions 6 x multiply-adds
    rule: float  # 6 N D with all parameters
    step_bytes: float | None  # the asymptotic law of Table 2


def counted() -> list[Counted]:
    """Return the four models that Catamount counts."""
    found = []
    for row in PUBLISHED["counted"]["models"]:
        if "hidden" in row:
            params, multiplied = _recurrent(row["name"], row["hidden"], row["vocabulary"])
            positions = row["batch"] * row["unroll"]
            flops, rule = 6.0 * multiplied * positions, 6.0 * params * positions
            moved = law(row, "bytes").evaluate(batch=row["batch"], params=row["params"])
        else:
            params, multiplied, macs = _resnet18()
            flops, rule, moved = 6.0 * macs * row["batch"], 6.0 * params * row["batch"], None
        found.append(
            Counted(
                name=row["name"],
                published=row,
                params=params,
                multiplied=multiplied,
                flops=flops,
                rule=rule,
                step_bytes=moved,
            )
        )
    return found


def _recurrent(name: str, h: int, v: int) -> tuple[int, int]:
    """Return (parameters, parameters that are multiplied): a table that is looked up costs no FLOP."""
    return {
        "Word LM": (16 * h * h + 2 * h * v + 8 * h + v + 2, 16 * h * h + h * v),
        "Char LM": (22 * h * h + 2 * h * v + 20 * h + v + 2, 22 * h * h + h * v),
        "Translation": (33 * h * h + 3 * h * v + 12 * h + 1, 33 * h * h + h * v),
    }[name]


def _resnet18() -> tuple[int, int, int]:
    """Return (parameters, convolution and output weights, multiply-adds an image of 224 x 224)."""
    convolutions = [(3, 64, 7, 112)]  # in, out, kernel, side of the output
    width = 64
    for stage, side in enumerate((56, 28, 14, 7)):
        out = 64 * 2**stage
        convolutions += [(width, out, 3, side), *[(out, out, 3, side)] * 3]
        if out != width:
            convolutions.append((width, out, 1, side))
        width = out
    weights = sum(i * o * k * k for i, o, k, _ in convolutions) + 512 * 1000
    norms = sum(2 * o for _, o, _, _ in convolutions)
    macs = sum(i * o * k * k * s * s for i, o, k, s in convolutions) + 512 * 1000
    return weights + norms + 1000, weights, macs


def _table(law_info: str, rows: list[list[str]]) -> None:
    columns = law_info.split("|")
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    sys.stdout.write("\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n\n")


def _off(ours: float, published: float) -> str:
    off = round(100 * (ours / published - 1), 1)
    return f"{off:+.1f}%" if off else "0%"


def _compared(ours: float, published: float, *, digits: int = 3) -> list[str]:
    shown = (format_number(value, digits=digits) for value in (published, ours))
    return [*shown, _off(ours, published)]


def _seconds(value: float) -> str:
    return format_number(value, digits=4)


def scales() -> None:
    """Print table 1: how much more data and how much larger a model."""
    rows = [
        [
            p.name,
            f"{p.published['current']:g} → {p.published['target']:g}",
            *_compared(p.data_times, p.published["data_times"]),
            *_compared(p.params_times_of_printed, p.published["params_times"]),
            format_number(p.params_times),
        ]
        for p in projections()
    ]
    _table(
        "Domain|error|data ×, printed|ours|off|model ×, printed|of the printed data ×|off|of our data ×", rows
    )


def sizes() -> None:
    """Print table 3, first half: the size law at the projected data, and the footprint of that size."""
    rows = [
        [
            p.name,
            format_number(p.published["data"]),
            *_compared(p.params, p.published["params"]),
            *_compared(p.footprint, p.published["footprint"]),
        ]
        for p in projections()
    ]
    _table("Domain|data|parameters, printed|ours|off|footprint in bytes, printed|ours|off", rows)


def steps() -> None:
    """Print table 3, second half: FLOP and bytes of one step by the laws of table 2."""
    rows = [
        [
            p.name,
            *_compared(p.step_flops, p.published["step_flops"]),
            *_compared(p.step_bytes, p.published["step_bytes"]),
        ]
        for p in projections()
    ]
    _table("Domain|FLOP a step, printed|ours|off|bytes a step, printed|ours|off", rows)


def times() -> None:
    """Print the roofline: seconds a step and days an epoch on the paper's accelerator."""
    rows = [
        [
            p.name,
            _seconds(p.compute_seconds),
            _seconds(p.memory_seconds),
            *_compared(p.step_seconds, p.published["step_seconds"], digits=4),
            format_number(p.published["epoch_days"]),
            format_number(p.per_element),
        ]
        for p in projections()
    ]
    law_info = "compute s|memory s|step s, printed|ours|off|days an epoch, printed|samples a batch element"
    _table(f"Domain|{law_info}", rows)


def counts() -> None:
    """Print the models that were counted exactly, next to closed forms."""
    rows = [
        [
            c.name,
            f"{c.published['params']:,}",
            f"{c.params - c.published['params']:+d}",
            *_compared(c.flops, c.published["flops"]),
            _off(c.rule, c.published["flops"]),
            "-" if c.step_bytes is None else _off(c.step_bytes, c.published["bytes"]),
        ]
        for c in counted()
    ]
    law_info = "parameters, counted|ours|FLOP, counted|ours|off|6 N D off|bytes of table 2 off"
    _table(f"Model|{law_info}", rows)


def today() -> None:
    """Print one epoch of each projection on 1,024 H100: medians and 90 % intervals of our own assumptions."""
    fleet = read_fleet(None)
    part = fleet.accelerator("h100")
    assumed = fleet.assumptions(part)
    rows = []
    for p in projections():
        size, n = p.published["params"], 1000
        flops = law(p.published, "training").evaluate(params=size, data=p.published["data"])
        training = train([flops] * n, [size] * n, part, count=1024, assumed=assumed, seed=0)
        bill = cost.cost(training, seed=0, today=TODAY)
        low, middle, high = (
            format_duration(24 * 3600 * quantile(training.days, q)) for q in (0.05, 0.5, 0.95)
        )
        rows.append(
            [
                p.name,
                format_number(flops),
                _band(training.gpu_hours),
                f"{middle} ({low} to {high})",
                _band(bill.dollars or ()),
                format_number(max(training.fewest)),
            ]
        )
    _table("Domain|FLOP of an epoch|GPU-hours|time on 1,024|USD|H100 that hold it", rows)


def _band(draws: tuple[float, ...]) -> str:
    low, middle, high = (format_number(quantile(draws, q)) for q in (0.05, 0.5, 0.95))
    return f"{middle} ({low} to {high})"


def ridge() -> float:
    """Return the FLOP per byte at which the paper's accelerator turns from memory to compute bound."""
    return 0.80 * TARGET.peak_at("fp32") / (0.70 * TARGET.bandwidth)


def exponent_needed(row: dict[str, Any]) -> float:
    """Return the exponent that would make the printed data scale follow from the printed errors."""
    return math.log(row["target"] / row["current"]) / math.log(row["data_times"])
