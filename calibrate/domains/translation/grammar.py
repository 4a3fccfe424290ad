"""Sentences in two made-up languages, from one stochastic synchronous grammar.

A sentence is drawn once, as a tree of concepts, and written in both languages. A model has to learn:

- *words*: concepts of each class follow Zipf's law (probability ∝ rank^-s): rare ones stay unknown longest;
- *order*: the source is subject-verb-object with adjectives before their noun, the target subject-object-verb
  with adjectives after it and relative clauses before; some adverbs open a target sentence, some close it;
- *agreement*: target adjectives, articles and verbs agree with the gender of a noun, which its source word
  does not show, and with its number; a target object carries a case ending;
- *ambiguity*: a share of the source nouns is one word for two concepts; which one is meant follows from the
  verb, whose class prefers nouns of its own class, but not always.

The difficulty is that of the parameters of `Grammar`. The idea of a synchronous grammar is that of Aho and
Ullman 1969, doi:10.1016/S0022-0000(69)80006-1.
"""

import random
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

CLASSES = 4  # kinds of noun that verbs tell apart
_ONSETS = ("b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "br", "dr", "kl", "st", "tr")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ou")
_CODAS = ("", "", "n", "r", "s", "l", "m")
_TARGET_ONSETS = ("ch", "j", "l", "m", "n", "ñ", "q", "rr", "s", "sh", "t", "w", "x", "y", "z", "gw", "ts")
_TARGET_VOWELS = ("a", "á", "e", "i", "o", "ö", "u", "ü")


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """The parameters that decide how hard the two languages are."""

    nouns: int = 6000
    verbs: int = 2000
    adjectives: int = 1500
    adverbs: int = 400
    prepositions: int = 24
    zipf: float = 1.1  # exponent of the frequencies of words
    ambiguous: float = 0.2  # share of the nouns that share their source word with another
    loyal: float = 0.8  # probability that a verb's object is of its class
    relative: float = 0.15  # probability of a relative clause on a noun
    phrase: float = 0.2  # probability of a prepositional phrase on a verb


@dataclass(frozen=True)
class Word:
    """One concept: its word in both languages and its role in the grammar."""

    source: str
    target: str
    gender: int
    kind: int  # of a noun, the class it belongs to; of a verb, the class it prefers


class _Class:
    """Words of one class, drawn by Zipf's law."""

    def __init__(self, words: Sequence[Word], zipf: float) -> None:
        self.words = words
        self.sums = list(accumulate((rank + 1) ** -zipf for rank in range(len(words))))

    def draw(self, rng: random.Random) -> Word:
        return self.words[bisect(self.sums, rng.random() * self.sums[-1])]


class Languages:
    """Both languages: vocabularies from the seed, sentences from a stream of random numbers."""

    def __init__(self, grammar: Grammar, seed: int) -> None:
        rng = random.Random(f"languages/{seed}")
        self.grammar = grammar
        sources, targets = _Speller(rng, _ONSETS, _VOWELS), _Speller(rng, _TARGET_ONSETS, _TARGET_VOWELS)

        def words(count: int) -> list[Word]:
            return [
                Word(sources.new(), targets.new(), rng.randrange(3), rng.randrange(CLASSES))
                for _ in range(count)
            ]

        nouns = words(grammar.nouns)
        for i in rng.sample(range(grammar.nouns // 2), int(grammar.nouns * grammar.ambiguous / 2)):
            # two concepts of different classes in one source word
            first, second = nouns[2 * i], nouns[2 * i + 1]
            kind = (first.kind + 1 + rng.randrange(CLASSES - 1)) % CLASSES
            nouns[2 * i + 1] = Word(first.source, second.target, second.gender, kind)
        self.nouns = _Class(nouns, grammar.zipf)
        self.by_kind = [_Class([n for n in nouns if n.kind == kind], grammar.zipf) for kind in range(CLASSES)]
        self.verbs = _Class(words(grammar.verbs), grammar.zipf)
        self.adjectives = _Class(words(grammar.adjectives), grammar.zipf)
        self.adverbs = _Class(words(grammar.adverbs), grammar.zipf)
        self.prepositions = _Class(words(grammar.prepositions), grammar.zipf)

    def sentences(self, seed: int) -> Iterator[tuple[str, str]]:
        """Draw sentences without end.

        Args:
            seed: Decides every sentence.

        Yields:
            Pairs (source, target).
        """
        rng = random.Random(f"sentences/{seed}")
        while True:
            source, target = self._sentence(rng)
            yield " ".join(source), " ".join(target)

    def _sentence(self, rng: random.Random) -> tuple[list[str], list[str]]:
        verb, past = self.verbs.draw(rng), rng.random() < 0.4
        subject, plural, gender = self._noun_phrase(rng, self.nouns, case="", depth=0)
        source, target = list(subject[0]), list(subject[1])
        ending = ("ed" if past else "") + ("" if plural else "s")
        source.append(verb.source + ending)
        # an object in three of four
        if rng.random() < 0.75:
            kinds = self.by_kind[verb.kind] if rng.random() < self.grammar.loyal else self.nouns
            phrase, _, _ = self._noun_phrase(rng, kinds, case="k", depth=0)
            source += phrase[0]
            target += phrase[1]
        if rng.random() < self.grammar.phrase:
            preposition = self.prepositions.draw(rng)
            phrase, _, _ = self._noun_phrase(rng, self.nouns, case="m", depth=1)
            source += [preposition.source, *phrase[0]]
            target += [*phrase[1], preposition.target]
        target.append(verb.target + "aeo"[gender] + ("ri" if plural else "") + ("tu" if past else ""))
        if rng.random() < 0.3:
            adverb = self.adverbs.draw(rng)
            source.append(adverb.source)
            target = [adverb.target, *target] if adverb.kind % 2 else [*target, adverb.target]
        return source, target

    def _noun_phrase(
        self, rng: random.Random, nouns: _Class, *, case: str, depth: int
    ) -> tuple[tuple[list[str], list[str]], bool, int]:
        noun, plural, definite = nouns.draw(rng), rng.random() < 0.3, rng.random() < 0.6
        number, mark = ("z" if plural else ""), "aeo"[noun.gender]
        source = ["the" if definite else "some" if plural else "a"]
        after = []
        for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
            adjective = self.adjectives.draw(rng)
            source.append(adjective.source)
            after.append(adjective.target + mark + number)
        source.append(noun.source + number)
        target = [("l" if definite else "n") + mark + number, noun.target + number + case, *after]
        if depth == 0 and rng.random() < self.grammar.relative:
            verb = self.verbs.draw(rng)
            kinds = self.by_kind[verb.kind] if rng.random() < self.grammar.loyal else self.nouns
            phrase, _, _ = self._noun_phrase(rng, kinds, case="k", depth=1)
            source += ["that", verb.source + ("" if plural else "s"), *phrase[0]]
            target = [*phrase[1], verb.target + "nu", *target]
        return (source, target), plural, noun.gender


class _Speller:
    """New words of two or three syllables, none twice."""

    def __init__(self, rng: random.Random, onsets: Sequence[str], vowels: Sequence[str]) -> None:
        self.rng, self.onsets, self.vowels = rng, onsets, vowels
        self.used: set[str] = set()

    def new(self) -> str:
        while True:
            syllables = self.rng.choice((2, 2, 3))
            word = "".join(
                self.rng.choice(self.onsets) + self.rng.choice(self.vowels) + self.rng.choice(_CODAS)
                for _ in range(syllables)
            )
            if word not in self.used:
                self.used.add(word)
                return word
