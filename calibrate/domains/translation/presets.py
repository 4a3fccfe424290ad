"""Translation: metadata and presets."""

from calibrate.types import Domain, Preset, doubling

TRANSLATION = Domain(
    name="translation",
    metrics={"token-error": "fraction", "loss": "nats/sub-word token", "unbleu": "fraction"},
    data_unit="sub-word tokens",
    families=("lstm-attention", "transformer"),
    optimizers=("adam",),
    corpus="sentences of two made-up languages, drawn from one stochastic synchronous grammar",
    definitions={
        "parameters": "all trainable parameters, embeddings and output layer included",
        "sample": "one sub-word token of target text, the end of a sentence counted as one; repeats of "
        "the same pairs are counted",
        "token-error": "share of the target tokens of the validation set that are not the likeliest one, "
        "given the true ones before them",
        "loss": "mean cross-entropy of the target tokens of the validation set, given the true ones before "
        "them",
        "unbleu": "1 - BLEU (between 0 and 1) of 128 greedily translated sentences of the validation set",
    },
    module="calibrate.domains.translation.task",
    presets={
        "smoke": Preset(
            shards=doubling(2**10, 3),
            validation=2**10,
            sizes={"lstm-attention": (8, 16), "transformer": (8, 16)},
            learning_rates={"adam": (1e-2,)},
            batch_sizes=(8,),
            draws=1,
            epochs=3,
            max_samples=2**13,
            time_limit=60,
        ),
        "quick": Preset(
            shards=doubling(2**13, 5),
            validation=2**13,
            sizes={"lstm-attention": (32, 64, 128), "transformer": (32, 64, 128)},
            learning_rates={"adam": (4e-3,)},
            family_rates={"transformer": {"adam": (2e-3,)}},
            batch_sizes=(16,),
            draws=1,
            epochs=12,
            max_samples=12 * 2**17,
            time_limit=1200,
            families=("lstm-attention",),
        ),
        "laptop": Preset(
            shards=doubling(2**12, 6),
            validation=2**14,
            sizes={"lstm-attention": (16, 32, 64, 128), "transformer": (16, 32, 64, 128)},
            learning_rates={"adam": (4e-3,)},
            family_rates={"transformer": {"adam": (2e-3,)}},
            batch_sizes=(16,),
            draws=1,
            epochs=12,
            max_samples=12 * 2**17,
            time_limit=3600,
        ),
        "reduced": Preset(
            shards=doubling(2**14, 8),
            validation=2**15,
            sizes={"lstm-attention": (64, 128, 256, 512), "transformer": (64, 128, 256, 512)},
            learning_rates={"adam": (1e-3, 2e-3, 4e-3)},
            batch_sizes=(32, 64),
            draws=2,
            epochs=20,
            max_samples=2**24,
            time_limit=1800,
        ),
        "full": Preset(
            shards=doubling(2**16, 11),
            validation=2**17,
            sizes={
                "lstm-attention": (64, 128, 256, 512, 1024, 2048),
                "transformer": (64, 128, 256, 512, 1024, 2048),
            },
            learning_rates={"adam": (3e-4, 1e-3, 3e-3)},
            batch_sizes=(32, 64, 128),
            draws=4,
            epochs=20,
            max_samples=2**29,
            seeds=3,
            time_limit=6 * 3600,
        ),
    },
)
