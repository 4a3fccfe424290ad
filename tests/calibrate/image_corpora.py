"""Images for tests: a folder of classes, and the files of CIFAR and MNIST as they are distributed."""

import gzip
from pathlib import Path

import numpy as np
from PIL import Image

RNG = np.random.default_rng(0)


def picture(path: Path, color: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = RNG.integers(0, 40, (50, 70, 3)).astype(np.uint8)
    noise[..., color] += 200
    Image.fromarray(noise).save(path)


def folder(root: Path) -> Path:
    for i in range(50):
        picture(root / "red" / f"{i}.png", 0)
        picture(root / "blue" / "deep" / f"{i}.jpg", 2)
    return root


def cifar(root: Path, labels: int = 1) -> Path:
    root.mkdir(parents=True)
    names = ["train.bin", "test.bin"] if labels == 2 else [f"data_batch_{i}.bin" for i in range(1, 6)]
    for name in [*names, *([] if labels == 2 else ["test_batch.bin"])]:
        count = 150 if name == "train.bin" else 30
        records = RNG.integers(0, 256, (count, labels + 3072)).astype(np.uint8)
        records[:, :labels] = RNG.integers(0, 10, (count, labels))
        (root / name).write_bytes(records.tobytes())
    (root / ("fine_label_names.txt" if labels == 2 else "batches.meta.txt")).write_text(
        "\n".join(f"class{i}" for i in range(100 if labels == 2 else 10)) + "\n"
    )
    return root


def mnist(root: Path, packed: bool) -> Path:
    root.mkdir(parents=True)
    for part, count in (("train", 90), ("t10k", 30)):
        files = {
            "images-idx3": bytes((0, 0, 8, 3))
            + np.array([count, 28, 28], ">u4").tobytes()
            + RNG.integers(0, 256, count * 784).astype(np.uint8).tobytes(),
            "labels-idx1": bytes((0, 0, 8, 1))
            + np.array([count], ">u4").tobytes()
            + (np.arange(count) % 10).astype(np.uint8).tobytes(),
        }
        for name, content in files.items():
            path = root / f"{part}-{name}-ubyte{'.gz' if packed else ''}"
            path.write_bytes(gzip.compress(content) if packed else content)
    return root
