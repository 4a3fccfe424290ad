"""Laws of single sizes, and the joint law of size and data where larger is better."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibrate import domains
from calibrate.sweep.fit_laws import SIZE_LAW_DRAWS, SIZE_LAW_PATHS, fit_size_laws
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
    made = []
    for data in PRESET.shards:
        for size in SIZES:
            error = E + A * params(size) ** -a + B * data**-b
            error *= 1 + (0.5 if overfit and size == SIZES[-1] and data == PRESET.shards[0] else 0)
            for rate, worse in ((0.01, 1.0), (0.1, 1.3)):
                noisy = error * worse * np.exp(0.003 * rng.standard_normal())
                name = f"r{len(made)}"
                made.append(
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
                    made.append(
                        replace(made[-1], id=name + "again", seed=1, metrics={"error": 9.0, "loss": 9.0})
                    )
    return made


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


def test_every_size_has_a_law_and_all_have_a_joint_law(made: dict[str, Law]) -> None:
    assert set(made) == {*(f"mlp, size {size}" for size in SIZES), "mlp, all sizes"}
    for size in SIZES:
        law = made[f"mlp, size {size}"]
        floor = E + A * params(size) ** -a
        low, high = np.quantile(law.parameters["gamma"], (0.05, 0.95))
        assert low < floor < high
        assert len(law.runs) == len(PRESET.shards)
        assert not any(id.endswith("again") for id in law.runs)  # repeats are of the composite
        assert (len(law.parameters["gamma"]), len(law.paths)) == (SIZE_LAW_DRAWS, SIZE_LAW_PATHS)
    surface = made["mlp, all sizes"]
    for name, truth in {"a": a, "b": b, "E": E}.items():
        low, high = np.quantile(surface.parameters[name], (0.02, 0.98))
        assert low < truth < high, name
    assert surface.ladder
    assert surface.provenance["sweep"] == made["mlp, size 8"].provenance["sweep"]
    assert surface.provenance["command"] == "planner calibrate"


def test_there_is_no_joint_law_where_a_larger_model_errs_more(spec: Spec) -> None:
    few = replace(spec, preset=replace(PRESET, sizes={"mlp": SIZES[-1:]}))
    assert [law.form for law in fit_size_laws(few, runs(overfit=True), {})] == ["power-floor"]


def test_a_size_with_three_shards_has_no_law(spec: Spec) -> None:
    few = [run for run in runs() if run.data in PRESET.shards[:3]]
    assert [law.form for law in fit_size_laws(spec, few, {})] == ["surface"]


def test_size_laws_answer_by_id_only(
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
    answer = json_of(capsys, "estimate", "--law", surface.id, "--target", "error=20%", "--store", tmp_path)
    assert answer["source"] == "calibrated"
    assert "epochs-of-runs" in answer["assumption_codes"]
    expected = 6 * answer["params"]["median"] * answer["data"]["median"] * PRESET.epochs
    assert answer["flops"]["median"] == pytest.approx(expected, rel=0.2)
    listed = json_of(
        capsys, "laws", "list", "--domain", "teacher", "--source", "calibrated", "--store", tmp_path
    )
    assert len(listed) == 1
    words = ("laws", "list", "--all", "--domain", "teacher", "--source", "calibrated", "--store", tmp_path)
    assert len(json_of(capsys, *words)) == 1 + len(made)
    assert json_of(capsys, "laws", "show", surface.id, "--store", tmp_path)["form"] == "surface"
    assert json_of(capsys, "store", "check", "--store", tmp_path)["faults"] == []


def json_of(capsys: pytest.CaptureFixture, *words: object) -> object:
    """Return the JSON of a command."""
    from planner.cli import assembled

    with pytest.raises(SystemExit) as end:
        assembled()([*map(str, words), "--format", "json"])
    out = capsys.readouterr().out
    assert not end.value.code
    return json.loads(out)
