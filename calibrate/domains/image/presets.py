"""Image classification: metadata and presets."""

from calibrate.types import Domain, Preset, doubling

_RESNETS = ("resnet10", "resnet18", "resnet34")


def _sizes(resnet: tuple[int, ...], vit: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {**dict.fromkeys(_RESNETS, resnet), "vit": vit}


IMAGE = Domain(
    name="image",
    metrics={"error": "fraction", "top5-error": "fraction", "loss": "nats/image"},
    data_unit="images",
    families=(*_RESNETS, "vit"),
    optimizers=("adam",),
    corpus="128 characters of DejaVu and STIX fonts, distorted, cluttered and noisy",
    definitions={
        "parameters": "all trainable parameters",
        "sample": "one training image; repeats of the same image are counted",
        "error": "share of the validation set whose class is not the best guess (top-1)",
        "top5-error": "share of the validation set whose class is not among the five best guesses",
        "loss": "mean cross-entropy of the validation set",
    },
    module="calibrate.domains.image.task",
    presets={
        "smoke": Preset(
            shards=doubling(256, 3),
            validation=512,
            sizes=_sizes((2, 4), (8, 16)),
            learning_rates={"adam": (1e-2,)},
            batch_sizes=(32,),
            draws=1,
            epochs=2,
            max_samples=2**12,
            time_limit=60,
            families=("resnet10", "vit"),
        ),
        "quick": Preset(
            shards=doubling(1024, 5),
            validation=2048,
            sizes=_sizes((4, 8, 16), (32, 64, 128)),
            learning_rates={"adam": (1e-2,)},
            family_rates={"vit": {"adam": (2e-3,)}},
            batch_sizes=(32,),
            draws=1,
            epochs=12,
            max_samples=3 * 2**15,
            time_limit=1200,
            families=("resnet10",),
        ),
        "laptop": Preset(
            shards=doubling(256, 6),
            validation=2**12,
            sizes=_sizes((2, 4, 8, 16), (8, 16, 32, 64)),
            learning_rates={"adam": (1e-2,)},
            family_rates={"vit": {"adam": (2e-3,)}},
            batch_sizes=(32,),
            draws=1,
            epochs=12,
            max_samples=12 * 2**13,
            time_limit=3600,
        ),
        "reduced": Preset(
            shards=doubling(1024, 8),
            validation=2**14,
            sizes=_sizes((8, 16, 32, 64), (64, 128, 256, 512)),
            learning_rates={"adam": (1e-3, 3e-3, 1e-2)},
            batch_sizes=(64, 128),
            draws=2,
            epochs=32,
            max_samples=2**21,
            time_limit=1800,
        ),
        "full": Preset(
            shards=doubling(1024, 11),
            validation=2**15,
            sizes=_sizes((8, 16, 32, 64, 128), (64, 128, 256, 512, 1024)),
            learning_rates={"adam": (3e-4, 1e-3, 3e-3)},
            batch_sizes=(64, 128, 256),
            draws=4,
            epochs=64,
            max_samples=2**25,
            seeds=3,
            time_limit=6 * 3600,
        ),
    },
)
