"""The language models of words and of characters: metadata and presets."""

from calibrate.types import Domain, Preset, doubling

_WINDOWS = "each window of {window} {unit} is read with no memory of the text before it"

WORD_LM = Domain(
    name="word-lm",
    metrics={"loss": "nats/word", "perplexity": "choices"},
    data_unit="words",
    families=("lstm2", "lstm4", "rhn", "transformer"),
    optimizers=("adam",),
    corpus="English words of the standard library's docstrings, comments and help topics",
    definitions={
        "parameters": "all trainable parameters, embedding and output layer included",
        "sample": "one word, a number or the end of a passage; repeats of the same text are counted",
        "loss": "mean cross-entropy of the validation set, unknown words among its classes; "
        + _WINDOWS.format(window=64, unit="words"),
        "perplexity": "exp of the loss: the number of equally likely words that are as hard to tell apart",
    },
    module="calibrate.domains.language.word_lm",
    presets={
        "smoke": Preset(
            shards=doubling(2**11, 3),
            validation=2**11,
            sizes={"lstm2": (8, 16), "lstm4": (8, 16), "rhn": (8, 16), "transformer": (8, 16)},
            learning_rates={"adam": (1e-2,)},
            batch_sizes=(8,),
            draws=1,
            epochs=4,
            max_samples=2**14,
            time_limit=60,
            families=("lstm2", "transformer"),
        ),
        "quick": Preset(
            shards=doubling(2**14, 5),
            validation=2**13,
            sizes={
                "lstm2": (16, 32, 64, 128),
                "lstm4": (16, 32, 64, 128),
                "rhn": (16, 32, 64, 128),
                "transformer": (16, 32, 64, 128),
            },
            learning_rates={"adam": (5e-3,)},
            family_rates={"transformer": {"adam": (2e-3,)}},
            batch_sizes=(4,),
            draws=1,
            epochs=4,
            max_samples=2**20,
            time_limit=1200,
            families=("lstm2",),
        ),
        "laptop": Preset(
            shards=doubling(2**13, 6),
            validation=2**14,
            sizes={
                "lstm2": (16, 32, 64, 128),
                "lstm4": (16, 32, 64, 128),
                "rhn": (16, 32, 64, 128),
                "transformer": (16, 32, 64, 128),
            },
            learning_rates={"adam": (5e-3,)},
            family_rates={"transformer": {"adam": (2e-3,)}},
            batch_sizes=(4,),
            draws=1,
            epochs=4,
            max_samples=2**20,
            time_limit=3600,
        ),
        "reduced": Preset(
            shards=doubling(2**13, 7),
            validation=2**15,
            sizes={
                "lstm2": (32, 64, 128, 256, 512),
                "lstm4": (32, 64, 128, 256, 512),
                "rhn": (32, 64, 128, 256, 512),
                "transformer": (32, 64, 128, 256, 512),
            },
            learning_rates={"adam": (1e-3, 2e-3, 4e-3)},
            batch_sizes=(16, 32),
            draws=2,
            epochs=40,
            max_samples=2**23,
            time_limit=1800,
        ),
        "full": Preset(
            shards=doubling(2**16, 12),
            validation=2**18,
            sizes={
                "lstm2": (64, 128, 256, 512, 1024, 2048),
                "lstm4": (64, 128, 256, 512, 1024, 2048),
                "rhn": (64, 128, 256, 512, 1024, 2048),
                "transformer": (64, 128, 256, 512, 1024, 2048),
            },
            learning_rates={"adam": (3e-4, 1e-3, 3e-3)},
            batch_sizes=(32, 64, 128),
            draws=4,
            epochs=40,
            max_samples=2**29,
            seeds=3,
            time_limit=6 * 3600,
        ),
    },
)

_ARCHITECTURES = ("rhn", "lstm", "transformer")
_OPTIMIZERS = ("sgd", "adam")
_FAMILIES = tuple(
    f"{architecture}-{optimizer}" for architecture in _ARCHITECTURES for optimizer in _OPTIMIZERS
)


