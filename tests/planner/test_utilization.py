"""The utilization predicted from published trainings: its data, its intervals, what plans make of it."""

import json
import math
from datetime import date

import numpy as np
import pytest

from docs.generators import utilization as fitting
from planner import assumptions
from planner.hardware.accelerators import catalog
from planner.hardware.fleet import read_fleet
from planner.hardware.training import Training, train
from planner.hardware.utilization import FEATURES, features, size_of, utilization_model

FLEET = read_fleet(None)
ROWS = fitting.published()
SHIPPED = json.loads(fitting.COEFFICIENTS.read_text(encoding="utf-8"))
NORMAL_95 = 1.645


def spreads() -> tuple[float, ...]:
    return tuple(SHIPPED["spreads"][name] for name in fitting.SPREADS)


def trained(flops: float, params: float, part: str = "h100", count: int = 8, **values: float) -> Training:
    accelerator = FLEET.accelerator(part)
    assumed = FLEET.assumptions(accelerator) | {
        name: assumptions.override(name, value, origin="option") for name, value in values.items()
    }
    return train([flops] * 1000, [params] * 1000, accelerator, count=count, assumed=assumed, seed=1)


def test_every_training_has_its_source_and_a_possible_utilization() -> None:
    assert len(ROWS) >= 150
    assert sum(row["setting"] == "training" for row in ROWS) >= 60
    for row in ROWS:
        assert row["source"]
        assert date.fromisoformat((row["date"] + "-01-01")[:10])
        assert row["confidence"] in {"exact", "secondary", "uncertain"}
        assert row["precision"] in catalog()[row["accelerator"]].peak
        assert all(0.02 < value < 0.75 for value in fitting.figures(row).values()), row["run"]
        assert fitting.figures(row), row["run"]
    assert not any("memory" in row["source"] for row in ROWS), "a figure has a source that can be read"


def test_two_known_slips_are_not_copied() -> None:
    deepseek = next(row for row in ROWS if row["run"] == "DeepSeek-V2")
    assert float(deepseek["tokens"]) == 1e12, "172,800 hours are of one trillion tokens"
    assert not any("ViT-22B" in row["run"] for row in ROWS)


def test_intervals_hold_the_reports_that_were_left_out() -> None:
    data = fitting.rows()
    reports = sorted(set(data.report.tolist()))
    residuals = {report: fitting.left_out(data, report, spreads()) for report in reports}
    z = np.empty(len(data.y))
    for report, values in residuals.items():
        z[data.report == report] = values
    held = np.abs(z) < NORMAL_95
    assert 0.80 <= held.mean() <= 0.95
    assert 0.80 <= held[data.training].mean() <= 0.95
    assert 0.80 <= held[data.whole].mean() <= 0.95
    by_report = [np.mean(np.abs(values) < NORMAL_95) for values in residuals.values()]
    assert 0.80 <= np.mean(by_report) <= 0.95


def test_the_shipped_coefficients_are_those_of_the_data() -> None:
    data = fitting.rows()
    mean, covariance = fitting.posterior(data, spreads(), np.ones(len(data.y), dtype=bool))
    assert SHIPPED["names"] == list(fitting.NAMES)
    assert (SHIPPED["figures"], SHIPPED["reports"]) == (len(data.y), len(set(data.report.tolist())))
    np.testing.assert_allclose(SHIPPED["mean"], mean, atol=2e-3)
    np.testing.assert_allclose(SHIPPED["covariance"], covariance, atol=1e-3)


@pytest.mark.slow
def test_the_shipped_spreads_are_the_most_likely_and_refitting_them_holds_too() -> None:
    data = fitting.rows()
    best = fitting.fit_spreads(data, np.ones(len(data.y), dtype=bool))
    np.testing.assert_allclose(spreads(), best, rtol=0.05)
    reports = sorted(set(data.report.tolist()))[::6]  # a sixth of them, each with spreads of the others
    z = np.concatenate(
        [fitting.left_out(data, one, fitting.fit_spreads(data, data.report != one)) for one in reports]
    )
    assert 0.80 <= np.mean(np.abs(z) < NORMAL_95) <= 1.0


def test_the_model_of_an_accelerator_is_that_of_the_features() -> None:
    mean, covariance = np.array(SHIPPED["mean"]), np.array(SHIPPED["covariance"])
    names = SHIPPED["names"]
    for part, precision, mixture, params, count in (
        ("h100-sxm", "bf16", False, 7e9, 64),
        ("b200", "fp8", True, 3e8, 1),
        ("v100-sxm2-32", "fp32", False, 1e12, 4096),
    ):
        x = np.zeros(len(names))
        x[: len(FEATURES)] = features(params, count, precision=precision, mixture=mixture)
        x[names.index(SHIPPED["families"][part])] = 1
        model = utilization_model(part, precision, mixture=mixture)
        center, scale = model.at(params, count)
        assert center == pytest.approx(x @ mean)
        variance = x @ covariance @ x + model.spread + (model.small * x[names.index("small")]) ** 2
        assert scale * math.log(19) == pytest.approx(1.6449 * math.sqrt(variance))


