"""Predict the next character of source code: characters of text against bits a character."""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch import nn

from calibrate.data import language
from calibrate.data.language import Codes, Reading
from calibrate.data.library import sources
from calibrate.data.textfiles import find, passages
from calibrate.domains.language import Kind
from calibrate.models.lstm import LSTM
from calibrate.models.rhn import RHN
from calibrate.models.transformer import Transformer
from calibrate.types import Corpus

__all__ = ["ladder", "parameters", "prepare", "task"]

WINDOW = 128
COMMON = 7e6  # characters that the part of the library has which is on every machine

MODELS: dict[str, Callable[[int, int], nn.Module]] = {
    "rhn": lambda width, symbols: RHN(width, symbols, depth=10),
    "lstm": lambda width, symbols: LSTM(width, symbols, layers=2),
    "transformer": lambda width, symbols: Transformer(width, symbols, layers=4, window=WINDOW),
}


def model(family: str, size: int, symbols: int) -> nn.Module:
    """Return a model; a family is an architecture and the optimizer that trains it, as in `rhn-sgd`."""
    return MODELS[family.rpartition("-")[0]](size, symbols)


def encode(text: str) -> Codes:
    """Return the code points of a passage; lines end with a line feed alone."""
    plain = text.replace("\r\n", "\n").removeprefix("\ufeff")
    return np.frombuffer(plain.encode("utf-32-le"), "<u4").astype(np.int64)


def prepare(
    *,
    cache: Path,
    source: Path | None,
    available: float,
    validation: float,
    seed: int,
    report: Callable[[str, float], None],
) -> Corpus:
    """Read the standard library's source, or the text files of `source`, once into `cache`; in characters.

    Raises PlannerError where a source cannot be used.
    """
    skipped: dict[str, str] = {}
    files = find(source) if source else sources(everything=available + validation > COMMON)
    found = passages(files, skipped if source else {})
    return language.prepare(
        Reading(encode, chr, "characters"),
        found,
        cache=cache,
        key=[(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files] if source else sys.version,
        source=source,
        available=available,
        validation=validation,
        seed=seed,
        skipped=skipped,
        report=report,
    )


_KIND = Kind(WINDOW, model, lambda nats: {"loss": nats / math.log(2)})
task, parameters, ladder = _KIND.task, _KIND.parameters, _KIND.ladder
