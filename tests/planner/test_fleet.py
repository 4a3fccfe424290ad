"""A user's fleet file: laid over the table, every mistake answered by name."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from laws.errors import PlannerError
from planner import assumptions
from planner.cli import assembled
from planner.hardware import cost
from planner.hardware.fleet import Fleet, read_fleet

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
    assert fleet.assumptions(own)["utilization"].origin == "default"
    assert fleet.count(fleet.accelerator("l4")) is None
    assert len(fleet.accelerators) == 28


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
    ("text", "said"),
    [
        ("[parts.h100]\nutilizatoin = 0.4", "unknown key 'utilizatoin' in [parts.h100]"),
        ("[parts.h100]\nutilizatoin = 0.4", "did you mean 'utilization'?"),
        ("power_usage_efectiveness = 1.1", "did you mean 'power_usage_effectiveness'?"),
        ("[parts.h100]\ncount = 0", "count = 0 in [parts.h100]"),
        ("[parts.h100]\ncount = 2.5", "wanted a whole number of devices"),
        ("[parts.h100]\ncount = true", "wanted a whole number of devices"),
        ("[parts.h100]\nprice = -1", "price = -1 in [parts.h100]"),
        ("[parts.h100]\nprice = nan", "price = nan"),
        ("[parts.h100]\nprice = '2'", "price = '2' in [parts.h100]"),
        ("[parts.h100]\nprice_date = 2026-10-01", "dates no price"),
        ("[parts.h100]\nprice = 2\nprice_date = 'October'", "wanted a day such as"),
        ("[parts.h100]\nutilization = 0", "above 0 and at most 1"),
        ("[parts.h100]\nutilization = 38", "above 0 and at most 1"),
        ("[parts.h100]\nutilization = [0.5, 0.4]", "wanted the smaller value first"),
        ("[parts.h100]\nutilization = [0.3, 0.4, 0.5]", "wanted one number or two"),
        ("[parts.h100]\nscaling_loss = 1", "at least 0 and below 1"),
        ("[parts.h100]\nmemory_gb = 0", "memory_gb = 0 in [parts.h100]"),
        ("[parts.h100]\npower_w = -5", "wanted a number above 0"),
        ("[parts.h100]\npeak_tflops = 989", "wanted a table such as"),
        ("[parts.h100]\npeak_tflops = { bf61 = 989 }", "did you mean 'bf16'?"),
        ("power_usage_effectiveness = 0.9", "at least 1"),
        ("carbon_intensity = -0.1", "at least 0"),
        ("[parts.h101]\nprice = 2", "did you mean"),
        ("[parts.brand-new]\nmemory_gb = 96", "a new part needs peak_tflops, bandwidth_tb_s too"),
        ("[parts.h100]\nprice = 2\n[parts.h100-sxm]\ncount = 4", "a second time"),
        ("parts = 3", "wanted a table for each part"),
        ("[parts]\nh100 = 3", "wanted a table, such as [parts.h100]"),
        ("[parts.h100", "is not a TOML file"),
    ],
)
def test_every_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PlannerError) as error:
        read_fleet(written(tmp_path, text))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        result = CliRunner().invoke(assembled(), ["accelerators", "list", "--fleet", str(path)])
        assert isinstance(result.exception, PlannerError)
        assert "--fleet" in str(result.exception)


def test_the_command_reads_the_fleet(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    result = CliRunner().invoke(assembled(), ["accelerators", "show", "h100", "--fleet", str(path)])
    assert result.exit_code == 0
    assert "0.35 to 0.42" in result.stdout


@settings(deadline=None)  # the machine may be busy
@given(value=st.floats() | st.integers() | st.booleans() | st.text(max_size=3) | st.none())
def test_no_value_of_any_kind_escapes_as_anything_but_a_plain_refusal(value: object) -> None:
    from planner.hardware.fleet import _fleet

    for key in ("count", "price", "utilization", "memory_gb", "peak_tflops", "scaling_loss"):
        try:
            fleet = _fleet({"parts": {"h100": {key: value}}}, "fleet.toml")
        except PlannerError:
            continue
        assert isinstance(fleet, Fleet)


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
    assert {*assumptions.defaults(), "price"} == set(assumptions.names())


def test_draws_repeat_fill_the_band_and_differ_between_names() -> None:
    utilization, loss = (assumptions.defaults()[name] for name in ("utilization", "scaling_loss"))
    draws = utilization.draws(1000, seed=3)
    assert draws == utilization.draws(1000, seed=3)
    assert draws != utilization.draws(1000, seed=4)
    # one draw from each thousandth: quantiles are exact to a thousandth of the band, whatever the seed
    assert sorted(draws)[500] == pytest.approx(0.375, abs=0.15 / 1000)
    ranks = [sorted(values).index(values[0]) for values in (draws, loss.draws(1000, seed=3))]
    assert ranks[0] != ranks[1], "two assumptions do not march in step"


def test_the_example_of_the_pages_is_read() -> None:
    fleet = read_fleet(Path(__file__).resolve().parents[2] / "docs/examples/fleet.toml")
    assert dict(fleet.counts) == {"h100-sxm": 64, "rtx4090": 8, "in-house": 256}
    assert fleet.accelerator("in-house").peak_at("bf16") == 400e12
    assert cost.price_of(fleet.accelerator("4090")) is not None
