"""Read images with their classes: a folder for each class, or the files of CIFAR and MNIST as distributed.

Whatever cannot be used of a folder is left out under the name of its file; a damaged file of CIFAR or MNIST
is refused. Nothing is unpickled: of CIFAR the binary version is read.
"""

import gzip
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from laws.errors import PlannerError

SIDE = 64  # pixels that the images of a folder are brought to
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
_TRAINING, _HELD_OUT = ("train", "training"), ("val", "valid", "validation", "test")
_CIFAR = 32
_WAVE = 256  # files decoded together

Pixels = NDArray[np.uint8]  # (channels, side, side)


@dataclass(frozen=True)
class Labeled:
    """Images that can be read one after the other in any order."""

    count: int
    read: Callable[[NDArray[np.int64]], Iterator[tuple[Pixels, int]]]  # places -> images with their classes


@dataclass(frozen=True)
class Found:
    """What a source holds."""

    classes: tuple[str, ...]
    channels: int
    side: int
    training: Labeled
    held_out: Labeled | None  # a set that the source itself keeps for validation


def find(source: Path, skipped: dict[str, str]) -> Found:
    """Return the images of a folder; unusable files go to `skipped`, name -> reason, when they are read.

    Raises PlannerError where there are none, or where a file of CIFAR or MNIST is not whole.
    """
    if not source.is_dir():
        raise PlannerError(f"--data {source}: wanted a folder with one folder for each class, CIFAR or MNIST")
    files = {path.name: path for path in sorted(source.rglob("*")) if path.is_file()}
    if "test_batch.bin" in files or "data_batch_1.bin" in files:
        names = [f"data_batch_{i}.bin" for i in range(1, 6)]
        return _cifar(source, files, names, "test_batch.bin", "batches.meta.txt", labels=1)
    if {"train.bin", "test.bin"} <= set(files):
        return _cifar(source, files, ["train.bin"], "test.bin", "fine_label_names.txt", labels=2)
    if {"data_batch_1", "test_batch"} <= set(files) or {"train", "test", "meta"} <= set(files):
        raise PlannerError(
            f"--data {source}: this is CIFAR's Python version, which is pickled, and nothing is unpickled "
            "here: bring the binary version of the same page"
        )
    if any("idx3-ubyte" in name for name in files):
        return _mnist(source, files)
    return _folders(source, skipped)


def _folders(source: Path, skipped: dict[str, str]) -> Found:
    inside = {path.name.lower(): path for path in source.iterdir() if path.is_dir()}
    training = next((inside[name] for name in _TRAINING if name in inside), None)
    held_out = next((inside[name] for name in _HELD_OUT if name in inside), None) if training else None
    root = training or source
    files = {
        folder.name: [p for p in sorted(folder.rglob("*")) if p.suffix.lower() in _SUFFIXES and p.is_file()]
        for folder in sorted(root.iterdir())
        if folder.is_dir()
    }
    classes = tuple(name for name, paths in files.items() if paths)
    if len(classes) < 2:
        raise PlannerError(
            f"--data {source}: wanted one folder of images for each of at least 2 classes, found "
            f"{len(classes)}; images are {' '.join(sorted(_SUFFIXES))}"
        )
    places = [(path, label) for label, name in enumerate(classes) for path in files[name]]
    held = None
    if held_out:
        held = [
            (path, label)
            for label, name in enumerate(classes)
            for path in sorted((held_out / name).rglob("*"))
            if path.suffix.lower() in _SUFFIXES and path.is_file()
        ]
    read = partial(_decoded, source=source, skipped=skipped)
    return Found(
        classes=classes,
        channels=3,
        side=SIDE,
        training=Labeled(len(places), partial(read, places)),
        held_out=Labeled(len(held), partial(read, held)) if held else None,
    )


def _decoded(
    places: list[tuple[Path, int]], order: NDArray[np.int64], *, source: Path, skipped: dict[str, str]
) -> Iterator[tuple[Pixels, int]]:
    with ThreadPoolExecutor() as pool:
        for first in range(0, len(order), _WAVE):
            wave = [places[i] for i in order[first : first + _WAVE]]
            for (path, label), image in zip(wave, pool.map(_decode, [p for p, _ in wave]), strict=True):
                if isinstance(image, str):
                    skipped[str(path.relative_to(source))] = image
                else:
                    yield image, label


