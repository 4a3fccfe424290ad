"""The speech task on really spoken words: shards, batches, loss, scores, learning."""

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")
pytest.importorskip("espeakng_loader", reason="needs the extra `calibrate`")

import torch

from calibrate.domains.speech import frames, grammar
from calibrate.domains.speech import task as speech
from calibrate.domains.speech.decoding import ctc
from calibrate.training.metrics import character_error_rate, word_error_rate
from calibrate.types import Corpus, Training

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("one_thread")]

MINUTE = 1 / 60


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return prepared(tmp_path_factory.mktemp("cache"), seed=0)


def prepared(cache: Path, seed: int) -> Corpus:
    heard: list[float] = []
    corpus = speech.prepare(
        cache=cache,
        source=None,
        available=4 * MINUTE,
        validation=MINUTE,
        seed=seed,
        report=lambda _text, share: heard.append(share),
    )
    assert heard == sorted(heard)
    return corpus


def training(**changes: object) -> Training:
    asked = {
        "domain": "speech",
        "version": 1,
        "family": "ds2",
        "optimizer": "adam",
        "size": 32,
        "data": 2 * MINUTE,
        "learning_rate": 3e-3,
        "batch_size": 4,
        "epochs": 1,
        "max_samples": 1,
        "seed": 0,
        "fingerprint": "",
    }
    return Training(**(asked | changes))


@pytest.mark.slow
def test_the_corpus_is_the_same_on_repeat_and_another_for_another_seed(
    corpus: Corpus, tmp_path: Path
) -> None:
    again = prepared(tmp_path / "again", seed=0)
    assert again.fingerprint == corpus.fingerprint
    assert again.folder.name == corpus.folder.name
    for file in sorted(corpus.folder.iterdir()):
        assert (again.folder / file.name).read_bytes() == file.read_bytes(), file.name
    other = prepared(tmp_path / "other", seed=1)
    assert other.fingerprint != corpus.fingerprint


def test_a_prepared_corpus_is_opened_and_not_made_again(corpus: Corpus, monkeypatch) -> None:
    monkeypatch.setattr("calibrate.domains.speech.corpus.speech", None)
    assert prepared(corpus.folder.parent, seed=0) == corpus


def test_validation_shares_no_sentence_with_training(corpus: Corpus) -> None:
    held, trained = (frames.read(corpus.folder, name) for name in ("validation", "training"))
    assert held.hours.sum() >= MINUTE
    assert trained.hours.sum() >= 4 * MINUTE
    assert not set(held.texts) & set(trained.texts)


def test_shards_are_nested_and_as_long_as_asked(corpus: Corpus) -> None:
    smaller: tuple[str, ...] = ()
    for minutes in (0.5, 1, 2, 4):
        shard = frames.read(corpus.folder, "training", minutes * MINUTE)
        assert shard.texts[: len(smaller)] == smaller
        assert len(shard.texts) > len(smaller)
        smaller = shard.texts
        assert shard.hours.sum() >= minutes * MINUTE * (1 - 1e-9)
        assert shard.hours[:-1].sum() < minutes * MINUTE


def test_an_epoch_is_the_shard_once_in_an_order_of_the_seed(corpus: Corpus) -> None:
    task = speech.task(training(), corpus, "cpu")
    shard = frames.read(corpus.folder, "training", 2 * MINUTE)
    epochs = [list(task.batches(seed)) for seed in (3, 3, 4)]
    for epoch in epochs:
        assert sum(amount for _, amount in epoch) == pytest.approx(shard.hours.sum())
        lengths = torch.cat([batch[1] for batch, _ in epoch])
        assert sorted(lengths.tolist()) == sorted((shard.ends - shard.begins).tolist())
        texts = "".join(shard.texts)
        labels = torch.cat([batch[2] for batch, _ in epoch])
        read = "".join(task.alphabet[i - 1] for i in labels.tolist())
        assert sorted(read) == sorted(texts)
        padded = sum(batch[0].shape[0] * batch[0].shape[1] for batch, _ in epoch)
        assert padded < 1.3 * int(lengths.sum()), "much of the work is padding"
    first, same, other = ([batch[1].tolist() for batch, _ in epoch] for epoch in epochs)
    assert first == same
    assert first != other


def test_a_batch_holds_the_frames_and_the_text_of_each_utterance(corpus: Corpus) -> None:
    task = speech.task(training(), corpus, "cpu")
    shard = frames.read(corpus.folder, "training", 2 * MINUTE)
    by_text = {text: i for i, text in enumerate(shard.texts)}
    for (inputs, lengths, labels, counts), _ in task.batches(0):
        ends = torch.cumsum(counts, 0)
        for row, length, end, count in zip(inputs, lengths, ends, counts, strict=True):
            text = "".join(task.alphabet[i - 1] for i in labels[end - count : end].tolist())
            i = by_text[text]
            assert torch.equal(
                row[:length], torch.tensor(shard.frames[shard.begins[i] : shard.ends[i]]).float()
            )
            assert not row[length:].any()


