"""The teacher, a task whose learning curve theory gives: metadata and presets."""

from calibrate.types import Domain, Preset, doubling

# With smaller rates of Adam, narrow networks have not learned all their examples after 60 epochs, which bends
# the curve as a floor does: at width 16, errors on 256 and 8,192 examples were .27 and .050 with a rate of
# 3e-3, .15 and .044 with 1e-2.
TEACHER = Domain(
    name="teacher",
    metrics={"error": "fraction", "loss": "nats"},
    data_unit="examples",
    families=("mlp",),
    optimizers=("adam", "sgd"),
    corpus="keys with a Zipf distribution and a random label each: a task whose exponents theory gives",
    definitions={
        "parameters": "all trainable parameters",
        "sample": "one key with its label; repeats of the same example are counted",
        "error": "probability of a wrong label for a new key, over all keys",
        "loss": "mean cross-entropy of a new key; for keys that are in no example, of a sample of them",
    },
    module="calibrate.domains.teacher.task",
    version=3,
    presets={
        "smoke": Preset(
            shards=doubling(128, 3),
            validation=2**12,
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
            validation=2**12,
            sizes={"mlp": (8, 16, 32, 64)},
            learning_rates={"adam": (1e-2,)},
            batch_sizes=(64, 128),
            draws=2,
            epochs=60,
            max_samples=2**20,
            seeds=5,
            time_limit=120,
        ),
        "laptop": Preset(
            shards=doubling(256, 7),
            validation=2**12,
            sizes={"mlp": (8, 16, 32, 64, 128)},
            learning_rates={"adam": (1e-2,)},
            batch_sizes=(64, 128),
            draws=2,
            epochs=60,
            max_samples=60 * 2**14,
            seeds=5,
            time_limit=600,
        ),
        "reduced": Preset(
            shards=doubling(256, 9),
            validation=2**12,
            sizes={"mlp": (8, 16, 32, 64, 128, 256)},
            learning_rates={"adam": (3e-3, 1e-2)},
            batch_sizes=(128, 256),
            draws=3,
            epochs=60,
            max_samples=2**23,
            seeds=5,
            time_limit=600,
        ),
        "full": Preset(
            shards=doubling(256, 10),
            validation=2**12,
            sizes={"mlp": (8, 16, 32, 64, 128, 256, 512)},
            learning_rates={"adam": (3e-3, 1e-2), "sgd": (0.03, 0.1, 0.3)},
            batch_sizes=(128, 256, 512),
            draws=6,
            epochs=60,
            max_samples=2**25,
            seeds=5,
            time_limit=3600,
        ),
    },
)
