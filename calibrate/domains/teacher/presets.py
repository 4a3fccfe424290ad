"""The row of the teacher in the table of domains."""

from calibrate.types import Domain, Preset, doubling

# Adam at smaller rates leaves narrow networks without part of what they saw after 60 passes, which bends the
# curve as a floor does: at width 16 and 3e-3 errors were .27 on 256 examples and .050 on 8,192, at 1e-2 they
# were .15 and .044.
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
        "error": "probability of a wrong label for a key drawn anew, over all keys",
        "loss": "mean cross-entropy of a key drawn anew; of keys never seen by a sample of them",
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
