"""Translation: the grammar's promises, pairs from files, models whose size and cost have closed forms."""

import itertools
import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from calibrate.domains.translation.grammar import Grammar, Languages
from laws.errors import PlannerError


def drawn(count, grammar=None, seed=0):
    return list(itertools.islice(Languages(grammar or Grammar(), seed).sentences(seed), count))


def test_the_same_seed_gives_the_same_sentences_and_another_seed_other_languages():
    assert drawn(50) == drawn(50)
    words = [{word for source, _ in drawn(200, seed=seed) for word in source.split()} for seed in (0, 1)]
    assert len(words[0] & words[1]) < 0.2 * len(words[0])


def test_rare_words_follow_the_law_that_was_asked_for():
    nouns = Languages(Grammar(zipf=1.5), 0).nouns
    rng = random.Random(0)
    counts = Counter(nouns.draw(rng).target for _ in range(20000))
    first, tenth = counts[nouns.words[0].target], counts[nouns.words[9].target]
    assert first / tenth == pytest.approx(10**1.5, rel=0.2)


def test_target_nouns_show_a_gender_that_sources_hide():
    languages = Languages(Grammar(), 0)
    genders = {word.target: word.gender for word in languages.nouns.words}
    seen = set()
    for _, target in drawn(2000):
        pieces = target.split()
        for article, noun in itertools.pairwise(pieces):
            if article in {"la", "le", "lo", "na", "ne", "no"} and noun in genders:
                assert article[1] == "aeo"[genders[noun]]
                seen.add(article)
    assert len(seen) == 6


def test_a_share_of_source_nouns_means_two_things_and_the_verb_tells_which():
    words = Languages(Grammar(), 0).nouns.words
    meanings = Counter(word.source for word in words)
    assert sum(count == 2 for count in meanings.values()) == 600  # a fifth of 6,000 nouns, in pairs
    for _, pair in itertools.groupby(sorted(words, key=lambda w: w.source), key=lambda w: w.source):
        kinds = [word.kind for word in pair]
        assert len(set(kinds)) == len(kinds)
    none = Languages(Grammar(ambiguous=0.0), 0).nouns.words
    assert len({word.source for word in none}) == len(none)


torch = pytest.importorskip("torch", reason="needs the extra `calibrate`")
pytest.importorskip("sentencepiece", reason="needs the extra `calibrate`")

from calibrate.domains.translation import corpus as parallel  # noqa: E402
from calibrate.domains.translation import task as translation  # noqa: E402
from calibrate.training.flops import forward_flops, trainable  # noqa: E402
from calibrate.training.train import train  # noqa: E402
from calibrate.types import Training  # noqa: E402

pytestmark = pytest.mark.torch
FAMILIES = ("lstm-attention", "transformer")


def prepared(cache, source=None, available=4000.0, validation=1000.0):
    return parallel.prepare(
        cache=cache, source=source, available=available, validation=validation, seed=0, report=lambda *_: None
    )


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return prepared(tmp_path_factory.mktemp("cache"))


def test_the_same_corpus_is_the_same_and_shards_lie_in_each_other(corpus, tmp_path):
    assert prepared(tmp_path).fingerprint == corpus.fingerprint
    small, large = (parallel.read_split(corpus.folder, "training", amount)[1] for amount in (1000, 3000))
    assert len(small.ends) < len(large.ends)
    assert np.array_equal(small.ends, large.ends[: len(small.ends)])
    assert 900 < small.ends[-1] <= 1000
    held = parallel.read_split(corpus.folder, "validation")[1]
    assert 1000 <= held.ends[-1] <= 1000 + parallel.MAX_PIECES  # it ends with the sentence that fills it
    assert len(parallel.texts(corpus)) == len(held.ends)


def test_pieces_spell_what_was_written(corpus):
    held, speller = parallel.read_split(corpus.folder, "validation")[1], parallel.speller(corpus)
    for begin, end, text in zip(held.begins, held.ends, parallel.texts(corpus), strict=True):
        codes = held.pieces[begin:end].tolist()
        assert codes[-1] == parallel.END
        assert speller.decode(codes[:-1]) == text


