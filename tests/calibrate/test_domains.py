"""What holds for every domain: one contract, asked of each row of the table."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")
pytest.importorskip("espeakng_loader", reason="needs the extra `calibrate`")

import torch

from calibrate import domains
from calibrate.data.prepared import description
from calibrate.domains import DOMAINS
from calibrate.domains.image import corpus as pictures
from calibrate.domains.language import corpus as language
from calibrate.domains.speech import frames
from calibrate.domains.translation import corpus as parallel
from calibrate.engines.local import AttemptResult, Job, train_job
from calibrate.models.vit import patch
from calibrate.sweep.fit_laws import best_by_family, fit_sweep_laws
from calibrate.sweep.run import run_sweep
from calibrate.sweep.search import end_trainings
from calibrate.sweep.spec import Spec, run_id, shards_within
from calibrate.types import Corpus, Domain, DomainCode
from laws.storage.store import Store
from laws.types import SizeCost

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def every_domain(test: Callable[..., None]) -> Callable[..., None]:
    return pytest.mark.parametrize("domain", DOMAINS.values(), ids=list(DOMAINS))(test)


LONG = {"image", "translation"}  # to measure in full takes a minute and more


def every_domain_measured(test: Callable[..., None]) -> Callable[..., None]:
    domains = [
        pytest.param(domain, marks=[pytest.mark.slow] if name in LONG else [], id=name)
        for name, domain in DOMAINS.items()
    ]
    return pytest.mark.parametrize("domain", domains)(test)


def code(domain: Domain) -> DomainCode:
    return domains.domain_code(domain)


def prepared(domain: Domain, cache: Path) -> Corpus:
    smoke = domain.presets["smoke"]
    return code(domain).prepare(
        cache=cache,
        source=None,
        available=smoke.shards[-1],
        validation=smoke.validation,
        seed=0,
        report=lambda text, share: None,
    )


@every_domain
def test_a_corpus_is_the_same_wherever_it_is_made(domain: Domain, cache: Path, tmp_path: Path) -> None:
    corpus = prepared(domain, cache)
    again = prepared(domain, tmp_path)
    assert again.fingerprint == corpus.fingerprint
    assert again.folder.name == corpus.folder.name
    assert corpus.available == pytest.approx(domain.presets["smoke"].shards[-1], rel=0.03)
    assert shards_within(domain.presets["smoke"], corpus) == domain.presets["smoke"]
    assert prepared(domain, cache) == corpus
    assert not corpus.skipped
    for file in corpus.folder.iterdir():
        assert (again.folder / file.name).read_bytes() == file.read_bytes()


def scores_of_the_best_guess(
    domain: Domain, corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> dict[str, float]:
    """Return what a model of the domain scores that gives one answer, the best, whatever it is shown."""
    drawn = min(end_trainings(spec(domain, corpus)), key=lambda t: (t.data, t.size))
    task = code(domain).task(drawn, corpus, "cpu")
    if domain.name == "speech":
        monkeypatch.setattr(
            task.transcriber, "decode", lambda batch, _: (torch.zeros(()), [[]] * len(batch[0]))
        )
        return task.evaluate()
    counts = {
        "image": lambda: np.bincount(pictures.read_split(corpus.folder, "validation")[1]),
        "translation": lambda: np.bincount(parallel.read_split(corpus.folder, "validation")[1].pieces),
        "teacher": lambda: np.ones(16),
    }[domain.name]()
    logits = torch.log(torch.from_numpy(counts / counts.sum()).float() + 1e-30)

    def guess(*shown: torch.Tensor) -> torch.Tensor:
        shape = shown[-1].shape[: 2 if domain.name == "translation" else 1]
        size = task.model.output.out_features if domain.name == "translation" else len(logits)
        return torch.nn.functional.pad(logits, (0, size - len(logits)), value=-1e3).expand(*shape, size)

    monkeypatch.setattr(task.model, "forward", guess)
    scores = task.evaluate()
    if domain.name == "teacher":  # any label is as good as another, so all of them are guessed in turn
        errors = []
        for label in range(16):
            logits = torch.eye(16)[label]
            errors.append(task.evaluate()["error"])
        scores["error"] = float(np.mean(errors))
    return scores


@every_domain
def test_best_guessing_scores_what_the_corpus_says(
    domain: Domain, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = prepared(domain, cache)
    assert set(corpus.guessing) <= set(domain.metrics)
    if domain.name in {"word-lm", "char-lm"}:  # small models are above the entropy of single symbols
        assert not corpus.guessing
        return
    assert {name for name, unit in domain.metrics.items() if unit == "fraction"} <= set(corpus.guessing)
    told = scores_of_the_best_guess(domain, corpus, monkeypatch)
    for metric, best in corpus.guessing.items():
        assert told[metric] == pytest.approx(best, rel=0.002), metric


# What a training of so much data is taught, in the order of the corpus.
TAUGHT: dict[str, Callable[[Path, float], Sequence[object]]] = {
    "speech": lambda folder, data: frames.read(folder, "training", data).texts,
    "word-lm": lambda folder, data: language.read_split(folder, "training", data).tolist(),
    "char-lm": lambda folder, data: language.read_split(folder, "training", data).tolist(),
    "image": lambda folder, data: [i.tobytes() for i in pictures.read_split(folder, "training", data)[0]],
    "translation": lambda folder, data: parallel.read_split(folder, "training", data)[1].ends.tolist(),
    "teacher": lambda folder, data: np.load(folder / "train.npy")[: int(data)].tolist(),
}


@every_domain
def test_each_shard_lies_inside_the_next(domain: Domain, cache: Path) -> None:
    corpus = prepared(domain, cache)
    smaller: Sequence[object] = ()
    for shard in domain.presets["smoke"].shards:
        taught = TAUGHT[domain.name](corpus.folder, shard)
        assert list(taught[: len(smaller)]) == list(smaller)
        assert len(taught) > len(smaller)
        smaller = taught


@every_domain
def test_an_epoch_shows_a_shard_once_and_follows_from_the_seed(domain: Domain, cache: Path) -> None:
    corpus = prepared(domain, cache)
    smoke = domain.presets["smoke"]
    trainings = list(end_trainings(spec(domain, corpus)))
    for family in domain.families:
        drawn = min((t for t in trainings if t.family == family), key=lambda t: (t.data, t.size))
        task = code(domain).task(drawn, corpus, "cpu")
        epochs = [list(task.batches(seed)) for seed in (3, 3, 4)]
        for epoch in epochs:
            assert sum(amount for _, amount in epoch) == pytest.approx(smoke.shards[0], rel=0.1)
        with torch.no_grad():
            first, same, other = (float(task.loss(epoch[0][0])) for epoch in epochs)
            assert first == same
            assert first != other
            task.model.eval()
            scores = task.evaluate()
        assert list(scores) == list(domain.metrics)
        assert np.isfinite(list(scores.values())).all()


def _any_loss(
    scores: torch.Tensor, counts: torch.Tensor, labels: torch.Tensor, lengths: torch.Tensor
) -> object:
    """Stand for CTC, which has no kernel on meta; on a GPU it fetches counts that are not on the host."""
    assert (counts.device.type, lengths.device.type, labels.device.type) == ("cpu", "cpu", "meta")
    return scores.sum()


@pytest.mark.slow
@every_domain
def test_a_step_waits_for_nothing_that_the_device_computes(
    domain: Domain, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On device meta there are no values: whoever asks for one, as `item`, `tolist` and `if` do, fails."""
    monkeypatch.setattr("calibrate.domains.speech.decoding.ctc", _any_loss)
    corpus = prepared(domain, cache)
    for family in domain.families:
        drawn = next(t for t in end_trainings(spec(domain, corpus)) if t.family == family)
        task = code(domain).task(drawn, corpus, "meta")
        batch, _ = next(task.batches(0))
        loss = task.loss(batch)
        loss.backward()
        assert loss.device.type == "meta"
        with pytest.raises(RuntimeError):
            loss.item()


