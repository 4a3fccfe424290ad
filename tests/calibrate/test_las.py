"""Listen, attend and spell, reduced: its size, its cost, padding, its loss and its reading."""

import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")

import torch

from calibrate.data.features import MELS
from calibrate.domains.speech.decoding import Spelling
from calibrate.models.attention import attended
from calibrate.models.las import AHEAD, END, ListenAttendSpell
from calibrate.training.flops import forward_flops, trainable

pytestmark = pytest.mark.torch

SYMBOLS = 29
PLACE = 6  # frames


def parameters(w: int, s: int) -> int:
    """Two bidirectional LSTM layers with norms, the memory, embeddings, a cell, attention, the output."""
    listener = (8 * w**2 + 980 * w) + (40 * w**2 + 20 * w) + (2 * w**2 + w)
    speller = s * w + (12 * w**2 + 8 * w) + (w**2 + w) + (AHEAD + 1) * (w + 1)
    return listener + speller + (2 * w**2 + w) + (w + 1) * s


def forward(w: int, s: int, places: int, characters: int) -> int:
    """Return FLOP of an utterance by hand: two for each weight and step at which it is used."""
    listener = places * (2 * 16 * w * (120 + w) + 80 * w**2 + 4 * w**2)
    recurrent = 24 * w**2 + 2 * w**2 + 4 * w**2 + 2 * w * s
    attention = 4 * places * w + 2 * (AHEAD + 1) * (w + places)
    return listener + characters * (recurrent + attention)


@pytest.mark.parametrize("width", [1, 8, 64, 333])
@pytest.mark.parametrize("symbols", [2, 29, 5000])
def test_parameters_have_a_closed_form(width: int, symbols: int) -> None:
    with torch.device("meta"):
        model = ListenAttendSpell(width, symbols)
    assert trainable(model) == parameters(width, symbols)
    assert (
        trainable(model) == 65 * width**2 + (1016 + 2 * symbols) * width + symbols + 5
    )  # docs/domains/speech.md


@pytest.mark.parametrize("width", [16, 64, 512])
@pytest.mark.parametrize(("places", "characters"), [(7, 11), (40, 30)])
def test_counted_flop_agree_with_the_closed_form(width: int, places: int, characters: int) -> None:
    with torch.device("meta"):
        model = ListenAttendSpell(width, SYMBOLS)
        frames, before = torch.empty(3, PLACE * places, MELS), torch.zeros(3, characters, dtype=torch.long)
        counted = forward_flops(model, frames, torch.full((3,), PLACE * places), before)
    assert counted == pytest.approx(3 * forward(width, SYMBOLS, places, characters), rel=0.01)


@pytest.mark.parametrize(
    "lengths", [(240.0, 40.0), (257.5, 41.6), pytest.param((1500.2, 190.3), marks=pytest.mark.slow)]
)
def test_an_hour_costs_what_its_utterances_cost(lengths: tuple[float, float]) -> None:
    """Mean lengths are not whole: an hour is as many utterances as fill it, each with its end."""
    frames, characters = lengths
    places = round(frames / PLACE)
    one = forward(64, SYMBOLS, places, 0) * frames / (places * PLACE)
    one += forward(64, SYMBOLS, places, 1) * (characters + 1) - forward(64, SYMBOLS, places, 0) * (
        characters + 1
    )
    assert Spelling.flops(64, SYMBOLS, lengths) == pytest.approx(one * 360_000 / frames, rel=0.01)


def utterances(lengths: list[int]) -> torch.Tensor:
    frames = torch.zeros(len(lengths), 120, MELS, dtype=torch.double)
    for row, length in zip(frames, lengths, strict=True):
        row[:length] = torch.randn(length, MELS, dtype=torch.double)
    return frames


