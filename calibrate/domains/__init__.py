"""The table of domains: what the command line says of each without importing torch.

A new domain is one row here and one module that offers the functions of `calibrate.types.DomainCode`. A
domain that somebody else wrote is a file with both (`--domain path/to/file.py`), or an entry point of an
installed package.
"""

from collections.abc import Callable
from typing import cast

from calibrate.modules import FILE, load
from calibrate.rows.image import IMAGE
from calibrate.rows.language import CHAR_LM, WORD_LM
from calibrate.rows.translation import TRANSLATION
from calibrate.types import Domain, DomainCode, Preset, doubling
from laws.errors import PlannerError

__all__ = ["DOMAINS", "SPEECH", "TEACHER", "code", "doubling", "named"]

SPEECH = Domain(
    name="speech",
    metrics={"wer": "fraction", "cer": "fraction", "loss": "nats/character"},
    data_unit="hours",
    families=("ds2",),
    optimizers=("adam",),
    corpus="English sentences of the standard library's documentation, spoken by espeak-ng in many voices",
    definitions={
        "parameters": "all trainable parameters",
        "sample": "hours of training speech; passes over the same speech are counted again",
        "wer": "substituted, inserted, missing words over words of the validation set, greedy decoding",
        "cer": "character errors over characters of the validation set, spaces included, greedy decoding",
        "loss": "CTC loss over characters of the validation set",
    },
    module="calibrate.domains.speech",
    version=2,
    presets={
        "smoke": Preset(
            shards=doubling(1 / 60, 3),
            validation=1 / 60,
            sizes={"ds2": (16, 32)},
            learning_rates={"adam": (3e-3,)},
            batch_sizes=(8,),
            draws=1,
            epochs=2,
            max_samples=0.2,
            time_limit=60,
        ),
        "quick": Preset(
            shards=doubling(1 / 16, 5),
            validation=0.2,
            sizes={"ds2": (64, 128, 192)},
            learning_rates={"adam": (3e-3,)},
            batch_sizes=(4,),
            draws=1,
            epochs=12,
            max_samples=16,
            time_limit=3600,
        ),
        "reduced": Preset(
            shards=doubling(1 / 8, 7),
            validation=0.5,
            sizes={"ds2": (64, 128, 256, 512)},
            learning_rates={"adam": (1e-3, 2e-3)},
            batch_sizes=(16, 32),
            draws=2,
            epochs=16,
            max_samples=128,
            time_limit=1800,
        ),
        "full": Preset(
            shards=doubling(1 / 4, 11),
            validation=4,
            sizes={"ds2": (64, 128, 256, 512, 1024, 2048)},
            learning_rates={"adam": (3e-4, 1e-3, 2e-3)},
            batch_sizes=(16, 32, 64),
            draws=4,
            epochs=16,
            max_samples=4096,
            seeds=3,
            time_limit=6 * 3600,
        ),
    },
)

TEACHER = Domain(
    name="teacher",
    metrics={"error": "fraction", "loss": "nats"},
    data_unit="examples",
    families=("mlp",),
    optimizers=("adam", "sgd"),
    corpus="keys with a Zipf distribution and a random label each: a task whose exponents theory gives",
    definitions={
        "parameters": "all trainable parameters",
        "sample": "one key with its label; passes over the same example are counted again",
        "error": "share of the validation set with a wrong label",
        "loss": "mean cross-entropy of the validation set",
    },
    module="calibrate.domains.teacher",
    version=2,
    presets={
        "smoke": Preset(
            shards=doubling(128, 3),
            validation=2**14,
            sizes={"mlp": (8, 32)},
            learning_rates={"adam": (1e-2,)},
            batch_sizes=(64,),
            draws=1,
            epochs=20,
            max_samples=2**14,
            time_limit=60,
        ),
        "quick": Preset(
            shards=doubling(256, 6),
            validation=2**18,
            sizes={"mlp": (8, 16, 32, 64)},
            learning_rates={"adam": (3e-3, 1e-2)},
            batch_sizes=(128, 256),
            draws=2,
            epochs=60,
            max_samples=2**20,
            seeds=2,
            time_limit=120,
        ),
        "reduced": Preset(
            shards=doubling(256, 9),
            validation=2**20,
            sizes={"mlp": (8, 16, 32, 64, 128, 256)},
            learning_rates={"adam": (1e-3, 3e-3, 1e-2)},
            batch_sizes=(128, 256),
            draws=3,
            epochs=60,
            max_samples=2**23,
            seeds=3,
            time_limit=600,
        ),
        "full": Preset(
            shards=doubling(256, 10),
            validation=2**20,
            sizes={"mlp": (8, 16, 32, 64, 128, 256, 512)},
            learning_rates={"adam": (1e-3, 3e-3, 1e-2), "sgd": (0.03, 0.1, 0.3)},
            batch_sizes=(128, 256, 512),
            draws=6,
            epochs=60,
            max_samples=2**25,
            seeds=4,
            time_limit=3600,
        ),
    },
)

DOMAINS = {domain.name: domain for domain in (SPEECH, TRANSLATION, WORD_LM, CHAR_LM, IMAGE, TEACHER)}


INSTALLED = "planner.domains"  # the group of entry points under which packages offer a `Domain`


def named(name: str) -> Domain:
    """Return the domain of that name, of a file's path, or of an entry point; importing the latter two.

    Raises PlannerError with the known ones where there is none, or where a file holds no domain.
    """
    if name in DOMAINS:
        return DOMAINS[name]
    if name.endswith(FILE):
        return _own(name, lambda: getattr(load(name), "DOMAIN", None))
    from importlib.metadata import entry_points  # ten milliseconds that no other command has to spend

    installed = {point.name: point for point in entry_points(group=INSTALLED)}
    if name in installed:
        return _own(f"the installed domain {name}", installed[name].load)
    raise PlannerError(f"no domain is called {name!r}; known are {', '.join((*DOMAINS, *installed))}")


def _own(where: str, read: Callable[[], object]) -> Domain:
    """Return the domain that code of somebody else offers, checked."""
    try:
        found = read()
    except Exception as error:  # whatever it is: the code is not ours
        first = str(error).strip().split("\n")[0]
        raise PlannerError(f"{where} cannot be loaded ({type(error).__name__}: {first})") from error
    if not isinstance(found, Domain):
        raise PlannerError(f"{where}: wanted DOMAIN, a calibrate.types.Domain; see docs/extending.md")
    if found.name in DOMAINS:
        raise PlannerError(
            f"{where} calls itself {found.name!r}, as a domain here does: give it another name"
        )
    return found


def code(domain: Domain) -> DomainCode:
    """Import the module of a domain, torch with it."""
    return cast(DomainCode, load(domain.module))
