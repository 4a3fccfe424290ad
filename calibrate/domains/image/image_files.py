"""Read images with their classes: a folder per class, or the files of CIFAR and MNIST as distributed.

A file of a folder that cannot be used is left out under its name; a damaged file of CIFAR or MNIST is
refused. Nothing is unpickled: of CIFAR, the binary version is read.

Sources: CIFAR-10 and CIFAR-100, Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images";
MNIST and its idx format, LeCun et al. 1998, doi:10.1109/5.726791.
"""

import gzip
import warnings
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from calibrate.data.decoding import SharedLimit, quiet_decoders, reason, return_memory
from calibrate.data.files import check_source, files_below
from laws.errors import CorpusError

SIDE = 64  # pixels that the images of a folder are scaled to
MAX_PIXELS = 89_478_485  # of one image, and of those decoded at a time: Pillow's limit for a bomb
MAX_ARRAY_BYTES = 3 * 2**28  # of one file of CIFAR or MNIST, unpacked; the largest, EMNIST's, has 0.55e9

# Only these are opened, by content: Pillow would start Ghostscript for EPS under any name.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
_TRAINING, _VALIDATION = ("train", "training"), ("val", "valid", "validation", "test")
_CIFAR_SIDE = 32
_CIFAR_TRAINING_FILES = 5
_MAX_CLASSES = 256  # a class is one byte
_DECODED_TOGETHER = 256  # files
_LARGE_PIXELS = 2**22  # of an image whose memory is returned at once

_EXPECTED = "a folder with one folder of images per class, CIFAR's binary version or MNIST"
_pixels = SharedLimit(MAX_PIXELS)

Pixels = NDArray[np.uint8]  # (channels, side, side)


@dataclass(frozen=True)
class ImageSet:
    """Images that can be read one after the other in any order.

    Args:
        count: The number of images.
        read: Indices (n,) -> images (channels, side, side) with their classes, in that order.
    """

    count: int
    read: Callable[[NDArray[np.int64]], Iterator[tuple[Pixels, int]]]


@dataclass(frozen=True)
class ImageSource:
    """The images that a source holds.

    Args:
        classes: Their names.
        channels: 3 for color, 1 for gray.
        side: Pixels.
        training: The training images.
        validation: The source's own validation set, or None.
    """

    classes: tuple[str, ...]
    channels: int
    side: int
    training: ImageSet
    validation: ImageSet | None


def find_images(source: Path, skipped: dict[str, str]) -> ImageSource:
    """Return the images of a folder.

    Args:
        source: A folder with a folder per class, or with the files of CIFAR or MNIST.
        skipped: Takes files that cannot be used, name -> reason, when they are read.

    Returns:
        The images, not read yet.

    Raises:
        CorpusError: There are none, or a file of CIFAR or MNIST is not whole.
    """
    check_source(source, _EXPECTED)
    if not source.is_dir():
        raise CorpusError(f"corpus {source} is a file: expected {_EXPECTED}", code="not-a-folder")
    files = {path.name: path for path in files_below(source, skipped, base=source)}
    if "test_batch.bin" in files or "data_batch_1.bin" in files:
        names = [f"data_batch_{i}.bin" for i in range(1, _CIFAR_TRAINING_FILES + 1)]
        return _cifar(source, files, names, "test_batch.bin", "batches.meta.txt", labels=1)
    if {"train.bin", "test.bin"} <= set(files):
        return _cifar(source, files, ["train.bin"], "test.bin", "fine_label_names.txt", labels=2)
    if {"data_batch_1", "test_batch"} <= set(files) or {"train", "test", "meta"} <= set(files):
        raise CorpusError(
            f"corpus {source} is CIFAR's Python version, which is pickled, and nothing is unpickled here: "
            "expected the binary version from the same page",
            code="pickled-corpus",
        )
    if any("idx3-ubyte" in name for name in files):
        return _mnist(source, files)
    return _folders(source, skipped)


