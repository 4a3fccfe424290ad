"""FLOP to memory, devices, time, money and energy: against published figures, and as properties."""

import json
import math
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.errors import InputError
from laws.paths import quantile
from planner import assumptions
from planner.hardware import cost
from planner.hardware import training as compute
from planner.hardware.accelerators import Accelerator, catalog, observations
from planner.hardware.fleet import read_fleet
from planner.hardware.training import Training, train

FLEET = read_fleet(None)
H100 = FLEET.accelerator("h100")
TODAY = date(2026, 11, 23)


def fixed(**values: float) -> dict[str, assumptions.Assumption]:
    """Return the default assumptions with some of them set to one value."""
    values = {"state_bytes": 16.0, "working_time": 1.0} | values
    assumed = FLEET.assumptions(H100)
    return assumed | {
        name: assumptions.override(name, value, origin="option") for name, value in values.items()
    }


def test_the_rule_of_thumb_is_chinchillas() -> None:
    # Hoffmann et al. 2022, section 3.4: 175B parameters on 4.2T tokens is 4.41e24 FLOP.
    assert compute.training_flops(175e9, 4.2e12) == pytest.approx(4.41e24, rel=1e-3)


def test_activations_are_those_of_korthikanti() -> None:
    # Their Table 2 at GPT-3's shape (width 12288, depth 96, sequence 2048): 34 s b h a layer.
    params = 12 * 96 * 12288**2
    one = compute.activation_bytes(params, aspect_ratio=12288 / 96)
    assert one * 2048 == pytest.approx(34 * 2048 * 12288 * 96)
    assert one == pytest.approx(34 * 12288 * 96)


@pytest.mark.parametrize(("params", "gigabytes"), [(7.5e9, 120), (1.5e9, 24)])
def test_states_are_those_of_zero(params: float, gigabytes: float) -> None:
    # Rajbhandari et al. 2020, Figure 1 (7.5B: 120 GB) and section 3.1 (1.5B: 24 GB).
    assert assumptions.defaults()["state_bytes"].high * params == pytest.approx(gigabytes * 1e9)


@pytest.mark.parametrize(
    ("params", "tokens_per_second", "part", "utilization"),
    [(6658859008, 10643, "h100", 0.4644), (12853954560, 2262, "a100", 0.5957)],
)
def test_a_reported_throughput_is_met_but_for_attention(
    params: float, tokens_per_second: float, part: str, utilization: float
) -> None:
    # llm-foundry reports tokens/s per device next to its utilization, which counts attention; 6 N D does not.
    accelerator = FLEET.accelerator(part)
    flops = compute.training_flops(params, tokens_per_second)
    seconds = flops / (utilization * accelerator.peak_at("bf16"))
    assert 0.90 < seconds < 1.0
    assert utilization in {seen.low for seen in observations() if seen.part == accelerator.id}


def test_hours_days_dollars_and_energy_by_hand() -> None:
    assumed = fixed(
        utilization=0.4, scaling_loss=0.02, power_usage_effectiveness=1.2, carbon_intensity=0.5, positions=1e6
    )
    training = train([1e23], [1e10], H100, count=64, assumed=assumed, seed=0)
    hours = 1e23 / (989e12 * 0.4) / 3600 / 0.98**3  # 8 to 64 devices: three doublings
    assert training.gpu_hours == (pytest.approx(hours),)
    assert training.days == (pytest.approx(hours / 24 / 64),)
    assert training.utilization == (pytest.approx(0.4 * 0.98**3),)
    assert training.memory_bound == 0
    price = assumptions.override("price", 2.5, origin="option")
    bill = cost.cost(training, seed=0, today=TODAY, price=price)
    assert bill.dollars == (pytest.approx(2.5 * hours),)
    assert bill.kwh == (pytest.approx(0.7 * 1.2 * hours),)
    assert bill.kg_co2e == (pytest.approx(0.5 * 0.7 * 1.2 * hours),)
    assert bill.warnings == ()


