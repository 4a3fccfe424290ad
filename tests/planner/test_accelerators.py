"""The table of accelerators: complete, sourced, found by whatever a person calls a part."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from laws.errors import UnknownName
from planner.cli import assembled
from planner.hardware import accelerators, cost
from planner.hardware.fleet import read_fleet

PARTS = accelerators.catalog()


@pytest.mark.parametrize("part", PARTS.values(), ids=list(PARTS))
def test_every_figure_has_a_source_and_a_sane_size(part: accelerators.Accelerator) -> None:
    assert part.confidence in {"exact", "secondary", "uncertain"}
    assert part.peak
    figures = {f"peak {name}" for name in part.peak} | {"memory", "bandwidth"}
    assert figures <= set(part.sources)
    assert all(keys and set(keys) <= set(accelerators.sources()) for keys in part.sources.values())
    assert all(8e12 <= peak <= 5e15 for peak in part.peak.values())
    assert 1.6e10 <= part.capacity <= part.memory <= 2.9e11
    assert 3e11 <= part.bandwidth <= 8e12
    assert part.power is None or 70 <= part.power <= 1400
    assert part.matmul is None or 0.5 < part.matmul / part.peak["bf16"] < 0.97
    # A 16-bit peak is never below the fp32 peak, and what is dense is not the doubled rate with sparsity.
    assert part.peak.get("fp32", 0) <= part.peak.get("fp16", 1e18)
    assert part.peak.get("tf32", 0) <= part.peak.get("bf16", 1e18)
    assert part.peak.get("fp8", 0) <= 2.03 * part.peak.get("bf16", 0)


@pytest.mark.parametrize("part", PARTS.values(), ids=list(PARTS))
def test_every_quote_is_dated_and_attributed(part: accelerators.Accelerator) -> None:
    for quote in part.quotes:
        assert quote.provider
        assert quote.kind in {"on-demand", "spot", "contract", "ownership"}
        assert 0 < quote.low <= quote.high < 15
        day = cost.quoted_on(quote)
        assert day is not None
        assert date(2022, 1, 1) <= day <= date(2026, 11, 1)


def test_the_table_is_whole() -> None:
    assert len(PARTS) == 50
    assert PARTS["h100-sxm"].peak["bf16"] == 989e12
    assert PARTS["b200"].capacity == 180e9
    assert PARTS["ppopp19-target"].peak == {"fp32": 15.67e12}
    assert {seen.part for seen in accelerators.observations()} <= set(PARTS)
    assert all(0 < seen.low <= seen.high < 1 for seen in accelerators.observations())


def test_names_are_not_ambiguous() -> None:
    names = [*PARTS, *(alias for part in PARTS.values() for alias in part.aliases)]
    folded = ["".join(c for c in name.lower() if c.isalnum()) for name in names]
    assert len(set(folded)) == len(folded)


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("h100", "h100-sxm"),
        ("H100", "h100-sxm"),
        ("A100", "a100-80-sxm"),
        ("a100 80 pcie", "a100-80-pcie"),
        ("NVIDIA L40S", "l40s"),
        ("rtx_4090", "rtx4090"),
        ("v100", "v100-sxm2-32"),
        ("TPU v5e", "tpu-v5e"),
        ("tpuv4", "tpu-v4"),
    ],
)
def test_an_accelerator_is_found_by_what_people_call_it(name: str, id: str) -> None:
    assert accelerators.find_accelerator(PARTS, name).id == id


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("tpu-v5", {"tpu-v5p", "tpu-v5e"}),
        ("MI300XX", {"mi300x"}),
        ("h10", {"h100"}),
        ("mi300xx", {"mi300x"}),
        ("zzz", {None}),
    ],
)
def test_a_typo_is_answered_with_the_nearest_name(name: str, near: set[str | None]) -> None:
    with pytest.raises(UnknownName) as refusal:
        accelerators.find_accelerator(PARTS, name)
    assert refusal.value.code == "unknown-accelerator"
    assert refusal.value.suggestion in near
    (hint,) = refusal.value.hints
    assert (hint.action, hint.names) == ("run", ("accelerators", "list"))


def test_a_missing_precision_is_refused_with_those_it_has() -> None:
    with pytest.raises(UnknownName) as refusal:
        PARTS["v100-sxm2-32"].peak_at("bf16")
    assert (refusal.value.code, refusal.value.valid_names) == ("unknown-precision", ("fp16", "fp32"))
    assert PARTS["v100-sxm2-32"].usual_precision() == "fp16"
    assert PARTS["ppopp19-target"].usual_precision() == "fp32"
    assert PARTS["h100-sxm"].usual_precision() == "bf16"


PRINTED = {  # words of a command -> a figure that it prints, in the table and in base units
    ("list",): ("h100-sxm", "989", "989000000000000.0"),
    ("show", "h100"): ("NVIDIA H100", "989 TFLOP/s", "989000000000000.0"),
    ("show", "tpu-v5p"): ("TPU v5p", "459 TFLOP/s", "459000000000000.0"),
    ("assumptions",): ("utilization", "0.16 to 0.49", "0.49"),
}


@pytest.mark.parametrize("style", ["table", "json", "csv", "markdown"])
@pytest.mark.parametrize("words", PRINTED)
def test_commands_print_in_every_format(words: tuple[str, ...], style: str) -> None:
    result = CliRunner().invoke(assembled(), ["accelerators", *words, "--format", style])
    assert result.exit_code == 0, result.output
    name, printed, in_base_units = PRINTED[words]
    assert name in result.stdout
    assert (printed if style in ("table", "markdown") else in_base_units) in result.stdout
    if style == "json":
        json.loads(result.stdout)


def test_json_carries_base_units_and_sources() -> None:
    result = CliRunner().invoke(assembled(), ["accelerators", "show", "h100", "--format", "json"])
    record = json.loads(result.stdout)
    assert record["id"] == "h100-sxm"
    assert record["figures"]["peak bf16"]["value"] == 989e12
    assert all(figure["sources"] for figure in record["figures"].values())
    assert any(quote["current"] for quote in record["quotes"])


def test_prices_of_commitments_are_printed_and_fall_with_their_length() -> None:
    result = CliRunner().invoke(assembled(), ["accelerators", "show", "a100-80-sxm"])
    rows = [line.split() for line in result.stdout.splitlines() if line.strip().startswith("USD/h,")]
    assert ["USD/h,", "3", "years", "1.81"] in [row[:4] for row in rows]
    pairs: dict[tuple[str, str, str], dict[float, float]] = {}
    for part in PARTS.values():
        for quote in part.quotes:
            assert quote.kind != "contract" or quote.years
            if quote.years and quote.low == quote.high:
                key = (part.id, quote.provider, quote.date)
                pairs.setdefault(key, {})[quote.years] = quote.low
    both = [prices for prices in pairs.values() if len(prices) == 2]
    assert len(both) > 10
    assert all(prices[3] < prices[1] for prices in both)


def test_current_quotes_are_the_newest_of_each_provider_within_a_year() -> None:
    for part in PARTS.values():
        quotes = cost.current_quotes(part)
        days = [cost.quoted_on(quote) for quote in quotes]
        assert all(quote.kind == "on-demand" for quote in quotes)
        assert all(day and max(d for d in days if d) - day < cost.YEAR for day in days)
    lambda_quotes = [q for q in cost.current_quotes(PARTS["a100-40-sxm"]) if q.provider == "Lambda Labs"]
    assert [quote.date for quote in lambda_quotes] == ["2025-02-28"]
    # 10 to 12 dollars for an H100 were asked in March 2025; newer quotes have replaced them.
    price = cost.price_of(PARTS["h100-sxm"])
    assert price is not None
    assert price.high < 7


def test_a_price_older_than_a_year_is_said() -> None:
    part = PARTS["l4"]  # one quote, 2025-03-03
    price = cost.price_of(part)
    assert cost.price_warnings(part, price, date(2026, 3, 3)) == ()
    assert cost.price_warnings(part, price, date(2026, 3, 4)) == ("price-old",)
    assert cost.price_warnings(PARTS["gb300"], cost.price_of(PARTS["gb300"]), date(2026, 1, 1)) == (
        "price-unknown",
    )


def test_reading_the_table_changes_nothing_in_it() -> None:
    assert read_fleet(None).accelerators == PARTS


def test_sources_stand_to_the_left_in_the_table() -> None:
    # Text of unequal length under a right edge is unreadable; numbers keep their right edge.
    lines = CliRunner().invoke(assembled(), ["accelerators", "show", "h200"]).stdout.splitlines()
    peak, memory = (
        next(line for line in lines if line.startswith(f" {word}")) for word in ("peak bf16", "mem")
    )
    assert peak.index("epoch") == memory.index("ml-eng")
    assert peak.index("TFLOP/s") + len("TFLOP/s") == memory.index(" GB") + len(" GB")


def test_the_page_shows_what_the_commands_print() -> None:
    if not Path(sys.executable).with_name("planner").exists():
        pytest.skip("the command `planner` is not installed here: pip install -e .")
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "-P", "--check", "docs/reference/compute.md"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (
        f"run `python -m cogapp -rP docs/reference/compute.md`: {done.stdout}{done.stderr}"
    )


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("NVIDIA H100 80GB HBM3", "h100-sxm"),
        ("A100 80GB", "a100-80-sxm"),
        ("Tesla V100-SXM2-32GB", "v100-sxm2-32"),
        ("Tesla V100-SXM2-16GB", "v100-sxm2-16"),
        ("Tesla V100-PCIE-32GB", "v100-pcie-32"),
        ("NVIDIA A100-SXM4-40GB", "a100-40-sxm"),
        ("NVIDIA A100-PCIE-40GB", "a100-40-pcie"),
        ("NVIDIA A100 80GB PCIe", "a100-80-pcie"),
        ("NVIDIA A100-SXM4-80GB", "a100-80-sxm"),
        ("A100 40G", "a100-40-sxm"),
        ("NVIDIA A100", "a100-80-sxm"),
        ("NVIDIA A800-SXM4-80GB", "a800-80"),
        ("NVIDIA H100 PCIe", "h100-pcie"),
        ("NVIDIA H100 NVL", "h100-nvl"),
        ("NVIDIA H800", "h800"),
        ("NVIDIA H20", "h20"),
        ("NVIDIA H200", "h200"),
        ("NVIDIA GH200 480GB", "gh200"),
        ("NVIDIA B200", "b200"),
        ("NVIDIA GB200", "gb200"),
        ("NVIDIA L40S", "l40s"),
        ("NVIDIA L40", "l40"),
        ("NVIDIA A10G", "a10g"),
        ("NVIDIA A40", "a40"),
        ("NVIDIA RTX A6000", "a6000"),
        ("NVIDIA GeForce RTX 3090", "rtx3090"),
        ("NVIDIA GeForce RTX 4090", "rtx4090"),
        ("Tesla T4", "t4"),
        ("Tesla P100-PCIE-16GB", "p100-pcie"),
        ("Tesla P100-SXM2-16GB", "p100"),
        ("AMD Instinct MI300X", "mi300x"),
        ("AMD Instinct MI250X", "mi250x"),
        ("mi250", "mi250"),
        ("TPU v4", "tpu-v4"),
    ],
)
def test_names_as_devices_report_them_are_understood(name: str, id: str) -> None:
    assert accelerators.find_accelerator(PARTS, name).id == id
    assert [one.id for one in PARTS.values() if accelerators.is_accelerator(name, one)].count(id) == 1


def test_one_a100_does_not_claim_the_runs_of_another() -> None:
    for device, others in (
        ("a100-80", {"a100-40-sxm", "a100-80-pcie"}),
        ("a100-40", {"a100-80-sxm"}),
        ("NVIDIA A100-SXM4-80GB", {"a100-40-sxm"}),
    ):
        assert not any(accelerators.is_accelerator(device, PARTS[id]) for id in others)
