"""Prepare a corpus of images with classes: drawn or decoded once, split, cached as plain arrays."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibrate.data.prepared import damaged, first_left_out, once
from calibrate.domains.image import glyphs
from calibrate.domains.image import image_files as imagefiles
from calibrate.domains.image.image_files import Pixels
from calibrate.types import Corpus, ReportProgress
from laws.errors import PlannerError

LAYOUT = 1  # raised when files or pixels change: a cache made by an earlier version is then made anew
_USABLE = 0.5  # share of the files read below which a corpus is refused


def prepare(
    *,
    cache: Path,
    source: Path | None,
    available: float,
    validation: float,
    seed: int,
    report: ReportProgress,
) -> Corpus:
    """Draw the embedded corpus, or decode the one in `source`, once into `cache`; amounts in images.

    The validation set is the source's own where it has one; no image of it is in the training set. A source
    with less than `available` images is used whole. Raises PlannerError where a source cannot be used.
    """
    skipped: dict[str, str] = {}
    key = _stamps(source) if source else (version("pillow"), version("matplotlib"))
    asked_for = {"validation": int(validation), "training": int(available)}

    def make(folder: Path) -> dict[str, Any]:
        if source:
            return _read(folder, source, asked_for, seed=seed, skipped=skipped, report=report)
        return _draw(folder, asked_for, seed=seed, report=report)

    corpus = once(cache, "images", (LAYOUT, available, validation, seed, key), make)
    return replace(corpus, guessing=_guessing(read(corpus.folder, "validation")[1]))


def _guessing(classes: NDArray[np.int16]) -> dict[str, float]:
    """Return what naming the commonest classes for every image scores, and their shares as probabilities."""
    shares = np.sort(np.bincount(classes) / len(classes))[::-1]
    some = shares[shares > 0]
    found = {"error": 1 - some[0], "top5-error": 1 - some[:5].sum(), "loss": -(some * np.log(some)).sum()}
    return {metric: float(value) for metric, value in found.items() if value > 1e-9}


def read(folder: Path, part: str, count: float | None = None) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Map images (n, channels, side, side) and their classes into memory, or the first `count` of them."""
    try:
        images = np.load(folder / f"{part}.npy", mmap_mode="c")
        classes = np.load(folder / f"{part}-classes.npy", mmap_mode="c")
    except (OSError, ValueError, EOFError) as error:
        raise damaged(folder, error) from None
    if (
        images.dtype != np.uint8
        or images.ndim != 4
        or classes.dtype != np.int16
        or len(classes) != len(images)
    ):
        raise damaged(folder, f"{part}.npy and its classes do not belong together")
    end = len(images) if count is None else int(count)
    return images[:end], classes[:end]


def _stamps(source: Path) -> list[tuple[str, int, int]]:
    if not source.exists():
        raise PlannerError(f"--data {source} does not exist: give a folder of images")
    paths = (path for path in sorted(source.rglob("*")) if path.is_file())
    return [(str(p), (stat := p.stat()).st_size, stat.st_mtime_ns) for p in paths]


def _draw(folder: Path, asked_for: dict[str, int], *, seed: int, report: ReportProgress) -> dict[str, Any]:
    done, whole = 0, sum(asked_for.values())
    digests = []

    def drawn(count: int) -> None:
        report("drawing images", (done + count) / whole)

    for stream, (part, count) in enumerate(asked_for.items()):
        images, classes = glyphs.images(count, (seed, stream), drawn)
        np.save(folder / f"{part}.npy", images)
        np.save(folder / f"{part}-classes.npy", classes)
        digests.append(hashlib.sha256(images.tobytes() + classes.tobytes()).hexdigest())
        done += count
    return _described(images, list(glyphs.stencils()[0]), digests, {})


def _described(
    images: NDArray[np.uint8], classes: list[str], digests: list[str], skipped: dict[str, str]
) -> dict[str, Any]:
    some = images[:: max(1, len(images) // 4096)].astype(np.float64) / 255
    return {
        "fingerprint": hashlib.sha256(" ".join(digests).encode()).hexdigest(),
        "available": len(images),
        "classes": classes,
        "channels": images.shape[1],
        "side": images.shape[2],
        "mean": some.mean((0, 2, 3)).tolist(),
        "deviation": np.maximum(some.std((0, 2, 3)), 1e-3).tolist(),
        "skipped": skipped,
        "notes": [f"{len(classes)} classes, images of {images.shape[2]} x {images.shape[2]} pixels."],
    }


def _read(
    folder: Path,
    source: Path,
    asked_for: dict[str, int],
    *,
    seed: int,
    skipped: dict[str, str],
    report: ReportProgress,
) -> dict[str, Any]:
    found = imagefiles.find(source, skipped)
    rng = np.random.default_rng(seed)
    training = found.training.read(rng.permutation(found.training.count))
    held_out = found.held_out.read(rng.permutation(found.held_out.count)) if found.held_out else training
    sources = {"validation": held_out, "training": training}
    seen: set[bytes] = set()
    digests = []
    done, most = 0, min(sum(asked_for.values()), found.training.count)
    for part, count in asked_for.items():
        digest = hashlib.sha256()
        classes: list[int] = []
        with (folder / f"{part}.raw").open("wb") as file:
            for pixels, label in _others(sources[part], seen, learning=part == "training"):
                file.write(pixels.tobytes())
                digest.update(pixels.tobytes() + bytes((label % 256, label // 256)))
                classes.append(label)
                done += 1
                report(f"decoding {source}", min(1.0, done / most))
                if len(classes) >= count:
                    break
        _check_skipped(source, skipped, done)
        if not classes or (part == "validation" and len(classes) < count):
            raise PlannerError(
                f"--data {source} holds {len(classes):,} usable images for {part}, and {count:,} were "
                "wanted: choose a smaller preset or give more images"
            )
        raw = np.memmap(folder / f"{part}.raw", np.uint8, "r").reshape(
            -1, found.channels, found.side, found.side
        )
        np.save(folder / f"{part}.npy", raw)
        np.save(folder / f"{part}-classes.npy", np.array(classes, np.int16))
        (folder / f"{part}.raw").unlink()
        digests.append(digest.hexdigest())
    return _described(raw, list(found.classes), digests, skipped)


def _others(
    images: Iterator[tuple[Pixels, int]], seen: set[bytes], *, learning: bool
) -> Iterator[tuple[Pixels, int]]:
    """Yield the images; when learning, those that validation did not see."""
    for pixels, label in images:
        digest = hashlib.sha256(pixels.tobytes()).digest()
        if not learning:
            seen.add(digest)
        elif digest in seen:
            continue
        yield pixels, label


def _check_skipped(source: Path, skipped: dict[str, str], used: int) -> None:
    """Refuse a source that is mostly broken."""
    if len(skipped) > used * (1 - _USABLE) / _USABLE:
        raise PlannerError(
            f"--data {source}: {len(skipped)} files cannot be used and {used} can; "
            f"{first_left_out(source, skipped)}; mend the corpus and run again"
        )