def test_the_footprint_and_the_fewest_devices_by_hand() -> None:
    training = train([1e24], [70e9], H100, count=64, assumed=fixed(positions=2048), seed=0)
    activations = 2048 * compute.activation_bytes(70e9)
    assert training.footprint == (pytest.approx(16 * 70e9 + activations),)
    assert training.fewest == (math.ceil(training.footprint[0] / (0.9 * 80e9)),)
    assert "model-larger-than-device" in training.warnings
    assert "does-not-fit" not in training.warnings
    few = train([1e24], [70e9], H100, count=8, assumed=fixed(positions=2048), seed=0)
    assert "does-not-fit" in few.warnings
    counted = train([1e24], [70e9], H100, count=8, assumed=fixed(positions=2048), seed=0, state=[1e12])
    assert counted.footprint == (pytest.approx(1e12 + activations),)


def test_few_positions_make_a_training_memory_bound() -> None:
    few = train([1e21], [1e9], H100, count=8, assumed=fixed(positions=64, utilization=0.4), seed=0)
    many = train([1e21], [1e9], H100, count=8, assumed=fixed(positions=65536, utilization=0.4), seed=0)
    assert few.memory_bound == 1
    assert "memory-bound" in few.warnings
    assert few.gpu_hours[0] > many.gpu_hours[0]
    assert few.utilization[0] < many.utilization[0] == pytest.approx(0.4)
    # the time is that of the bytes: what is moved, over 70 % of 3.35 TB/s
    moved = compute.moved_bytes(1e21, 1e9, 64)
    assert few.gpu_hours[0] * 3600 == pytest.approx(moved / (0.7 * 3.35e12))


def test_intervals_carry_utilization_price_and_posterior_together() -> None:
    flops = [1e22 * math.exp(0.1 * (i / 999 - 0.5)) for i in range(1000)]
    assumed = FLEET.assumptions(H100)
    training = train(flops, [1e9] * 1000, H100, count=8, assumed=assumed, seed=1)
    again = train(flops, [1e9] * 1000, H100, count=8, assumed=assumed, seed=1)
    assert training == again
    low, high = (quantile(training.gpu_hours, q) for q in (0.05, 0.95))
    # utilization and working time spread hours more than either alone
    band = training.assumed["utilization"]
    assert band.high / band.low < high / low < band.high / band.low / 0.7
    bill = cost.cost(training, seed=1, today=TODAY)
    assert bill.dollars is not None
    spread = quantile(bill.dollars, 0.95) / quantile(bill.dollars, 0.05)
    assert spread > high / low


def test_owned_hardware_costs_nothing_but_energy() -> None:
    training = train([1e22, math.inf], [1e9, math.inf], H100, count=8, assumed=fixed(), seed=0)
    bill = cost.cost(training, seed=0, today=TODAY, price=assumptions.override("price", 0.0, origin="option"))
    assert bill.dollars == (0.0, 0.0)
    assert bill.kwh is not None
    assert bill.kwh[0] > 0
    assert bill.warnings == ("price-zero",)


def test_a_part_without_price_or_power_says_so() -> None:
    training = train([1e22], [1e9], FLEET.accelerator("tpu-v5p"), count=8, assumed=fixed(), seed=0)
    bill = cost.cost(training, seed=0, today=TODAY)
    assert (bill.dollars, bill.kwh, bill.kg_co2e) == (None, None, None)
    assert bill.warnings == ("price-unknown", "power-unknown")


def test_without_a_size_memory_is_left_out() -> None:
    training = train([1e22, 2e22], [], H100, count=8, assumed=fixed(utilization=0.4), seed=0)
    assert training.footprint == training.fewest == ()
    assert training.gpu_hours[1] > training.gpu_hours[0]
    assert "memory-unknown" in training.warnings


@pytest.mark.parametrize("part", catalog().values(), ids=list(catalog()))
def test_an_accelerator_of_uncertain_figures_never_answers_without_a_warning(part: Accelerator) -> None:
    doubtful = part.confidence != "exact" or bool(part.uncertain)
    codes = train([1e20], [1e9], part, count=8, assumed=fixed(), seed=0).warnings
    assert ("part-uncertain" in codes) == doubtful


def test_warnings_name_what_is_doubtful() -> None:
    a10g = FLEET.accelerator("a10g")
    assert "part-uncertain" in train([1e20], [], a10g, count=1, assumed=fixed(), seed=0).warnings
    high = train([1e20], [], H100, count=1, assumed=fixed(utilization=0.9), seed=0).warnings
    assert "utilization-above-matmul" in high
    assert "utilization-assumed" not in high
    assert "utilization-assumed" in train([1e20], [], H100, count=1, assumed=fixed(), seed=0).warnings


