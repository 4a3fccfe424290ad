"""Deep Speech 2, reduced: its size, its cost and what it does with padding."""

import time

import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")

import numpy as np
import torch

from calibrate.data.features import MELS
from calibrate.domains.speech import frames
from calibrate.domains.speech import task as speech
from calibrate.domains.speech.corpus import STRIDE
from calibrate.domains.speech.frames import Utterance
from calibrate.models.ds2 import DeepSpeech2
from calibrate.training.flops import forward_flops

pytestmark = pytest.mark.torch

SYMBOLS = 29


def parameters(width: int, symbols: int) -> int:
    """Two convolutions of five frames, two bidirectional LSTM layers, four norms, one linear layer."""
    return 45 * width**2 + (246 + 2 * symbols) * width + symbols


def forward(width: int, symbols: int, outputs: int) -> int:
    """Return FLOP by hand: each output comes from 3 frames, which the first convolution merges."""
    convolutions = 2 * 5 * MELS * width + 2 * 5 * width**2
    recurrent = 2 * 2 * (8 + 12) * width**2  # per direction 4·W·(inputs + W) products; inputs are W, then 2·W
    return outputs * (convolutions + recurrent + 2 * 2 * width * symbols)


@pytest.mark.parametrize("width", [1, 8, 64, 333])
@pytest.mark.parametrize("symbols", [2, 29, 5000])
def test_parameters_have_a_closed_form(width: int, symbols: int) -> None:
    with torch.device("meta"):
        model = DeepSpeech2(width, symbols)
    assert sum(p.numel() for p in model.parameters()) == parameters(width, symbols)


@pytest.mark.parametrize("width", [16, 64, 512])
@pytest.mark.parametrize("outputs", [4, 30])
def test_counted_flop_agree_with_the_closed_form(width: int, outputs: int) -> None:
    with torch.device("meta"):
        model = DeepSpeech2(width, SYMBOLS)
        counted = forward_flops(
            model, torch.empty(3, STRIDE * outputs, MELS), torch.full((3,), STRIDE * outputs)
        )
    assert counted == pytest.approx(3 * forward(width, SYMBOLS, outputs), rel=0.01)


def test_flop_are_never_counted_where_an_lstm_counts_nothing() -> None:
    model = DeepSpeech2(8, SYMBOLS)
    with pytest.raises(ValueError, match="meta"):
        forward_flops(model, torch.zeros(1, 64, MELS), torch.tensor([64]))


def test_padding_changes_nothing() -> None:
    """An utterance alone and beside longer ones gives the same scores, backward direction included."""
    torch.manual_seed(0)
    model = DeepSpeech2(24, SYMBOLS).double()
    lengths = torch.tensor([37, 64, 1, 90])
    frames = torch.zeros(4, 100, MELS, dtype=torch.double)
    for row, length in zip(frames, lengths, strict=True):
        row[:length] = torch.randn(length, MELS, dtype=torch.double)
    together, counts = model(frames, lengths)
    assert counts.tolist() == [-(-length // STRIDE) for length in lengths.tolist()]
    for i, length in enumerate(lengths.tolist()):
        alone, _ = model(frames[i : i + 1, :length], lengths[i : i + 1])
        assert torch.allclose(alone[:, 0], together[: counts[i], i], atol=1e-6)


def test_every_output_hears_the_whole_utterance() -> None:
    torch.manual_seed(0)
    model = DeepSpeech2(24, SYMBOLS)
    frames = torch.randn(1, 80, MELS, requires_grad=True)
    for output in (0, 10, 19):
        (heard,) = torch.autograd.grad(model(frames, torch.tensor([80]))[0][output, 0, 1], frames)
        assert (heard.abs().sum(dim=2) > 0).all()


def test_scores_are_log_probabilities_in_single_precision_under_bfloat16() -> None:
    model = DeepSpeech2(16, SYMBOLS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        scores, counts = model(torch.randn(2, 40, MELS), torch.tensor([40, 31]))
        loss = torch.nn.functional.ctc_loss(
            scores, torch.ones(2, 3, dtype=torch.long), counts, counts * 0 + 3
        )
    assert scores.dtype == torch.float32
    assert torch.allclose(scores.exp().sum(dim=2), torch.ones(14, 2), atol=1e-5)
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


def test_a_ladder_to_a_billion_parameters_is_counted_without_training(tmp_path) -> None:
    (tmp_path / "corpus.json").write_text('{"alphabet": "' + "abcdefghijklmnopqrstuvwxyz' " + '"}')
    said = Utterance("some words", np.zeros((100, MELS), np.float16), seconds=1.0, digest=b"")
    frames.write(tmp_path, "training", [said], hours=1.0)
    corpus = speech.Corpus(folder=tmp_path, fingerprint="", available=1.0)
    sizes = (*(2**i for i in range(4, 13)), 4800)
    started = time.process_time()
    rungs = speech.ladder("ds2", sizes, corpus)
    assert time.process_time() - started < 15
    for size, rung in zip(sizes, rungs, strict=True):
        assert rung.size == size
        assert rung.params == parameters(size, SYMBOLS)
        outputs = 3600 * 100 // STRIDE
        assert rung.flops == pytest.approx(3 * forward(size, SYMBOLS, outputs), rel=0.01)
        assert rung.memory == 16 * rung.params
    assert rungs[-1].params > 1e9
