"""Sentences of a small grammar, the easier embedded corpus: a model needs little speech to learn 230 words.

A sentence is TIME? WHO ADVERB? VERB THING WHERE?, such as "on monday our doctor sold the red bicycle". Each
part is drawn independently, so a word says little about the next one: a model has to hear it.

    WHO     DETERMINER ADJECTIVE? PERSON
    THING   DETERMINER ADJECTIVE? OBJECT
    WHERE   PREPOSITION DETERMINER ADJECTIVE? PLACE
"""

import random
import re

COUNT = 40_000  # different sentences: about 36 hours of speech

# A part, then its words, with commas where a phrase has several. Prepared corpora are cached by the corpus's
# name: other words or another order need another name in `corpus.EMBEDDED`.
_GRAMMAR = """
TIME: on monday, on tuesday, on wednesday, on thursday, on friday, on saturday, on sunday, in january,
    in march, in april, in june, in july, in august, in october, in december, yesterday, today, finally,
    later, once, last week, this morning, before lunch, after dinner
DETERMINER: the, a, my, your, our, their, every, one, another
ADJECTIVE: old, young, tall, quiet, happy, tired, famous, clever, lazy, brave, gentle, angry, red, blue,
    green, yellow, white, black, small, large, heavy, broken, empty, clean, cheap, strange, wooden, golden,
    plain, perfect, simple, modern
PERSON: teacher, doctor, farmer, painter, singer, driver, baker, captain, neighbor, student, lawyer, sailor,
    writer, dancer, soldier, nurse, butcher, child, mother, father, brother, sister, uncle, friend, stranger,
    visitor, guest, king, queen, tailor, hunter, banker
ADVERB: slowly, quickly, never, often, always, almost, gladly, nearly, quietly
VERB: bought, sold, found, lost, carried, painted, washed, opened, closed, watched, moved, fixed, broke, hid,
    kept, forgot, borrowed, returned, counted, dropped, followed, described, touched, wanted, needed, liked,
    admired, ordered, brought, cleaned, measured, noticed
OBJECT: bicycle, window, table, letter, basket, bottle, mirror, hammer, ladder, candle, pencil, carpet,
    blanket, engine, camera, guitar, piano, picture, newspaper, book, box, knife, spoon, plate, cup, coat,
    shirt, shoe, hat, ring, watch, clock, lamp, chair, door, key, wheel, rope, boat, wagon, tent, bag, bell,
    bread, cheese, orange, potato, chicken, horse, rabbit
PREPOSITION: near, behind, inside, under, beyond, outside, across, beside
PLACE: station, market, garden, kitchen, river, bridge, forest, village, castle, harbor, mountain, library,
    office, school, church, museum, hotel, theater, factory, island, valley, airport, cellar, tower, street,
    park, field, beach, lake, barn
"""
_WORDS = {
    part: re.split(r",\s+", words.strip()) for part, words in re.findall(r"([A-Z]+): ([^A-Z]+)", _GRAMMAR)
}


def sentences() -> tuple[str, ...]:
    """Return the sentences that a seeded generator draws from the grammar.

    Returns:
        `COUNT` different sentences of 5 to 14 words, lower-case, in the order drawn; the same on every call.
    """
    rng = random.Random(0)
    drawn: dict[str, None] = {}
    while len(drawn) < COUNT:
        drawn[_sentence(rng)] = None
    return tuple(drawn)


def _sentence(rng: random.Random) -> str:
    where = ("PREPOSITION", "DETERMINER", "ADJECTIVE?", "PLACE") if rng.random() < 1 / 2 else ()
    who, thing = ("DETERMINER", "ADJECTIVE?", "PERSON"), ("DETERMINER", "ADJECTIVE?", "OBJECT")
    parts = ("TIME?", *who, "ADVERB?", "VERB", *thing, *where)
    return " ".join(
        rng.choice(_WORDS[part.rstrip("?")])
        for part in parts
        if not part.endswith("?") or rng.random() < 1 / 3
    )