@pytest.mark.parametrize(
    ("flops", "params", "count", "precision", "code"),
    [
        ([1e20], [1e9], 0, None, "invalid-count"),
        ([1e20], [1e9], 1, "fp64", "unknown-precision"),
        ([1e20, 1e20], [1e9], 1, None, "unequal-samples"),
        ([], [], 1, None, "unequal-samples"),
        ([math.nan], [1e9], 1, None, "invalid-sample"),
        ([-1.0], [1e9], 1, None, "invalid-sample"),
        ([1e20], [0.0], 1, None, "invalid-sample"),
    ],
)
def test_bad_input_is_refused(
    flops: list[float], params: list[float], count: int, precision: str | None, code: str
) -> None:
    with pytest.raises(InputError) as refusal:
        train(flops, params, H100, count=count, assumed=fixed(), seed=0, precision=precision)
    assert refusal.value.code == code


sizes = st.floats(1e5, 1e13)
works = st.floats(1e10, 1e28)
counts = st.integers(1, 100_000)


def one(flops: float, params: float, count: int, part: str = "h100") -> Training:
    return train([flops], [params], FLEET.accelerator(part), count=count, assumed=fixed(), seed=5)


@settings(deadline=None)  # the machine may be busy
@given(flops=works, params=sizes, count=counts)
def test_more_devices_are_never_slower_nor_cheaper(flops: float, params: float, count: int) -> None:
    few, many = one(flops, params, count), one(flops, params, 2 * count)
    assert many.days[0] < few.days[0]
    assert many.gpu_hours[0] >= few.gpu_hours[0]
    assert many.utilization[0] <= few.utilization[0]


@settings(deadline=None)  # the machine may be busy
@given(flops=works, params=sizes, count=counts, part=st.sampled_from(sorted(catalog())))
def test_time_is_proportional_to_work_and_reads_backwards(
    flops: float, params: float, count: int, part: str
) -> None:
    accelerator = FLEET.accelerator(part)
    hours = one(flops, params, count, part).gpu_hours
    assert one(3 * flops, params, count, part).gpu_hours[0] == pytest.approx(3 * hours[0])
    # hours are proportional to FLOP once the size is known, so one unit of work reads them backwards
    unit = train([1e18], [params], accelerator, count=count, assumed=fixed(), seed=5)
    assert 1e18 * hours[0] / unit.gpu_hours[0] == pytest.approx(flops)


@settings(deadline=None)  # the machine may be busy
@given(params=sizes)
def test_a_larger_model_never_needs_fewer_devices(params: float) -> None:
    assert one(1e20, 2 * params, 1).fewest[0] >= one(1e20, params, 1).fewest[0] >= 1


@pytest.mark.parametrize("part", sorted(catalog()))
def test_a_target_never_reached_takes_forever_and_is_never_nan(part: str) -> None:
    training = one(math.inf, math.inf, 8, part)
    bill = cost.cost(training, seed=0, today=TODAY)
    assert training.gpu_hours == training.days == training.footprint == training.fewest == (math.inf,)
    for draws in (bill.dollars, bill.kwh, bill.kg_co2e):
        assert draws in (None, (math.inf,))
    assert not math.isnan(training.utilization[0])
    assert one(math.inf, 1e9, 8, part).gpu_hours == (math.inf,)


def test_a_power_of_the_fleet_reaches_the_bill(tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text("carbon_intensity = 0\n[parts.tpu-v5p]\npower_w = 500\nprice = [1, 3]", encoding="utf-8")
    fleet = read_fleet(path)
    part = fleet.accelerator("tpu-v5p")
    training = train([1e22] * 100, [1e9] * 100, part, count=8, assumed=fleet.assumptions(part), seed=0)
    bill = cost.cost(training, seed=0, today=TODAY)
    assert bill.price is not None
    assert bill.price.bands == ((1.0, 3.0),)
    assert bill.kg_co2e == (0.0,) * 100
    assert bill.warnings == ()
    assert bill._replace(dollars=None).kwh is not None


def test_the_path_of_an_estimate_stays_light() -> None:
    names = ["hardware.training", "hardware.cost", "hardware.fleet", "assumptions", "lawmodel.surface"]
    imports = "; ".join(f"import planner.{name}" for name in names)
    code = f"import sys, json; {imports}; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {"numpy", "scipy", "pydantic", "duckdb", "rich", "typer", "torch", "difflib"}