def test_padding_changes_nothing() -> None:
    """An utterance alone and beside longer ones gives the same scores and the same text."""
    torch.manual_seed(0)
    model = ListenAttendSpell(24, SYMBOLS).double()
    lengths = torch.tensor([37, 64, 1, 90])
    frames = utterances(lengths.tolist())
    before = torch.randint(SYMBOLS, (4, 9))
    together = model(frames, lengths, before)
    most = torch.tensor([5, 9, 1, 12])
    spelled = model.spell(frames, lengths, most)
    for i, length in enumerate(lengths.tolist()):
        one, own = frames[i : i + 1, :length], lengths[i : i + 1]
        assert torch.allclose(model(one, own, before[i : i + 1])[0], together[i], atol=1e-6)
        assert model.spell(one, own, most[i : i + 1]) == [spelled[i]]
        assert len(spelled[i]) <= most[i]


def test_reading_is_the_likeliest_character_given_those_that_were_read() -> None:
    torch.manual_seed(2)
    model = ListenAttendSpell(16, 5).double()
    frames, lengths = utterances([60]), torch.tensor([60])
    (spelled,) = model.spell(frames, lengths, torch.tensor([20]))
    before = torch.tensor([[END, *spelled]])
    best = model(frames, lengths, before).argmax(-1)[0].tolist()
    assert best[: len(spelled)] == spelled
    assert len(spelled) == 20 or best[-1] == END


def test_the_loss_is_that_of_the_characters_and_the_end_given_the_true_ones_before() -> None:
    torch.manual_seed(0)
    spelling = Spelling(16, SYMBOLS)
    spelling.model.double()
    texts = [[3, 7, 7, 1], [28, 2]]
    frames, lengths = utterances([50, 31]), torch.tensor([50, 31])
    labels, counts = torch.tensor([code for text in texts for code in text]), torch.tensor([4, 2])
    by_hand = 0.0
    for i, text in enumerate(texts):
        scores = spelling.model(frames[i : i + 1], lengths[i : i + 1], torch.tensor([[END, *text]]))
        by_hand -= float(scores[0].log_softmax(-1)[range(len(text) + 1), [*text, END]].sum().detach())
    # the loss is in single precision, as on a GPU
    assert float(spelling.nats((frames, lengths, labels, counts)).detach()) == pytest.approx(
        by_hand, rel=1e-6
    )


def test_attention_begins_at_the_beginning_and_moves_on_by_a_few_places() -> None:
    torch.manual_seed(0)
    model = ListenAttendSpell(16, SYMBOLS)
    memory, padding = model.encode(torch.randn(2, 240, MELS), torch.tensor([240, 200]))
    state = model._start(memory)
    for step in range(1, 8):
        state = model._attend(memory, padding, torch.zeros(2, 16), state)
        assert torch.allclose(state[3].sum(2), torch.ones(2, 1))
        assert float(state[3][:, 0, : step * AHEAD + 1].sum(1).min().detach()) > 0.97
    assert not state[3][1, 0, 34:].any()


def test_attention_is_a_mean_of_what_is_not_padding() -> None:
    memory = torch.randn(1, 3, 4)
    found, weights = attended(torch.zeros(1, 2, 4), memory, torch.tensor([[False, False, True]]))
    assert torch.allclose(weights, torch.tensor([[[0.5, 0.5, 0.0]] * 2]))
    assert torch.allclose(found, memory[:, None, :2].mean(2).expand(1, 2, 4))


def test_every_character_can_hear_the_whole_utterance() -> None:
    torch.manual_seed(0)
    model = ListenAttendSpell(24, SYMBOLS)
    frames = torch.randn(1, 84, MELS, requires_grad=True)
    scores = model(frames, torch.tensor([84]), torch.zeros(1, 4, dtype=torch.long))
    (heard,) = torch.autograd.grad(scores[0, 3, 1], frames)
    assert (heard.abs().sum(dim=2) > 0).all()


def test_half_precision_changes_little() -> None:
    torch.manual_seed(0)
    model = ListenAttendSpell(32, SYMBOLS)
    frames, lengths = torch.randn(2, 120, MELS), torch.tensor([120, 90])
    before = torch.randint(SYMBOLS, (2, 20))
    exact = model(frames, lengths, before)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rounded = model(frames, lengths, before).float()
        rounded.square().mean().backward()
    assert float((rounded - exact).detach().square().mean().sqrt()) < 0.02 * float(exact.detach().std())
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
