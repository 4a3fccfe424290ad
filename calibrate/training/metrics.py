"""Metrics of text against reference text, by jiwer and sacrebleu."""

from collections.abc import Sequence

import jiwer


def word_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Return the word error rate over all references; it can exceed 1.

    Args:
        references: The correct texts.
        hypotheses: The texts of the model, in the same order.

    Returns:
        Substitutions, insertions and deletions per word of the references.
    """
    return float(jiwer.wer(list(references), list(hypotheses)))


def character_error_rate(references: Sequence[str], hypotheses: Sequence[str]) -> float:
    """Return the character error rate over all references.

    Args:
        references: The correct texts.
        hypotheses: The texts of the model, in the same order.

    Returns:
        Substitutions, insertions and deletions per character of the references.
    """
    return float(jiwer.cer(list(references), list(hypotheses)))


def bleu(translations: Sequence[str], references: Sequence[str]) -> float:
    """Return corpus BLEU with the tokenizer of sacrebleu (Post 2018, arXiv:1804.08771).

    Args:
        translations: The texts of the model.
        references: One reference per translation.

    Returns:
        BLEU between 0 and 1.
    """
    from sacrebleu.metrics.bleu import BLEU

    return float(BLEU().corpus_score(list(translations), [list(references)]).score) / 100
