"""Prepare a corpus of images with classes: drawn or decoded once, split, cached as plain arrays."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibrate.data.files import check_source, files_below
from calibrate.data.prepared import damaged, description, first_left_out, once
from calibrate.domains.image import glyphs
from calibrate.domains.image.image_files import Pixels, find_images
from calibrate.types import Corpus, ReportProgress
from laws.errors import CorpusError, use

LAYOUT = 1  # increased when files or pixels change, so that caches of earlier versions are made again
MAX_UNUSABLE_SHARE = 0.5  # of the files read, above which a corpus is refused


def prepare(
    *,
    cache: Path,
    source: Path | None,
    available: float,
    validation: float,
    seed: int,
    report: ReportProgress,
    follows: Path | None = None,
) -> Corpus:
    """Draw the embedded corpus, or decode the one in `source`, once into `cache`.

    The validation set is the source's own where it has one; no image of it is in the training set.

    Args:
        cache: The folder of all prepared corpora.
        source: A folder of images, or None for the embedded corpus.
        available: Training images; a source with fewer is used whole.
        validation: Validation images.
        seed: Decides which images, and their order.
        report: Takes what is being done, and the share of it that is done.
        follows: Folder of a smaller prepared corpus, whose mean and deviation this one takes over; None for
            its own.

    Returns:
        The prepared corpus.

    Raises:
        CorpusError: The source cannot be used.
    """
    skipped: dict[str, str] = {}
    key = _stamps(source) if source else (version("pillow"), version("matplotlib"))
    counts = {"validation": int(validation), "training": int(available)}

    def make(folder: Path) -> dict[str, Any]:
        if source:
            described = _read(folder, source, counts, seed=seed, skipped=skipped, report=report)
        else:
            described = _draw(folder, counts, seed=seed, report=report)
        return described | scaling

    scaling = {name: description(follows)[name] for name in ("mean", "deviation")} if follows else {}
    content = (LAYOUT, available, validation, seed, key, *([follows.name] if follows else []))
    corpus = once(cache, "images", content, make)
    return replace(corpus, guessing=_chance_level(read_split(corpus.folder, "validation")[1]))


def _chance_level(classes: NDArray[np.int16]) -> dict[str, float]:
    """Return the scores of a model that knows only how often each class occurs."""
    shares = np.sort(np.bincount(classes) / len(classes))[::-1]
    present = shares[shares > 0]
    scores = {
        "error": 1 - present[0],
        "top5-error": 1 - present[:5].sum(),
        "loss": -(present * np.log(present)).sum(),
    }
    return {metric: float(value) for metric, value in scores.items() if value > 1e-9}


def read_split(
    folder: Path, split: str, count: float | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Map a split of a corpus into memory.

    Args:
        folder: The folder of a prepared corpus.
        split: "training" or "validation".
        count: How many images from the start; None for all.

    Returns:
        Images (n, channels, side, side) and their classes (n,).

    Raises:
        CorpusError: Its files are damaged (code "damaged-corpus").
    """
    try:
        images = np.load(folder / f"{split}.npy", mmap_mode="c")
        classes = np.load(folder / f"{split}-classes.npy", mmap_mode="c")
    except (OSError, ValueError, EOFError) as error:
        raise damaged(folder, error) from None
    if (
        images.dtype != np.uint8
        or images.ndim != 4
        or classes.dtype != np.int16
        or len(classes) != len(images)
    ):
        raise damaged(folder, f"{split}.npy and its classes do not belong together")
    end = len(images) if count is None else int(count)
    return images[:end], classes[:end]