def written(folder, pairs, kind):
    folder.mkdir()
    if kind == "tsv":
        (folder / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in pairs), encoding="utf-8")
    else:
        (folder / "train.de").write_text("".join(f"{a}\n" for a, _ in pairs), encoding="utf-8")
        (folder / "train.en").write_text("".join(f"{b}\n" for _, b in pairs), encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", ["tsv", "two files"])
def test_pairs_are_read_from_files(tmp_path, kind):
    pairs = [*drawn(800), ("nothing here", "")]
    found = prepared(tmp_path / "cache", written(tmp_path / "data", pairs, kind))
    assert len(found.skipped) == 1
    assert "801" in next(iter(found.skipped))
    held, trained = (
        {tuple(side.pieces[b:e]) for b, e in zip(side.begins, side.ends, strict=True)}
        for side in (parallel.read_split(found.folder, part)[0] for part in ("validation", "training"))
    )
    assert not held & trained


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.de": b"one\ntwo\n", "a.en": b"one\n"}, "a.de has 2 lines"),
        ({"a.tsv": b"one\tuno\ntwo\n"}, "line 2 has 1 columns"),
        ({"a.tsv": b"one\tuno\ntw\xffo\tdos\n"}, "line 2 is not UTF-8"),
        ({"a.de": b"one\n"}, "has 1 files"),
        ({}, "has 0 files"),
        ({"a.de": b"one\n\n\n", "a.en": b"uno\n\n\n"}, "2 of 3 lines"),
        ({"a.tsv": b"one two\tuno dos\n"}, "smaller preset"),
    ],
)
def test_files_that_are_no_translation_are_refused_by_name(tmp_path, files, said):
    folder = tmp_path / "data"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    with pytest.raises(PlannerError, match=said) as refused:
        prepared(tmp_path / "cache", folder)
    assert "\n" not in str(refused.value)


def lstm_size(w, s, t):
    """Two embeddings, two LSTMs and a norm, the memory, two LSTM layers, what combines them, the output."""
    return (
        (s + t) * w
        + (16 * w**2 + 16 * w + 4 * w)
        + (2 * w**2 + w)
        + (16 * w**2 + 16 * w)
        + (2 * w**2 + w)
        + (w + 1) * t
    )


def lstm_flop(w, s, t, vocabulary):
    """Return the FLOP of a pair of s and t tokens by hand."""
    encoder = s * (2 * 16 * w**2 + 4 * w**2)
    decoder = t * (2 * 16 * w**2 + 4 * w**2 + 2 * w * vocabulary)
    return encoder + decoder + 4 * s * t * w


def transformer_size(w, s, t):
    attention, perceptron, norm = 4 * w**2 + 4 * w, 8 * w**2 + 5 * w, 2 * w
    encoder = attention + perceptron + 2 * norm
    decoder = 2 * attention + perceptron + 3 * norm
    places = 2 * (parallel.MAX_PIECES + 2) * w
    return (s + t) * w + places + 2 * encoder + 2 * decoder + 2 * norm + (w + 1) * t


def transformer_flop(w, s, t, vocabulary):
    encoder = s * 24 * w**2 + 4 * s**2 * w
    decoder = t * (24 * w**2 + 4 * w**2) + 4 * t**2 * w + s * 4 * w**2 + 4 * s * t * w
    return 2 * (encoder + decoder) + 2 * t * w * vocabulary


@pytest.mark.parametrize("width", [8, 32, 96, 257])
@pytest.mark.parametrize(
    ("family", "size"), [("lstm-attention", lstm_size), ("transformer", transformer_size)]
)
def test_parameters_have_a_closed_form(family, size, width):
    with torch.device("meta"):
        model = translation.model(family, width, (700, 1000))
    assert sum(p.numel() for p in model.parameters()) == size(width, 700, 1000)