def test_the_seed_decides_the_weights(corpus: Corpus) -> None:
    one, same, other = (
        speech.task(training(seed=seed), corpus, "cpu").model.output.weight for seed in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_scores_of_a_known_answer(corpus: Corpus) -> None:
    """A model that says the reference aloud is right; one that says nothing has every word wrong."""
    task = speech.task(training(), corpus, "cpu")
    texts = iter(())

    class Oracle(torch.nn.Module):
        def forward(self, inputs, lengths):
            scores = torch.full((400, len(lengths), len(task.alphabet) + 1), -20.0)
            for row in range(len(lengths)):
                said = [task.alphabet.index(c) + 1 for c in next(texts, "")]
                symbols = [symbol for c in said for symbol in (c, c, 0)]  # held for two outputs, then a blank
                scores[range(len(symbols)), row, symbols] = 0.0
                scores[len(symbols) :, row, 0] = 0.0
            return scores, torch.full_like(lengths, 400)

    task.transcriber.model = Oracle()
    wrong = task.evaluate()
    assert wrong["wer"] == wrong["cer"] == 1
    assert wrong["loss"] > 1
    part = task.validation.split
    order = np.argsort(part.ends - part.begins, kind="stable")
    texts = iter([part.texts[i] for i in order])
    right = task.evaluate()
    assert right["wer"] == right["cer"] == 0
    assert right["loss"] < 1e-3


def test_ctc_loss_against_all_alignments(corpus: Corpus) -> None:
    """The loss of a short text is minus the log of the summed probability of every alignment, by hand."""
    rng = torch.Generator().manual_seed(0)
    scores = torch.randn(4, 1, 3, generator=rng).log_softmax(dim=2)
    alignments = [
        path
        for path in torch.cartesian_prod(*[torch.arange(3)] * 4).tolist()
        if [s for i, s in enumerate(path) if s and (i == 0 or s != path[i - 1])] == [1, 2]
    ]
    assert len(alignments) == 15
    total = sum(math.exp(sum(float(scores[t, 0, s]) for t, s in enumerate(path))) for path in alignments)
    nats = ctc(scores, torch.tensor([4]), torch.tensor([1, 2]), torch.tensor([2]))
    assert float(nats) == pytest.approx(-math.log(total), rel=1e-5)


@pytest.mark.parametrize(
    ("family", "cer"), [("ds2", 0.85), pytest.param("attention", 0.95, marks=pytest.mark.slow)]
)
def test_it_learns(corpus: Corpus, family: str, cer: float) -> None:
    """A few hundred steps on one minute: the training loss falls far below that of guessing letters."""
    task = speech.task(training(family=family, data=MINUTE, size=48), corpus, "cpu")
    optimizer = torch.optim.Adam(task.model.parameters(), lr=5e-3)
    before = task.evaluate()
    losses = []
    for epoch in range(25):
        for batch, _ in task.batches(epoch):
            loss = task.loss(batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(task.model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
    with torch.no_grad():
        after = task.evaluate()
    assert np.mean(losses[-5:]) < 1.5
    assert after["loss"] < before["loss"]
    assert after["cer"] < cer


@pytest.mark.parametrize(
    ("reference", "hypothesis", "wer", "cer"),
    [
        (["a b c d"], ["a b c d"], 0, 0),
        (["a b c d"], [""], 1, 1),
        (["a b c d"], ["a x c"], 0.5, 3 / 7),
        (["one two", "three"], ["one", "three four"], 2 / 3, 9 / 12),
        (["a"], ["b c d"], 3, 5),
    ],
)
def test_error_rates(reference: list[str], hypothesis: list[str], wer: float, cer: float) -> None:
    """Counted by hand: errors over the words, or characters, of all references together."""
    assert word_error_rate(reference, hypothesis) == pytest.approx(wer)
    assert character_error_rate(reference, hypothesis) == pytest.approx(cer)


@pytest.mark.slow
def test_the_embedded_corpora_are_kept_apart_and_each_has_its_own_words(
    corpus: Corpus, tmp_path: Path
) -> None:
    easier = speech.prepare(
        cache=tmp_path,
        source=None,
        available=MINUTE,
        validation=MINUTE,
        seed=0,
        report=lambda _text, _share: None,
        embedded="grammar",
    )
    words = {word for text in frames.read(easier.folder, "training").texts for word in text.split()}
    assert words <= {word for sentence in grammar.sentences() for word in sentence.split()}
    assert easier.fingerprint != corpus.fingerprint
