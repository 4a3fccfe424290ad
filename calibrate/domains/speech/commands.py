"""Spoken commands to a house, a phone and a car: sentences from a grammar of about 200 words.

An easier corpus than prose: few words, each in many sentences. A sentence is drawn from `GRAMMAR`, in which
a word in capitals stands for one of its alternatives. All alternatives are equally likely, so the words of
short lists (numbers, rooms) are frequent and those of long lists (names, places) are rare.
"""

import random

COUNT = 20_000  # distinct sentences
MAX_WORDS = 14
GRAMMAR: dict[str, tuple[str, ...]] = {
    "COMMAND": (
        "SWITCH", "SWITCH please", "please SWITCH", "SET", "SET please", "CALL", "CALL WHEN", "PLAY",
        "PLAY in the ROOM", "DRIVE", "DRIVE WHEN", "REMIND", "LIST", "ASK", "SWITCH and SWITCH",
        "SET and PLAY",
    ),
    "SWITCH": (
        "turn on the DEVICE", "turn off the DEVICE", "turn on the DEVICE in the ROOM",
        "turn off the DEVICE in the ROOM", "make the ROOM DEGREE", "open the OPENING in the ROOM",
        "close the OPENING in the ROOM", "lock the OPENING WHEN",
    ),
    "SET": (
        "set a timer for NUMBER minutes", "set an alarm for TIME", "wake me up at TIME",
        "set the heating in the ROOM to NUMBER degrees", "set the volume to NUMBER",
        "start a timer for NUMBER hours and NUMBER minutes",
    ),
    "CALL": (
        "call NAME", "call my RELATIVE", "send a message to NAME",
        "tell NAME that i will be NUMBER minutes late", "ask my RELATIVE to buy FOOD",
        "invite NAME and NAME to dinner",
    ),
    "PLAY": (
        "play some KIND music", "play the ORDINAL song again", "skip NUMBER songs",
        "play the news from PLACE",
    ),
    "DRIVE": (
        "take me to PLACE", "how far is it to PLACE", "drive to PLACE and then to PLACE",
        "find a BUILDING near PLACE", "avoid the road to PLACE",
    ),
    "REMIND": (
        "remind me to TASK WHEN", "remind NAME to TASK", "write down that i must TASK WHEN",
        "put a meeting with NAME into my calendar WHEN",
    ),
    "LIST": (
        "add FOOD to the shopping list", "add NUMBER bottles of FOOD to the shopping list",
        "remove FOOD from the list", "order FOOD and FOOD for DAY",
    ),
    "ASK": (
        "what is the weather like in PLACE DAY", "what time is it in PLACE",
        "how many days are left until MONTH", "what is NUMBER times NUMBER", "will it rain in PLACE WHEN",
    ),
    "DEVICE": ("light", "heater", "radio", "television", "fan", "oven", "camera"),
    "ROOM": ("kitchen", "bedroom", "bathroom", "garage", "garden", "office"),
    "OPENING": ("door", "window", "gate", "curtains"),
    "DEGREE": ("warmer", "colder", "brighter", "darker"),
    "WHEN": ("DAY", "DAY at TIME", "at TIME", "in NUMBER minutes", "before DAY", "in MONTH", "now"),
    "DAY": (
        "today", "tomorrow", "tonight", "on monday", "on tuesday", "on wednesday", "on thursday",
        "on friday", "on saturday", "on sunday",
    ),
    "MONTH": ("january", "march", "april", "august", "october", "december"),
    "TIME": (
        "NUMBER", "half past SMALL", "a quarter past SMALL", "NUMBER minutes to SMALL", "noon", "midnight",
    ),
    "NUMBER": ("SMALL", "SMALL", "SMALL", "ten", "eleven", "twelve", "fifteen", "TENS", "TENS SMALL"),
    "SMALL": ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "TENS": ("twenty", "thirty", "forty", "fifty"),
    "ORDINAL": ("first", "second", "third", "last"),
    "NAME": ("anna", "boris", "david", "emily", "hassan", "julian", "maria", "robert", "sophie", "thomas"),
    "RELATIVE": ("mother", "father", "sister", "brother"),
    "PLACE": (
        "london", "paris", "madrid", "vienna", "cairo", "boston", "sydney", "the airport", "the station",
        "the museum",
    ),
    "BUILDING": ("restaurant", "pharmacy", "hotel", "library"),
    "KIND": ("classical", "happy", "slow", "french", "dance"),
    "FOOD": ("milk", "bread", "butter", "apples", "coffee", "rice", "chocolate", "orange juice"),
    "TASK": (
        "water the plants", "pay the rent", "feed the cat", "wash the car", "buy FOOD", "write to NAME",
        "clean the ROOM",
    ),
}  # fmt: skip


def sentences() -> tuple[str, ...]:
    """Return sentences of the grammar, sorted; the same on every machine.

    Returns:
        `COUNT` distinct sentences of at most `MAX_WORDS` words.
    """
    rng = random.Random("commands")
    drawn: set[str] = set()
    while len(drawn) < COUNT:
        sentence = _expanded("COMMAND", rng)
        if sentence.count(" ") < MAX_WORDS:
            drawn.add(sentence)
    return tuple(sorted(drawn))


def _expanded(word: str, rng: random.Random) -> str:
    if word not in GRAMMAR:
        return word
    return " ".join(_expanded(piece, rng) for piece in rng.choice(GRAMMAR[word]).split())
