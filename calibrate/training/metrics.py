"""Scores of text against text, by jiwer and sacrebleu."""

from collections.abc import Sequence

import jiwer


def word_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Return substituted, inserted and left-out words over the words of all references; may exceed 1."""
    return float(jiwer.wer(list(references), list(hypotheses)))


def character_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Return substituted, inserted and left-out characters over the characters of all references."""
    return float(jiwer.cer(list(references), list(hypotheses)))


def bleu(translations: Sequence[str], references: Sequence[str]) -> float:
    """Return corpus BLEU between 0 and 1, by sacrebleu with its tokenizer (Post 2018, arXiv:1804.08771)."""
    from sacrebleu.metrics.bleu import BLEU

    return float(BLEU().corpus_score(list(translations), [list(references)]).score) / 100
