"""A user's fleet file: laid over the table, every mistake answered by name."""

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from laws.errors import ConflictingInput, PlannerError, UnknownName
from planner import assumptions
from planner.cli import assembled
from planner.hardware import cost
from planner.hardware.fleet import MAX_COUNT, Fleet, read_fleet

WHOLE = """
power_usage_effectiveness = 1.2
carbon_intensity = [0.02, 0.05]

[parts.h100]
count = 64
price = 2.10
price_date = 2026-10-01
utilization = [0.35, 0.42]

[parts."my chip"]
name = "My chip"
count = 8
memory_gb = 96
bandwidth_tb_s = 2.4
power_w = 400
price = 0
peak_tflops = { bf16 = 400, fp32 = 50 }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "fleet.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_fleet_overrides_and_adds(tmp_path: Path) -> None:
    fleet = read_fleet(written(tmp_path, WHOLE))
    h100 = fleet.accelerator("h100")
    assert h100.id == "h100-sxm"
    assert fleet.count(h100) == 64
    assert h100.peak["bf16"] == 989e12, "what the file does not give stays"
    price = cost.price_of(h100)
    assert price is not None
    assert (price.low, price.high, price.origin) == (2.10, 2.10, "fleet file")
    assumed = fleet.assumptions(h100)
    assert assumed["utilization"].bands == ((0.35, 0.42),)
    assert assumed["power_usage_effectiveness"].bands == ((1.2, 1.2),)
    assert "fleet.toml" in assumed["utilization"].source
    own = fleet.accelerator("My Chip")
    assert (own.memory, own.bandwidth, own.power, own.peak["bf16"]) == (96e9, 2.4e12, 400.0, 400e12)
    assert fleet.assumptions(own)["utilization"].origin == "predicted"
    assert fleet.count(fleet.accelerator("l4")) is None
    assert len(fleet.accelerators) == 51


def test_a_price_of_zero_is_owned_hardware(tmp_path: Path) -> None:
    own = read_fleet(written(tmp_path, WHOLE)).accelerator("my chip")
    price = cost.price_of(own)
    assert price is not None
    assert price.draws(5, seed=1) == (0.0,) * 5


def test_an_own_price_grows_old_only_if_it_is_dated(tmp_path: Path) -> None:
    for line, codes in (("price_date = 2025-10-01", ("price-old",)), ("", ())):
        part = read_fleet(written(tmp_path, f"[parts.h100]\nprice = 2\n{line}")).accelerator("h100")
        assert cost.price_warnings(part, cost.price_of(part), date(2026, 11, 23)) == codes


def test_the_list_shows_how_many_there_are(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    result = CliRunner().invoke(
        assembled(), ["accelerators", "list", "--format", "markdown", "--fleet", str(path)]
    )
    assert "| h100-sxm | 989 | 989 | 67 | 80 | 3.35 | 700 | 2.1 | 64 |" in result.stdout
    assert "| my chip | 400 | - | 50 | 96 | 2.4 | 400 | 0 | 8 |" in result.stdout


def test_own_figures_are_attributed_to_the_file(tmp_path: Path) -> None:
    fleet = read_fleet(written(tmp_path, "[parts.a10g]\npower_w = 300\npeak_tflops = { bf16 = 125 }"))
    part = fleet.accelerator("a10g")
    assert "fleet.toml" in part.sources["power"][0]
    assert part.uncertain == ("peak fp16",), "what the file settles is no longer uncertain"


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("[parts.h100]\nutilizatoin = 0.4", "unknown-key", "[parts.h100]"),
        ("power_usage_efectiveness = 1.1", "unknown-key", "fleet.toml"),
        ("[parts.h100]\ncount = 0", "invalid-value", "count in [parts.h100]"),
        ("[parts.h100]\ncount = 2.5", "invalid-value", "count in [parts.h100]"),
        ("[parts.h100]\ncount = true", "invalid-value", "count in [parts.h100]"),
        (f"[parts.h100]\ncount = 1{'0' * 300}", "invalid-value", "count in [parts.h100]"),
        ("[parts.h100]\nprice = -1", None, "price"),
        ("[parts.h100]\nprice = nan", None, "price"),
        (f"[parts.h100]\nprice = 1{'0' * 350}", "invalid-value", "price"),
        (f"[parts.h100]\nprice = 1{'0' * 450}", "invalid-toml", "fleet.toml"),
        ("[parts.h100]\nprice = '2'", "invalid-value", "price in [parts.h100]"),
        ("[parts.h100]\nprice_date = 2026-10-01", "date-without-price", "price_date in [parts.h100]"),
        ("[parts.h100]\nprice = 2\nprice_date = 'October'", "invalid-value", "price_date in [parts.h100]"),
        ("[parts.h100]\nutilization = 0", None, "utilization"),
        ("[parts.h100]\nutilization = 38", None, "utilization"),
        ("[parts.h100]\nutilization = [0.5, 0.4]", None, "utilization"),
        ("[parts.h100]\nutilization = [0.3, 0.4, 0.5]", "invalid-value", "utilization in [parts.h100]"),
        ("[parts.h100]\nscaling_loss = 1", None, "scaling_loss"),
        ("[parts.h100]\nmemory_gb = 0", "invalid-value", "memory_gb in [parts.h100]"),
        ("[parts.h100]\npower_w = -5", "invalid-value", "power_w in [parts.h100]"),
        ("[parts.h100]\npeak_tflops = 989", "invalid-value", "peak_tflops in [parts.h100]"),
        ("[parts.h100]\npeak_tflops = { bf61 = 989 }", "unknown-key", "peak_tflops"),
        ("power_usage_effectiveness = 0.9", None, "power_usage_effectiveness"),
        ("carbon_intensity = -0.1", None, "carbon_intensity"),
        ("[parts.h101]\nprice = 2", "incomplete-accelerator", "[parts.h101]"),
        ("[parts.brand-new]\nmemory_gb = 96", "incomplete-accelerator", "[parts.brand-new]"),
        ("[parts.h100]\nprice = 2\n[parts.h100-sxm]\ncount = 4", "duplicate-accelerator", "h100-sxm"),
        ("parts = 3", "invalid-value", "parts"),
        ("[parts]\nh100 = 3", "invalid-value", "parts.h100"),
        ("[parts.h100", "invalid-toml", "fleet.toml"),
        ("a\x00 = 1", "invalid-toml", "fleet.toml"),
        ("a = " + "[" * 5000, "invalid-toml", "fleet.toml"),
        (".".join("a" * 20_000) + " = 1", "invalid-toml", "fleet.toml"),
        ("a" * 40_000 + " = 1", "unknown-key", "fleet.toml"),
        ("# " + "a" * 1_000_000, "file-too-large", "fleet.toml"),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, text: str, code: str | None, place: str) -> None:
    with pytest.raises(PlannerError) as refusal:
        read_fleet(written(tmp_path, text))
    assert code in (None, refusal.value.code)
    assert place in refusal.value.message
    assert "\n" not in refusal.value.message
    assert len(refusal.value.message) < 1000


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [
        ("[parts.h100]\nutilizatoin = 0.4", "utilization"),
        ("power_usage_efectiveness = 1.1", "power_usage_effectiveness"),
        ("[parts.h100]\npeak_tflops = { bf61 = 989 }", "bf16"),
    ],
)
def test_a_typo_gets_a_suggestion(tmp_path: Path, text: str, suggestion: str) -> None:
    with pytest.raises(UnknownName) as refusal:
        read_fleet(written(tmp_path, text))
    assert refusal.value.suggestion == suggestion


def test_the_former_spelling_of_utilization_is_read(tmp_path: Path) -> None:
    fleet = read_fleet(written(tmp_path, "[parts.h100]\nutilisation = [0.35, 0.42]"))
    assert fleet.assumptions(fleet.accelerator("h100"))["utilization"].bands == ((0.35, 0.42),)
    assert assumptions.parse_assumption("utilisation=0.4").name == "utilization"


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        result = CliRunner().invoke(assembled(), ["accelerators", "list", "--fleet", str(path)])
        assert isinstance(result.exception, PlannerError)
        assert result.exception.code == "unreadable-file"


def test_the_command_reads_the_fleet(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    result = CliRunner().invoke(assembled(), ["accelerators", "show", "h100", "--fleet", str(path)])
    assert result.exit_code == 0
    assert "0.35 to 0.42" in result.stdout


BOUNDS: dict[str, Callable[[float], bool]] = {
    "count": lambda n: isinstance(n, int) and 1 <= n <= MAX_COUNT,
    "price": lambda x: 0 <= x < math.inf,
    "utilization": lambda x: 0 < x <= 1,
    "memory_gb": lambda x: 0 < x < math.inf,
    "peak_tflops": lambda _: False,
    "scaling_loss": lambda x: 0 <= x < 1,
}


def allowed(key: str, value: object) -> bool:
    """Return whether a value is valid, by rules that are written here once more."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and BOUNDS[key](value)