@every_domain
def test_counts_agree_with_the_model(domain: Domain, cache: Path) -> None:
    corpus = prepared(domain, cache)
    trainings = list(end_trainings(spec(domain, corpus)))
    for family, sizes in domain.presets["smoke"].sizes.items():
        rungs = code(domain).ladder(family, (*sizes, sizes[-1] * 2**10), corpus)
        for size, rung in zip(sizes, rungs, strict=False):
            drawn = next(t for t in trainings if (t.family, t.size) == (family, size))
            model = code(domain).task(drawn, corpus, "cpu").model
            counted = sum(p.numel() for p in model.parameters() if p.requires_grad)
            assert counted == rung.params
        assert [rung.size for rung in rungs] == [*sizes, sizes[-1] * 2**10]
        assert all(a.flops < b.flops and a.memory < b.memory for a, b in pairwise(rungs))


def _image_flops(family: str, w: int, described: dict[str, object]) -> float:
    """Return forward FLOP an image by hand: two for every weight and place at which it is used."""
    classes, side = len(described["classes"]), int(described["side"])  # type: ignore[arg-type,call-overload]
    if family == "vit":
        places = (-(-side // patch(side))) ** 2
        blocks = 6 * places * (24 * w**2 + 4 * places * w)
        return blocks + 2 * places * patch(side) ** 2 * w + 2 * w * classes
    blocks, total, inputs = {"resnet10": 1, "resnet18": 2, "resnet34": None}[family], 2 * side**2 * 9 * w, w
    for stage in range(4):
        count = blocks or (3, 4, 6, 3)[stage]
        outputs, places = w * 2**stage, (-(-side // 2**stage)) ** 2
        total += 2 * places * 9 * (inputs * outputs + (2 * count - 1) * outputs**2)
        total += 2 * places * inputs * outputs if stage else 0
        inputs = outputs
    return total + 2 * inputs * classes


# Training FLOP of one data unit by hand; the models' own tests say where each term comes from.
def _by_hand(domain: str, family: str, w: int, folder: Path) -> float:
    if domain == "speech":
        symbols = len(json.loads((folder / "corpus.json").read_text())["alphabet"]) + 1
        if family == "ds2":
            return 3 * 120_000 * (90 * w**2 + (400 + 4 * symbols) * w)
        frames_each, characters = frames.mean_lengths(folder)
        places = frames_each / 6
        character = 30 * w**2 + (2 * symbols + 4 * places + 10) * w + 10 * places
        return 3 * 360_000 * ((58 * w**2 + 1920 * w) / 3 + character * (characters + 1) / frames_each)
    if domain == "image":
        return 3 * _image_flops(family, w, description(folder))
    if domain == "translation":
        described = description(folder)
        (s, t), v = map(round, described["lengths"]), described["pieces"][1]
        pair = {
            "lstm-attention": 36 * (s + t) * w**2 + 4 * s * t * w,
            "transformer": 56 * (s + t) * w**2 + 8 * (s**2 + t**2 + s * t) * w,
        }[family]
        return 3 * (pair / t + 2 * w * v)
    if domain == "teacher":
        return 6 * (64 * w + w**2 + 16 * w)
    v = description(folder)["vocabulary"]
    window, depth = (64, 5) if domain == "word-lm" else (128, 10)
    recurrent = {
        "lstm2": 32 * w**2,
        "lstm": 32 * w**2,
        "lstm4": 64 * w**2,
        "rhn": 4 * (1 + depth) * w**2,
        "transformer": 4 * (24 * w**2 + 4 * window * w),
    }[family.partition("-")[0]]
    return 3 * (recurrent + 2 * w * v)


@every_domain
def test_counted_flop_are_those_of_the_closed_form(domain: Domain, cache: Path) -> None:
    corpus = prepared(domain, cache)
    for family in domain.families:
        for rung in code(domain).ladder(family, (16, 64), corpus):
            by_hand = _by_hand(domain.name, family, rung.size, corpus.folder)
            assert rung.flops == pytest.approx(by_hand, rel=0.01), family


def spec(domain: Domain, corpus: Corpus) -> Spec:
    """Return the smoke sweep over all families, its costs made up."""
    return Spec(
        domain=domain,
        preset_name="smoke",
        preset=replace(domain.presets["smoke"], seeds=1),
        families=domain.families,
        seed=0,
        corpus=corpus,
        ladder={
            family: tuple(SizeCost(size=size, params=size, flops=float(size)) for size in sizes)
            for family, sizes in domain.presets["smoke"].sizes.items()
        },
    )


class Here:
    """An engine without processes of its own: what workers do, done here."""

    def run(self, jobs: Sequence[Job]) -> Iterator[AttemptResult]:
        for job in jobs:
            yield AttemptResult(job, job.attempt, train_job(job, "cpu"), final=True)


@every_domain_measured
def test_a_sweep_ends_in_runs_and_laws_in_a_store(domain: Domain, cache: Path, tmp_path: Path) -> None:
    corpus = prepared(domain, cache)
    families = (domain.presets["smoke"].families or domain.families)[:1]  # the others differ in the model
    sizes = domain.presets["smoke"].sizes
    ladder = {family: code(domain).ladder(family, sizes[family], corpus) for family in families}
    asked = replace(spec(domain, corpus), families=families, ladder=ladder)
    store = Store(tmp_path)
    swept = run_sweep(asked, store, Here(), 1, lambda progress: None)
    runs = store.runs(domain=domain.name)
    assert {(run.status, run.reason) for run in runs} == {("finished", "")}
    assert swept.counts == {"finished": len(runs)}
    assert {run_id(t) for t in end_trainings(asked)} <= {run.id for run in runs}
    assert all(set(run.metrics) == set(domain.metrics) for run in runs)
    assert all(np.isfinite(list(run.metrics.values())).all() and run.samples for run in runs)
    failures: list[str] = []
    laws = list(fit_sweep_laws(asked, best_by_family(asked, swept.incumbents), {}, failures.append))
    for law in laws:
        store.add_law(law)
    wanted = {(family, name) for family in families for name in (*domain.metrics, "params", "samples")}
    assert {(law.family, law.metric) for law in laws} >= wanted, failures
    assert {law.metric_unit for law in laws if law.metric in domain.metrics} == set(domain.metrics.values())