def _stamps(source: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of every file: what the content of a source follows from."""
    check_source(source, "a folder of images")
    paths = files_below(source, {}) if source.is_dir() else []
    return [(str(p), (stat := p.stat()).st_size, stat.st_mtime_ns) for p in paths]


def _draw(folder: Path, counts: dict[str, int], *, seed: int, report: ReportProgress) -> dict[str, Any]:
    done, total = 0, sum(counts.values())
    digests = []

    def progress(count: int) -> None:
        report("drawing images", (done + count) / total)

    for stream, (split, count) in enumerate(counts.items()):
        images, classes = glyphs.images(count, (seed, stream), progress)
        np.save(folder / f"{split}.npy", images)
        np.save(folder / f"{split}-classes.npy", classes)
        digests.append(hashlib.sha256(images.tobytes() + classes.tobytes()).hexdigest())
        done += count
    return _described(images, list(glyphs.stencils()[0]), digests, {})


def _described(
    images: NDArray[np.uint8], classes: list[str], digests: list[str], skipped: dict[str, str]
) -> dict[str, Any]:
    sample = images[:: max(1, len(images) // 4096)].astype(np.float64) / 255
    return {
        "fingerprint": hashlib.sha256(" ".join(digests).encode()).hexdigest(),
        "available": len(images),
        "classes": classes,
        "channels": images.shape[1],
        "side": images.shape[2],
        "mean": sample.mean((0, 2, 3)).tolist(),
        "deviation": np.maximum(sample.std((0, 2, 3)), 1e-3).tolist(),
        "skipped": skipped,
        "notes": [f"{len(classes)} classes, images of {images.shape[2]} x {images.shape[2]} pixels."],
    }


def _read(
    folder: Path,
    source: Path,
    counts: dict[str, int],
    *,
    seed: int,
    skipped: dict[str, str],
    report: ReportProgress,
) -> dict[str, Any]:
    images = find_images(source, skipped)
    rng = np.random.default_rng(seed)
    training = images.training.read(rng.permutation(images.training.count))
    own = images.validation
    validation = own.read(rng.permutation(own.count)) if own else training
    splits = {"validation": validation, "training": training}
    validated: set[bytes] = set()
    digests = []
    done, total = 0, min(sum(counts.values()), images.training.count)
    for split, count in counts.items():
        digest = hashlib.sha256()
        classes: list[int] = []
        # written as they come and then mapped: a large corpus does not fit into memory
        with (folder / f"{split}.raw").open("wb") as file:
            for pixels, label in _disjoint(splits[split], validated, training=split == "training"):
                file.write(pixels.tobytes())
                digest.update(pixels.tobytes() + bytes((label % 256, label // 256)))
                classes.append(label)
                done += 1
                report(f"decoding {source}", min(1.0, done / total))
                if len(classes) >= count:
                    break
        _check_skipped(source, skipped, done)
        if not classes or (split == "validation" and len(classes) < count):
            raise CorpusError(
                f"corpus {source} has {len(classes):,} usable images for {split}: expected {count:,}",
                code="corpus-too-small",
                value=len(classes),
                expected=f"{count:,} images",
                hint=use("preset", purpose="to choose a smaller preset, or give more images"),
            )
        raw = np.memmap(folder / f"{split}.raw", np.uint8, "r").reshape(
            -1, images.channels, images.side, images.side
        )
        np.save(folder / f"{split}.npy", raw)
        np.save(folder / f"{split}-classes.npy", np.array(classes, np.int16))
        (folder / f"{split}.raw").unlink()
        digests.append(digest.hexdigest())
    return _described(raw, list(images.classes), digests, skipped)


def _disjoint(
    images: Iterator[tuple[Pixels, int]], validated: set[bytes], *, training: bool
) -> Iterator[tuple[Pixels, int]]:
    """Yield the images; for training, those whose pixels are not in the validation set."""
    for pixels, label in images:
        digest = hashlib.sha256(pixels.tobytes()).digest()
        if not training:
            validated.add(digest)
        elif digest in validated:
            continue
        yield pixels, label


def _check_skipped(source: Path, skipped: dict[str, str], used: int) -> None:
    """Refuse a source that is mostly broken."""
    if len(skipped) > used * MAX_UNUSABLE_SHARE / (1 - MAX_UNUSABLE_SHARE):
        raise CorpusError(
            f"corpus {source}: {len(skipped)} files cannot be used and {used} can; "
            f"{first_left_out(source, skipped)}",
            code="mostly-unreadable",
            value=len(skipped),
        )