def _decode(path: Path) -> Pixels | str:
    """Return the middle of an image in color, SIDE pixels wide and high, or why it cannot be used."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                color = image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        return " ".join(f"not readable: {error}".replace(f" {str(path)!r}", "").split())
    side = min(color.size)
    left, top = (color.width - side) / 2, (color.height - side) / 2
    box = (left, top, left + side, top + side)
    small = color.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box, reducing_gap=3.0)
    return np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))


def _cifar(
    source: Path, files: dict[str, Path], training: list[str], held_out: str, names: str, *, labels: int
) -> Found:
    """Read records of `labels` bytes, the last of them the class, and 3 x 32 x 32 bytes."""
    missing = [name for name in (*training, held_out) if name not in files]
    if missing:
        raise PlannerError(f"--data {source}: CIFAR's {', '.join(missing)} is missing: unpack it again")
    record = labels + 3 * _CIFAR**2
    known = files[names].read_text(encoding="utf-8").split() if names in files else []
    count = len(known) or (10 if labels == 1 else 100)

    lengths: dict[Path, int] = {}

    def part(wanted: list[str]) -> Labeled:
        rows = []
        for name in wanted:
            content = np.fromfile(files[name], np.uint8)
            if not len(content) or len(content) % record:
                raise PlannerError(
                    f"{files[name]} has {len(content):,} bytes, no multiple of CIFAR's {record:,}: it was cut"
                )
            rows.append(content.reshape(-1, record))
            _check_labels(files[name], rows[-1][:, labels - 1], count)
            # the five parts of the training set are as long as the test set, or one file five times
            lengths[files[name]] = len(rows[-1]) * len(training) // (5 if name in training else len(training))
        whole = np.concatenate(rows)
        return _from_arrays(whole[:, labels:].reshape(-1, 3, _CIFAR, _CIFAR), whole[:, labels - 1])

    found = Found(
        classes=tuple(known) or tuple(map(str, range(count))),
        channels=3,
        side=_CIFAR,
        training=part(training),
        held_out=part([held_out]),
    )
    shortest = min(lengths, key=lambda path: lengths[path])
    if lengths[shortest] < max(lengths.values()):
        raise PlannerError(f"{shortest} has fewer records than CIFAR's other files: it was cut")
    return found


def _mnist(source: Path, files: dict[str, Path]) -> Found:
    """Read idx files: a header of big-endian numbers and bytes behind it; compressed or not."""

    def one(part: str, what: str) -> Path:
        found = [path for name, path in files.items() if part in name and what.rpartition("s-")[2] in name]
        if not found:
            raise PlannerError(f"--data {source}: MNIST's {part}-{what} is missing: fetch it again")
        return found[0]

    parts = []
    paths: dict[str, Path] = {}
    for name in ("train", "t10k" if any("t10k" in name for name in files) else "test"):
        paths[name] = one(name, "labels-idx1-ubyte")
        pixels, labels = _idx(one(name, "images-idx3-ubyte"), 3), _idx(paths[name], 1)
        if len(pixels) != len(labels):
            raise PlannerError(
                f"--data {source}: {len(pixels):,} images and {len(labels):,} labels of {name}: they do not "
                "belong together"
            )
        if pixels.shape[1] != pixels.shape[2]:
            raise PlannerError(f"--data {source}: images of {name} are not square")
        parts.append((pixels[:, None], labels))
    train, test = paths.values()
    classes = np.unique(parts[0][1])
    gap = np.flatnonzero(np.diff(classes) > 1)
    # the classes of MNIST's relatives have other numbers, and no gap between them
    count = int(classes[gap[0]] if len(gap) else classes[-1]) + 1
    _check_labels(train, parts[0][1], count)
    _check_labels(test, parts[1][1], count)
    return Found(
        classes=tuple(map(str, range(count))),
        channels=1,
        side=parts[0][0].shape[2],
        training=_from_arrays(*parts[0]),
        held_out=_from_arrays(*parts[1]),
    )


def _idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise PlannerError(f"{path} cannot be unpacked ({error}): fetch it again") from None
    header = 4 * (1 + dimensions)
    if len(content) < header or content[:4] != bytes((0, 0, 8, dimensions)):
        raise PlannerError(f"{path} does not begin as an idx file of bytes in {dimensions} dimensions does")
    shape = tuple(int(size) for size in np.frombuffer(content[4:header], ">u4"))
    promised = int(np.prod(shape, dtype=np.int64))
    if len(content) - header != promised or not promised:
        raise PlannerError(
            f"{path} holds {len(content) - header:,} bytes, its header says {promised:,}: it was cut"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def _check_labels(path: Path, labels: NDArray[np.uint8], count: int) -> None:
    wrong = np.flatnonzero(labels >= count)
    if len(wrong):
        raise PlannerError(
            f"{path}: record {wrong[0] + 1} has class {labels[wrong[0]]}, and there are {count} from 0 on"
        )


def _from_arrays(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> Labeled:
    def read(order: NDArray[np.int64]) -> Iterator[tuple[Pixels, int]]:
        for place in order:
            yield pixels[place], int(labels[place])

    return Labeled(len(labels), read)
