"""Predict the next character of source code: how bits per character fall with characters of text."""

import math
from collections.abc import Callable

import numpy as np
from torch import nn

from calibrate.data.library import sources
from calibrate.data.text_files import passages
from calibrate.domains.language.corpus import Codes, Tokenizer
from calibrate.domains.language.task import LanguageDomain
from calibrate.models.lstm import LSTM
from calibrate.models.rhn import RHN
from calibrate.models.transformer import Transformer

__all__ = ["ladder", "prepare", "task"]

WINDOW = 128
COMMON = 7e6  # characters in the part of the library that every machine has

MODELS: dict[str, Callable[[int, int], nn.Module]] = {
    "rhn": lambda width, symbols: RHN(width, symbols, depth=10),
    "lstm": lambda width, symbols: LSTM(width, symbols, layers=2),
    "transformer": lambda width, symbols: Transformer(width, symbols, layers=4, window=WINDOW),
}


def model(family: str, size: int, symbols: int) -> nn.Module:
    """Return a model.

    Args:
        family: An architecture and the optimizer that trains it, as in `rhn-sgd`.
        size: Its width.
        symbols: Characters of the vocabulary.

    Returns:
        The model, from symbols (batch, time) to scores (batch, time, symbols).
    """
    return MODELS[family.rpartition("-")[0]](size, symbols)


def encode(text: str) -> Codes:
    """Return the code points of a passage, whose lines end with only a line feed.

    Args:
        text: A passage.

    Returns:
        Code points (characters,).
    """
    plain = text.replace("\r\n", "\n").removeprefix("\ufeff")
    return np.frombuffer(plain.encode("utf-32-le"), "<u4").astype(np.int64)


_CHARACTERS = LanguageDomain(
    tokenizer=lambda: Tokenizer(encode, chr, "characters"),
    embedded=lambda everything: passages(sources(everything=everything), {}),
    common=COMMON,
    window=WINDOW,
    build=model,
    metrics=lambda nats: {"loss": nats / math.log(2)},
)
prepare, task, ladder = _CHARACTERS.prepare, _CHARACTERS.task, _CHARACTERS.ladder