@settings(deadline=None)  # the machine may be busy
@given(
    key=st.sampled_from(sorted(BOUNDS)),
    value=st.floats() | st.floats(0, 1) | st.integers() | st.booleans() | st.text(max_size=3) | st.none(),
)
def test_every_value_is_taken_or_refused_as_the_bounds_say(key: str, value: object) -> None:
    from planner.hardware.fleet import _fleet

    row = {"h100": {key: value}}
    if allowed(key, value):
        assert isinstance(_fleet({"parts": row}, "fleet.toml"), Fleet)
    else:
        with pytest.raises(PlannerError):
            _fleet({"parts": row}, "fleet.toml")


@pytest.mark.parametrize("text", ["utilization", "utilization=", "utilization=a", "utilization=.5..", "x=1"])
def test_an_assumption_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(PlannerError):
        assumptions.parse_assumption(text)


def test_assumptions_are_read_as_people_write_them() -> None:
    assert assumptions.parse_assumption("utilization = 0.35..0.42").bands == ((0.35, 0.42),)
    assert assumptions.parse_assumption("price=2.5").bands == ((2.5, 2.5),)
    with pytest.raises(PlannerError, match="did you mean 'utilization'"):
        assumptions.parse_assumption("utilizatoin=0.4")


def test_each_default_is_itself_allowed_and_sourced() -> None:
    for name, assumption in assumptions.defaults().items():
        for low, high in assumption.bands:
            assert assumptions.checked_band(name, low, high, where="test") == (low, high)
        assert assumption.text
        assert assumption.source
    without_default = {"price", "utilization_devices", "mixture_of_experts"}
    assert {*assumptions.defaults(), *without_default} == set(assumptions.names())


