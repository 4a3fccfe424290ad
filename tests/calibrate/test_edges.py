"""A sweep reports where its own limits, not the data, decided the best model."""

from dataclasses import replace
from pathlib import Path

import pytest

from calibrate import domains
from calibrate.sweep.best_model import best_models
from calibrate.sweep.fit_laws import edge_problems, fit_sweep_laws
from calibrate.sweep.spec import Spec
from calibrate.types import Corpus
from laws.codes import WarningCode
from laws.types import Run, SizeCost
from planner.reports.calibrate import edge_sentence

DOMAIN = domains.find_domain("teacher")
PRESET = replace(DOMAIN.presets["quick"], epochs=60, max_samples=60 * 2**11)  # the largest shards see less
SIZES = PRESET.sizes["mlp"]


def run(i: int, data: float, size: int, samples: float) -> Run:
    return Run(
        id=f"run{i}", status="finished", sweep="s", domain="teacher", family="mlp", optimizer="adam",
        data=data, data_unit="examples", params=100 * size, samples=samples,
        metrics={"error": 0.5 * data**-0.3, "loss": data**-0.2}, seed=0,
        hyper={"size": size, "epochs": PRESET.epochs, "max_samples": PRESET.max_samples},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("largest", "cut"),
    [(False, True), (True, False)],
    ids=["sizes inside, best at the end", "largest size best, best before the end"],
)
def test_limits_of_the_preset_are_reported_and_stored(largest: bool, cut: bool) -> None:
    runs = []
    for i, data in enumerate(PRESET.shards):
        whole = min(PRESET.epochs * data, PRESET.max_samples)
        runs.append(
            run(i, data, SIZES[-1] if largest else SIZES[min(i // 2, 2)], whole if cut else whole / 2)
        )
    spec = Spec(
        domain=DOMAIN, preset_name="quick", preset=PRESET, families=("mlp",), seed=0,
        corpus=Corpus(folder=Path("nowhere"), fingerprint="f", available=1e9),
        ladder={"mlp": tuple(SizeCost(size=s, params=100 * s, flops=600 * s) for s in SIZES)},
    )  # fmt: skip
    bests = {"mlp": best_models(runs, "error", 0)}
    codes = {edge.code for edge in edge_problems(spec, bests)}
    assert (WarningCode.SIZES_CUT in codes, WarningCode.TRAINING_CUT in codes) == (largest, cut)
    assert {edge.count for edge in edge_problems(spec, bests)} <= set(range(1, len(PRESET.shards) + 1))
    assert all(
        edge_sentence(edge).startswith(f"{edge.count} of {edge.shards} shards")
        for edge in edge_problems(spec, bests)
    )
    failures: list[str] = []
    laws = {law.metric: law for law in fit_sweep_laws(spec, bests, {}, failures.append)}
    assert not failures
    assert ("sizes-cut" in laws["params"].warnings) == largest
    assert all(("training-cut" in laws[m].warnings) == cut for m in ("error", "loss", "samples"))