def test_small_models_mixtures_and_unknown_devices_get_wider_bands() -> None:
    def width(part: str, params: float, mixture: bool = False) -> float:
        return utilization_model(part, "bf16", mixture=mixture).at(params, 8)[1]

    assert width("h100-sxm", 1e7) > 1.3 * width("h100-sxm", 1e10)
    assert width("h100-sxm", 1e10, mixture=True) > 1.3 * width("h100-sxm", 1e10)
    assert width("l40s", 1e10) > width("h100-sxm", 1e10)


# published GPU-hours, with the number of devices where it is known
REPORTS = [
    ("Llama 3 8B", 8.03e9, 15e12, 1.3e6, 2048),
    ("Llama 3 8B, without a count", 8.03e9, 15e12, 1.3e6, 8),
    ("Llama 3 70B", 70.6e9, 15e12, 6.4e6, 8192),
    ("Llama 3.1 405B", 405.9e9, 15.6e12, 30.84e6, 16384),
]


@pytest.mark.parametrize(("name", "params", "tokens", "hours", "count"), REPORTS)
def test_published_gpu_hours_lie_in_the_interval(
    name: str, params: float, tokens: float, hours: float, count: int
) -> None:
    found = sorted(trained(6 * params * tokens, params, count=count).gpu_hours)
    assert found[50] < hours < found[949], name


def test_a_prediction_at_a_count_is_not_reduced_again() -> None:
    many = trained(1e24, 7e10, count=16384)
    assert "scaling_loss" not in many.assumed
    model = utilization_model("h100-sxm", "bf16")
    assert sorted(many.utilization)[500] == pytest.approx(model.quantile(0.5, 7e10, 16384), rel=0.01)
    # a loss that you set counts, from the prediction for one machine on
    own = trained(1e24, 7e10, count=64, scaling_loss=0.1)
    assert sorted(own.utilization)[500] == pytest.approx(model.quantile(0.5, 7e10, 8) * 0.9**3, rel=0.01)


def test_a_utilization_that_was_measured_at_a_count_is_not_reduced_there() -> None:
    at = {"utilization": 0.4, "scaling_loss": 0.02}
    assert trained(1e24, 7e10, count=512, **at, utilization_devices=512).utilization[0] == pytest.approx(0.4)
    beyond = trained(1e24, 7e10, count=1024, **at, utilization_devices=512)
    assert beyond.utilization[0] == pytest.approx(0.4 * 0.98)
    assert trained(1e24, 7e10, count=64, **at).utilization[0] == pytest.approx(0.4 * 0.98**3)


def test_working_time_is_in_hours_and_not_in_the_step() -> None:
    whole, part = (trained(1e24, 7e10, utilization=0.4, working_time=share) for share in (1.0, 0.8))
    assert part.gpu_hours[0] == pytest.approx(whole.gpu_hours[0] / 0.8)
    assert (part.step, part.utilization) == (whole.step, whole.utilization)
    # hours that were logged have it in them
    h100 = FLEET.accelerator("h100")
    logged = assumptions.override("utilization", 0.4, origin="measured")
    assumed = FLEET.assumptions(h100) | {"utilization": logged}
    found = train([1e24], [7e10], h100, count=8, assumed=assumed, seed=0)
    assert "working_time" not in found.assumed


def test_a_mixture_of_experts_reaches_less() -> None:
    dense, mixture = trained(1e24, 2e10, count=2048), trained(1e24, 2e10, count=2048, mixture_of_experts=1)
    medians = [sorted(one.utilization)[500] for one in (dense, mixture)]
    assert 0.15 < medians[1] < 0.7 * medians[0]


def test_without_a_size_the_model_is_the_best_one_for_the_flop() -> None:
    assert size_of(6 * 7e10 * 1.4e12) == pytest.approx(7e10)
    h100 = FLEET.accelerator("h100")
    known, unknown = (
        train([5.88e23], sizes, h100, count=64, assumed=FLEET.assumptions(h100), seed=0)
        for sizes in ([7e10], [])
    )
    assert known.gpu_hours == pytest.approx(unknown.gpu_hours)


def test_the_default_that_is_printed_is_the_prediction_it_names() -> None:
    band = assumptions.defaults()["utilization"]
    model = utilization_model("h100-sxm", "bf16")
    assert [band.low, band.high] == pytest.approx(
        [model.quantile(q, 7e9, 64) for q in (0.05, 0.95)], abs=0.01
    )


def test_a_target_that_most_samples_never_reach_has_a_band_of_the_others(tmp_path):
    from synthetic import passes, planner, power, size

    from laws.storage.store import Store

    store = Store(tmp_path)
    for law in (
        power(0.4, 0.3, 0.05, spread=0.4, draws=200),
        size(2e4, 0.6, draws=200),
        passes(12, draws=200),
    ):
        store.add_law(law)
    store.publish()
    for target in ("9%", "5%", "3%"):  # from most samples to none
        ran = planner(
            "estimate", "--target-wer", target, "--on", "h100", "--store", tmp_path, "--format", "json"
        )
        assert ran.code == 0, ran.err