def test_draws_repeat_fill_the_band_and_differ_between_names() -> None:
    working, loss = (assumptions.defaults()[name] for name in ("working_time", "scaling_loss"))
    draws = working.draws(1000, seed=3)
    assert draws == working.draws(1000, seed=3)
    assert draws != working.draws(1000, seed=4)
    # one draw from each thousandth: quantiles are exact to a thousandth of the band, whatever the seed
    assert sorted(draws)[500] == pytest.approx(0.85, abs=0.3 / 1000)
    ranks = [sorted(values).index(values[0]) for values in (draws, loss.draws(1000, seed=3))]
    assert ranks[0] != ranks[1], "two assumptions do not march in step"


def test_the_example_of_the_pages_is_read() -> None:
    fleet = read_fleet(Path(__file__).resolve().parents[2] / "docs/examples/fleet.toml")
    assert dict(fleet.counts) == {"h100-sxm": 64, "rtx4090": 8, "in-house": 256}
    assert fleet.accelerator("in-house").peak_at("bf16") == 400e12
    assert cost.price_of(fleet.accelerator("4090")) is not None


@pytest.mark.parametrize("table", ["", "[parts.h100]\n"])
def test_both_spellings_of_a_key_are_refused(tmp_path: Path, table: str) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text(f"{table}utilisation = 0.3\nutilization = 0.4\n", encoding="utf-8")
    with pytest.raises(ConflictingInput):
        read_fleet(path)
