"""Predict the next word of English: words of text against nats a word and perplexity."""

import math
import re
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from torch import nn

from calibrate.data.english import documentation
from calibrate.data.text_files import cut
from calibrate.domains.language.corpus import Codes, Reading
from calibrate.domains.language.task import Kind
from calibrate.models.lstm import LSTM
from calibrate.models.rhn import RHN
from calibrate.models.transformer import Transformer

__all__ = ["ladder", "prepare", "task"]

WINDOW = 64
COMMON = 350e3  # words that the part of the library has which is on every machine
END = "</s>"  # stands behind every passage
NUMBER = "N"

MODELS: dict[str, Callable[[int, int], nn.Module]] = {
    "lstm2": lambda width, symbols: LSTM(width, symbols, layers=2),
    "lstm4": lambda width, symbols: LSTM(width, symbols, layers=4),
    "rhn": lambda width, symbols: RHN(width, symbols, depth=5),
    "transformer": lambda width, symbols: Transformer(width, symbols, layers=4, window=WINDOW),
}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d[\d.,]*")


def words(text: str) -> list[str]:
    """Return the words of a passage and END behind them, in the manner of Mikolov et al. 2010.

    Words are lower-case runs of letters with apostrophes inside; a number is N; all else is left out.
    """
    found = _WORD.findall(text.lower().replace("’", "'"))
    return [*(NUMBER if word[0].isdigit() else word for word in found), END]


def reading() -> Reading:
    """Return a reading that numbers words as they are met."""
    numbers: defaultdict[str, int] = defaultdict(lambda: len(numbers))
    spelled: dict[int, str] = {}

    def encode(text: str) -> Codes:
        return np.array([numbers[word] for word in words(text)], np.int64)

    def spell(code: int) -> str:
        if not spelled:
            spelled.update((number, word) for word, number in numbers.items())
        return spelled[code]

    return Reading(encode, spell, "words")


def embedded(everything: bool) -> list[str]:
    """Return the passages of the standard library's English, each once, sorted."""
    return sorted({passage for text in documentation(everything=everything) for passage in cut(text)})


def model(family: str, size: int, symbols: int) -> nn.Module:
    """Return a model of a family."""
    return MODELS[family](size, symbols)


_KIND = Kind(
    reading=reading,
    embedded=embedded,
    common=COMMON,
    window=WINDOW,
    build=model,
    metrics=lambda nats: {"loss": nats, "perplexity": math.exp(min(nats, 700.0))},
)
prepare, task, ladder = _KIND.prepare, _KIND.task, _KIND.ladder
