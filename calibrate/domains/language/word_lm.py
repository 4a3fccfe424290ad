"""Predict the next word of English: how nats per word and perplexity fall with words of text."""

import math
import re
from collections import defaultdict
from collections.abc import Callable

import numpy as np
from torch import nn

from calibrate.data.english import documentation
from calibrate.data.text_files import cut
from calibrate.domains.language.corpus import Codes, Tokenizer
from calibrate.domains.language.task import LanguageDomain
from calibrate.models.lstm import LSTM
from calibrate.models.rhn import RHN
from calibrate.models.transformer import Transformer

__all__ = ["ladder", "prepare", "task"]

WINDOW = 64
COMMON = 350e3  # words in the part of the library that every machine has
END = "</s>"  # follows every passage
NUMBER = "N"

MODELS: dict[str, Callable[[int, int], nn.Module]] = {
    "lstm2": lambda width, symbols: LSTM(width, symbols, layers=2),
    "lstm4": lambda width, symbols: LSTM(width, symbols, layers=4),
    "rhn": lambda width, symbols: RHN(width, symbols, depth=5),
    "transformer": lambda width, symbols: Transformer(width, symbols, layers=4, window=WINDOW),
}
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d[\d.,]*")


def words(text: str) -> list[str]:
    """Return the words of a passage and END after them, as Mikolov et al. 2010 cut the Penn Treebank.

    Args:
        text: A passage.

    Returns:
        Lower-case runs of letters with apostrophes inside, and N for each number; all else is left out.
    """
    matches = _WORD.findall(text.lower().replace("’", "'"))
    return [*(NUMBER if word[0].isdigit() else word for word in matches), END]


def tokenizer() -> Tokenizer:
    """Return a tokenizer that numbers words in the order in which it meets them."""
    numbers: defaultdict[str, int] = defaultdict(lambda: len(numbers))
    spelled: dict[int, str] = {}

    def encode(text: str) -> Codes:
        return np.array([numbers[word] for word in words(text)], np.int64)

    def spell(code: int) -> str:
        if not spelled:
            spelled.update((number, word) for word, number in numbers.items())
        return spelled[code]

    return Tokenizer(encode, spell, "words")


def embedded(everything: bool) -> list[str]:
    """Return the English passages of the standard library, each once, sorted.

    Args:
        everything: Whether to read also what some distributions leave out.

    Returns:
        Passages of about a thousand characters.
    """
    return sorted({passage for text in documentation(everything=everything) for passage in cut(text)})


def model(family: str, size: int, symbols: int) -> nn.Module:
    """Return a model.

    Args:
        family: A name in MODELS.
        size: Its width.
        symbols: Words of the vocabulary.

    Returns:
        The model, from symbols (batch, time) to scores (batch, time, symbols).
    """
    return MODELS[family](size, symbols)


_WORDS = LanguageDomain(
    tokenizer=tokenizer,
    embedded=embedded,
    common=COMMON,
    window=WINDOW,
    build=model,
    metrics=lambda nats: {"loss": nats, "perplexity": math.exp(min(nats, 700.0))},
)
prepare, task, ladder = _WORDS.prepare, _WORDS.task, _WORDS.ladder