def _sizes(*sizes: int) -> dict[str, tuple[int, ...]]:
    return dict.fromkeys(_FAMILIES, sizes)


# Transformers need smaller rates than recurrent networks: at width 64 on 33 thousand characters, Adam reached
# 3.56, 3.59, 3.85 bits with rates of 1e-3, 3e-3, 1e-2, and momentum 3.63, 3.67 with 0.03, 0.1.
_RATE_FACTORS = {"transformer": {"sgd": 1 / 20, "adam": 1 / 5}}


def _rates(*, sgd: tuple[float, ...], adam: tuple[float, ...]) -> dict[str, dict[str, tuple[float, ...]]]:
    rates = {"sgd": sgd, "adam": adam}
    by_family = {}
    for family in _FAMILIES:
        architecture, _, optimizer = family.rpartition("-")
        factor = _RATE_FACTORS.get(architecture, {}).get(optimizer, 1.0)
        by_family[family] = {optimizer: tuple(factor * rate for rate in rates[optimizer])}
    return by_family


CHAR_LM = Domain(
    name="char-lm",
    metrics={"loss": "bits/character"},
    data_unit="characters",
    families=_FAMILIES,
    optimizers=_OPTIMIZERS,
    corpus="the source of Python's standard library",
    definitions={
        "parameters": "all trainable parameters, embedding and output layer included",
        "sample": "one character; repeats of the same text are counted",
        "loss": "mean cross-entropy of the validation set in bits, unknown characters among its classes; "
        + _WINDOWS.format(window=128, unit="characters"),
    },
    module="calibrate.domains.language.char_lm",
    presets={
        "smoke": Preset(
            shards=doubling(2**12, 3),
            validation=2**12,
            sizes=_sizes(8, 16),
            learning_rates={},
            family_rates=_rates(sgd=(0.5,), adam=(1e-2,)),
            batch_sizes=(8,),
            draws=1,
            epochs=4,
            max_samples=2**15,
            time_limit=60,
            families=("lstm-sgd", "lstm-adam"),
        ),
        "quick": Preset(
            shards=doubling(2**15, 5),
            validation=2**15,
            sizes=_sizes(32, 64, 128),
            learning_rates={},
            family_rates=_rates(sgd=(1.0,), adam=(1e-2,)),
            batch_sizes=(8,),
            draws=1,
            epochs=24,
            max_samples=2**21,
            time_limit=1200,
            families=("lstm-adam",),
        ),
        "laptop": Preset(
            shards=doubling(2**13, 6),
            validation=2**15,
            sizes=_sizes(32, 64, 128),
            learning_rates={},
            family_rates=_rates(sgd=(1.0,), adam=(1e-2,)),
            batch_sizes=(8,),
            draws=1,
            epochs=8,
            max_samples=2**21,
            time_limit=3600,
        ),
        "reduced": Preset(
            shards=doubling(2**15, 8),
            validation=2**17,
            sizes=_sizes(32, 64, 128, 256, 512),
            learning_rates={},
            family_rates=_rates(sgd=(0.2, 0.5, 1.0), adam=(1e-3, 2e-3, 4e-3)),
            batch_sizes=(16, 32),
            draws=2,
            epochs=40,
            max_samples=2**24,
            time_limit=1800,
        ),
        "full": Preset(
            shards=doubling(2**18, 12),
            validation=2**20,
            sizes=_sizes(64, 128, 256, 512, 1024, 2048),
            learning_rates={},
            family_rates=_rates(sgd=(0.1, 0.3, 1.0), adam=(3e-4, 1e-3, 3e-3)),
            batch_sizes=(32, 64, 128),
            draws=4,
            epochs=40,
            max_samples=2**31,
            seeds=3,
            time_limit=6 * 3600,
        ),
    },
)