def _folders(source: Path, skipped: dict[str, str]) -> ImageSource:
    inside = {path.name.lower(): path for path in source.iterdir() if path.is_dir()}
    training = next((inside[name] for name in _TRAINING if name in inside), None)
    validation = next((inside[name] for name in _VALIDATION if name in inside), None) if training else None

    def images(folder: Path) -> list[Path]:
        return files_below(folder, skipped, suffixes=_SUFFIXES, base=source) if folder.is_dir() else []

    files = {folder.name: images(folder) for folder in sorted((training or source).iterdir())}
    classes = tuple(name for name, paths in files.items() if paths)
    if len(classes) < 2:
        unread = next((f"; {name}: {why}" for name, why in skipped.items()), "")
        raise CorpusError(
            f"corpus {source}: expected one folder of images for each of at least 2 classes, got "
            f"{len(classes)}; images are {' '.join(sorted(_SUFFIXES))}{unread}",
            code="too-few-classes",
            value=len(classes),
        )
    labeled = [(path, label) for label, name in enumerate(classes) for path in files[name]]
    held = [
        (path, label)
        for label, name in enumerate(classes if validation else ())
        for path in images((validation or source) / name)
    ]
    read = partial(_decoded, source=source, skipped=skipped)
    return ImageSource(
        classes=classes,
        channels=3,
        side=SIDE,
        training=ImageSet(len(labeled), partial(read, labeled)),
        validation=ImageSet(len(held), partial(read, held)) if held else None,
    )


def _decoded(
    labeled: list[tuple[Path, int]], order: NDArray[np.int64], *, source: Path, skipped: dict[str, str]
) -> Iterator[tuple[Pixels, int]]:
    with ThreadPoolExecutor() as pool:
        for first in range(0, len(order), _DECODED_TOGETHER):
            batch = [labeled[i] for i in order[first : first + _DECODED_TOGETHER]]
            # filters are the process's, not a thread's; sizes are checked without warnings
            with warnings.catch_warnings(), quiet_decoders():
                warnings.simplefilter("ignore")
                images = list(pool.map(_decode, [path for path, _ in batch]))
            for (path, label), image in zip(batch, images, strict=True):
                if isinstance(image, str):
                    skipped[str(path.relative_to(source))] = image
                else:
                    yield image, label