def test_the_vocabularies_cost_what_they_cost_in_the_published_model():
    """Catamount's translation model has 33h^2 + 3hv + 12h + 1 parameters, 146,890,753 for h=1024, v=36,548.

    Its three tables of the vocabulary are ours, and we add one bias a target piece. The recurrent parts are
    not the same: here the encoder's two directions are joined by a layer of their own.
    """
    h, v = 1024, 36_548
    assert 33 * h**2 + 3 * h * v + 12 * h + 1 == 146_890_753
    with torch.device("meta"):
        large, small = (translation.model("lstm-attention", h, (n, n)) for n in (v, 1))
    assert trainable(large) - trainable(small) == (3 * h + 1) * (v - 1)


@pytest.mark.parametrize(
    ("family", "flop"), [("lstm-attention", lstm_flop), ("transformer", transformer_flop)]
)
@pytest.mark.parametrize(("source", "target"), [(5, 7), (30, 20)])
def test_counted_flop_agree_with_the_closed_form(family, flop, source, target):
    with torch.device("meta"):
        model = translation.model(family, 64, (700, 1000))
        places = [torch.zeros(3, n, dtype=torch.long) for n in (source, target)]
        counted = forward_flops(model, places[0], torch.full((3,), source), places[1])
    assert counted == pytest.approx(3 * flop(64, source, target, 1000), rel=0.01)


def asked(corpus, family, **changes):
    plain = Training(
        domain="translation", version=1, family=family, optimizer="adam", size=16, data=2000,
        learning_rate=1e-2, batch_size=8, epochs=4, max_samples=1e6, seed=0, fingerprint=corpus.fingerprint,
    )  # fmt: skip
    return replace(plain, **changes)


@pytest.mark.parametrize("family", FAMILIES)
def test_padding_changes_no_score(corpus, family):
    task = translation.task(asked(corpus, family), corpus, "cpu")
    task.model.eval()
    lengths = np.diff(task.validation[0].ends, prepend=0)
    pair = np.array([int(lengths.argmin()), int(lengths.argmax())])
    with torch.no_grad():
        source, counts, target = task._batch(task.validation, pair)
        both = task.model(source, counts, target)
        for i in range(2):
            s, c, t = task._batch(task.validation, pair[i : i + 1])
            alone = task.model(s, c, t)
            assert torch.allclose(both[i, : t.shape[1]], alone[0], atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_targets_one_by_one_have_the_states_that_they_have_together(corpus, family):
    task = translation.task(asked(corpus, family), corpus, "cpu")
    task.model.eval()
    with torch.no_grad():
        source, counts, target = task._batch(task.validation, np.arange(5))
        memory, padding = task.model.encode(source, counts)
        together, _ = task.model.states(memory, padding, target)
        past, one_by_one = None, []
        for piece in target.unbind(1):
            state, past = task.model.states(memory, padding, piece[:, None], past)
            one_by_one.append(state)
        assert torch.allclose(torch.cat(one_by_one, dim=1), together, atol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_training_learns_and_repeats(corpus, family):
    runs = [
        train(translation, asked(corpus, family), corpus, device="cpu", flops=1.0, time_limit=60)
        for _ in range(2)
    ]
    assert runs[0].status == "finished", runs[0].reason
    assert runs[0].metrics == runs[1].metrics
    # knowing nothing is log 1000 nats
    assert runs[0].metrics["loss"] < 6.5
    assert 0 < runs[0].metrics["token-error"] < 1
    assert 0 < runs[0].metrics["unbleu"] <= 1


@pytest.mark.parametrize("family", FAMILIES)
def test_the_ladder_knows_what_trains(corpus, family):
    (rung,) = translation.ladder(family, (16,), corpus)
    task = translation.task(asked(corpus, family), corpus, "cpu")
    assert rung.params == sum(p.numel() for p in task.model.parameters())
    # a parameter of a sequence model costs 6 FLOP a token that passes it; embeddings none, encoders more
    assert 1 < rung.flops / rung.params < 20
