"""What is fitted beside the laws that answer: curves of single sizes, the surface where larger is better."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibrate import domains
from calibrate.sweep.fit_laws import DRAWS, LEAN, fit_size_laws
from calibrate.sweep.spec import Spec
from calibrate.types import Corpus
from laws.storage.records import content_id
from laws.storage.store import Store
from laws.types import Law, Run, SizeCost
from planner.lawmodel.select import select_law
from planner.lawmodel.selector import LawSelector

DOMAIN = domains.find_domain("teacher")
PRESET = DOMAIN.presets["quick"]
SIZES = PRESET.sizes["mlp"]
E, A, a, B, b = 0.01, 2.0, 0.5, 1.0, 0.35


def params(size: int) -> int:
    return 100 * size


def runs(*, overfit: bool = False, repeats: bool = False) -> list[Run]:
    """Return two settings of every shard and size on a known surface; the second one is worse."""
    rng = np.random.default_rng(0)
    found = []
    for data in PRESET.shards:
        for size in SIZES:
            error = E + A * params(size) ** -a + B * data**-b
            error *= 1 + (0.5 if overfit and size == SIZES[-1] and data == PRESET.shards[0] else 0)
            for rate, worse in ((0.01, 1.0), (0.1, 1.3)):
                noisy = error * worse * np.exp(0.003 * rng.standard_normal())
                name = f"r{len(found)}"
                found.append(
                    Run(
                        id=name,
                        status="finished",
                        sweep="s",
                        domain="teacher",
                        family="mlp",
                        optimizer="adam",
                        data=data,
                        data_unit="examples",
                        params=params(size),
                        samples=data,
                        metrics={"error": noisy, "loss": noisy},
                        seed=0,
                        device="cpu",
                        hyper={"size": size, "learning_rate": rate},
                    )
                )
                if repeats:
                    found.append(
                        replace(found[-1], id=name + "again", seed=1, metrics={"error": 9.0, "loss": 9.0})
                    )
    return found


@pytest.fixture(scope="module")
def spec() -> Spec:
    return Spec(
        domain=DOMAIN, preset_name="quick", preset=PRESET, families=("mlp",), seed=0,
        corpus=Corpus(folder=Path("nowhere"), fingerprint="f", available=1e9),
        ladder={"mlp": tuple(SizeCost(size=s, params=params(s), flops=6.0 * params(s)) for s in SIZES)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(spec: Spec) -> dict[str, Law]:
    return {
        law.family: law for law in fit_size_laws(spec, runs(repeats=True), {"command": "planner calibrate"})
    }


def test_every_size_has_its_curve_and_all_have_a_surface(made: dict[str, Law]) -> None:
    assert set(made) == {*(f"mlp, size {size}" for size in SIZES), "mlp, all sizes"}
    for size in SIZES:
        law = made[f"mlp, size {size}"]
        floor = E + A * params(size) ** -a
        low, high = np.quantile(law.parameters["gamma"], (0.05, 0.95))
        assert low < floor < high
        assert len(law.runs) == len(PRESET.shards)
        assert not any(id.endswith("again") for id in law.runs)  # repeats are of the composite
        assert (len(law.parameters["gamma"]), len(law.paths)) == (DRAWS, LEAN)
    surface = made["mlp, all sizes"]
    for name, truth in {"a": a, "b": b, "E": E}.items():
        low, high = np.quantile(surface.parameters[name], (0.02, 0.98))
        assert low < truth < high, name
    assert surface.ladder
    assert surface.provenance["sweep"] == made["mlp, size 8"].provenance["sweep"]
    assert surface.provenance["command"] == "planner calibrate"


def test_where_a_larger_model_errs_more_there_is_no_surface(spec: Spec) -> None:
    few = replace(spec, preset=replace(PRESET, sizes={"mlp": SIZES[-1:]}))
    assert [law.form for law in fit_size_laws(few, runs(overfit=True), {})] == ["power-floor"]


def test_a_size_with_three_shards_has_no_curve(spec: Spec) -> None:
    few = [each for each in runs() if each.data in PRESET.shards[:3]]
    assert [law.form for law in fit_size_laws(spec, few, {})] == ["surface"]


def test_they_are_asked_by_id_alone(
    tmp_path: Path, made: dict[str, Law], capsys: pytest.CaptureFixture
) -> None:
    store = Store(tmp_path)
    for law in made.values():
        store.fits.add_law(law)
    store.fits.publish()
    answers = replace(made["mlp, size 64"], family="mlp", created="2020-01-01T00:00:00Z")
    store.add_law(replace(answers, id=content_id(answers)))
    store.publish()
    assert select_law(LawSelector(domain="teacher"), tmp_path).law.family == "mlp"
    assert store.newest("teacher", "error").family == "mlp"  # type: ignore[union-attr]
    assert len(store.laws()) == 1

    surface = made["mlp, all sizes"]
    told = said(capsys, "estimate", "--law", surface.id, "--target", "error=20%", "--store", tmp_path)
    assert told["source"] == "calibrated"
    assert "epochs-of-runs" in told["assumption_codes"]
    each = [6 * p * d * PRESET.epochs for p, d in [(told["params"]["median"], told["data"]["median"])]]
    assert told["flops"]["median"] == pytest.approx(each[0], rel=0.2)
    listed = said(
        capsys, "laws", "list", "--domain", "teacher", "--source", "calibrated", "--store", tmp_path
    )
    assert len(listed) == 1
    words = ("laws", "list", "--all", "--domain", "teacher", "--source", "calibrated", "--store", tmp_path)
    assert len(said(capsys, *words)) == 1 + len(made)
    assert said(capsys, "laws", "show", surface.id, "--store", tmp_path)["form"] == "surface"
    assert said(capsys, "store", "check", "--store", tmp_path)["faults"] == []


def said(capsys: pytest.CaptureFixture, *words: object) -> object:
    """Return what a command answers in JSON."""
    from planner.cli import assembled

    with pytest.raises(SystemExit) as end:
        assembled()([*map(str, words), "--format", "json"])
    out = capsys.readouterr().out
    assert not end.value.code
    return json.loads(out)