def _decode(path: Path) -> Pixels | str:
    """Return the middle of an image in color, SIDE pixels wide and high, or why it cannot be used."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            size = image.width * image.height
            if size > MAX_PIXELS:
                return f"{size:,} pixels: expected at most {MAX_PIXELS:,}"
            with _pixels.reserve(size):
                pixels = _scaled(image.convert("RGB"))
                image.close()
                if size > _LARGE_PIXELS:
                    return_memory()
                return pixels
    except Exception as error:  # decoders raise errors of a dozen types on damaged files
        return f"not readable: {reason(error)}".replace(f" {str(path)!r}", "")


def _scaled(color: Image.Image) -> Pixels:
    side = min(color.size)
    left, top = (color.width - side) / 2, (color.height - side) / 2
    box = (left, top, left + side, top + side)
    small = color.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box, reducing_gap=3.0)
    return np.ascontiguousarray(np.asarray(small).transpose(2, 0, 1))


def _cifar(
    source: Path, files: dict[str, Path], training: list[str], validation: str, names: str, *, labels: int
) -> ImageSource:
    """Read records of `labels` bytes, the last of them the class, and 3 x 32 x 32 bytes."""
    missing = [name for name in (*training, validation) if name not in files]
    if missing:
        raise CorpusError(
            f"corpus {source}: CIFAR's {', '.join(missing)} is missing: unpack it again", code="missing-file"
        )
    classes = _class_names(files[names]) if names in files else ()
    count = len(classes) or (10 if labels == 1 else 100)
    records = {name: _cifar_records(files[name], labels, count) for name in (*training, validation)}
    # the five files of the training set are as long as the test set, or one file five times as long
    lengths = {name: len(rows) for name, rows in records.items()}
    for name in training:
        lengths[name] = lengths[name] * len(training) // _CIFAR_TRAINING_FILES
    shortest = min(lengths, key=lambda name: lengths[name])
    if lengths[shortest] < max(lengths.values()):
        raise CorpusError(
            f"{files[shortest]} has fewer records than CIFAR's other files: it was cut", code="cut-file"
        )

    def images(parts: list[str]) -> ImageSet:
        rows = np.concatenate([records[name] for name in parts])
        pixels = rows[:, labels:].reshape(-1, 3, _CIFAR_SIDE, _CIFAR_SIDE)
        return _from_arrays(pixels, rows[:, labels - 1])

    return ImageSource(
        classes=classes or tuple(map(str, range(count))),
        channels=3,
        side=_CIFAR_SIDE,
        training=images(training),
        validation=images([validation]),
    )


def _cifar_records(path: Path, labels: int, classes: int) -> NDArray[np.uint8]:
    """Return the records of one file (n, bytes), checked."""
    record = labels + 3 * _CIFAR_SIDE**2
    _check_size(path, path.stat().st_size)
    content = np.fromfile(path, np.uint8)
    if not len(content) or len(content) % record:
        raise CorpusError(
            f"{path} has {len(content):,} bytes: expected a multiple of CIFAR's {record:,}; it was cut",
            code="cut-file",
        )
    rows = content.reshape(-1, record)
    _check_labels(path, rows[:, labels - 1], classes)
    return rows


def _class_names(path: Path) -> tuple[str, ...]:
    """Return the names of the classes, one per line."""
    _check_size(path, path.stat().st_size)
    try:
        names = tuple(path.read_text(encoding="utf-8").split())
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path} is not UTF-8 at byte {error.start:,}: unpack it again", code="not-utf-8"
        ) from None
    if len(names) > _MAX_CLASSES:
        raise CorpusError(
            f"{path} names {len(names):,} classes: expected at most {_MAX_CLASSES}", code="too-many-classes"
        )
    return names


def _mnist(source: Path, files: dict[str, Path]) -> ImageSource:
    """Read idx files, compressed or not: a header of big-endian numbers, then bytes."""

    def path_of(part: str, content: str) -> Path:
        paths = [path for name, path in files.items() if part in name and content.rpartition("s-")[2] in name]
        if not paths:
            raise CorpusError(
                f"corpus {source}: MNIST's {part}-{content} is missing: fetch it again", code="missing-file"
            )
        return paths[0]

    parts = []
    label_files = []
    for name in ("train", "t10k" if any("t10k" in name for name in files) else "test"):
        label_files.append(path_of(name, "labels-idx1-ubyte"))
        pixels, labels = _idx(path_of(name, "images-idx3-ubyte"), 3), _idx(label_files[-1], 1)
        if len(pixels) != len(labels):
            raise CorpusError(
                f"corpus {source}: {len(pixels):,} images and {len(labels):,} labels of {name} do not belong "
                "together",
                code="different-lengths",
            )
        if pixels.shape[1] != pixels.shape[2]:
            raise CorpusError(f"corpus {source}: images of {name} are not square", code="not-square")
        parts.append((pixels[:, None], labels))
    classes = np.unique(parts[0][1])
    gap = np.flatnonzero(np.diff(classes) > 1)
    # MNIST's relatives have other numbers of classes, and no gap between them
    count = int(classes[gap[0]] if len(gap) else classes[-1]) + 1
    for path, (_, labels) in zip(label_files, parts, strict=True):
        _check_labels(path, labels, count)
    return ImageSource(
        classes=tuple(map(str, range(count))),
        channels=1,
        side=parts[0][0].shape[2],
        training=_from_arrays(*parts[0]),
        validation=_from_arrays(*parts[1]),
    )


def _idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Return the bytes of an idx file, shaped as its header says; no more is unpacked than it promises."""
    header_size = 4 * (1 + dimensions)
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            header = file.read(header_size)
            if len(header) < header_size or header[:4] != bytes((0, 0, 8, dimensions)):
                raise CorpusError(
                    f"{path} does not begin as an idx file of bytes in {dimensions} dimensions does",
                    code="not-idx",
                )
            shape = tuple(int(size) for size in np.frombuffer(header[4:], ">u4"))
            expected = int(np.prod(shape, dtype=object))
            _check_size(path, expected)
            content = file.read(expected + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CorpusError(
            f"{path} cannot be unpacked ({reason(error)}): fetch it again", code="not-unpacked"
        ) from None
    if len(content) != expected or not expected:
        size = f"more than {expected:,}" if len(content) > expected else f"{len(content):,}"
        raise CorpusError(
            f"{path} holds {size} bytes: its header says {expected:,}; it was cut", code="cut-file"
        )
    return np.frombuffer(content, np.uint8).reshape(shape)


def _check_size(path: Path, size: int) -> None:
    """Refuse a file that would fill the memory."""
    if size > MAX_ARRAY_BYTES:
        raise CorpusError(
            f"{path} holds {size:,} bytes: expected at most {MAX_ARRAY_BYTES:,}", code="too-large", value=size
        )


def _check_labels(path: Path, labels: NDArray[np.uint8], count: int) -> None:
    wrong = np.flatnonzero(labels >= count)
    if len(wrong):
        raise CorpusError(
            f"{path}: record {wrong[0] + 1} has class {labels[wrong[0]]}: expected 0 to {count - 1}",
            code="unknown-class",
        )


def _from_arrays(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> ImageSet:
    def read(order: NDArray[np.int64]) -> Iterator[tuple[Pixels, int]]:
        for index in order:
            yield pixels[index], int(labels[index])

    return ImageSet(len(labels), read)
