"""The embedded corpus of images: characters of many fonts, distorted, cluttered and noisy.

The fonts are DejaVu and STIX, which come with matplotlib; Pillow draws them. Their number is unlimited, and
no two are the same; the same seed and index give the same image.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from laws.errors import EngineError, MissingInput

CLASSES = 128
SIDE = 20  # pixels
_CANDIDATES = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghijklmnqrtuy"
    "ΓΔΘΛΞΠΣΦΨΩαβγδεζηθλμξπρστφχψω"
    "БГДЖЗИЙЛУЦЧШЩЪЫЭЮЯбвгджзийклнцшщъыэюя"
    "&@%#$+=<>?!√∞∫≈≠∂∇∈⊂∪"
)
_FACES = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique",
    "DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique",
    "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic",
    "STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta",
)  # fmt: skip
_MISSING = "\uffff"  # no font has this character: fonts draw it as they draw all characters that they lack
_EM = 30  # size of the letters on their stencils, pixels
_STENCIL = 40
_BLOCK = 1024  # images whose random numbers come from one stream
_DISTORTED = 5.0  # pixels of a stencil that each corner is moved by, at most
_CLUTTER = 2  # other characters that reach into an image

Pixels = NDArray[np.uint8]


def images(
    count: int, seed: tuple[int, ...], report: Callable[[int], None]
) -> tuple[Pixels, NDArray[np.int16]]:
    """Draw images; a larger count begins with the same ones.

    Args:
        count: How many.
        seed: Decides every image.
        report: Takes the number of images that are done.

    Returns:
        Images (count, 1, SIDE, SIDE) and their classes (count,).
    """
    drawn = np.empty((count, 1, SIDE, SIDE), np.uint8)
    classes = np.empty(count, np.int16)
    for first in range(0, count, _BLOCK):
        rng = np.random.default_rng((*seed, first // _BLOCK))
        size = min(_BLOCK, count - first)
        block, labels = _block(rng)
        drawn[first : first + size, 0], classes[first : first + size] = block[:size], labels[:size]
        report(first + size)
    return drawn, classes


@cache
def stencils() -> tuple[str, tuple[tuple[Image.Image, ...], ...]]:
    """Return the characters, one per class, and the shapes of each.

    Characters that some font draws exactly as an earlier one are left out: no one could tell them apart.

    Returns:
        The characters, and for each one shape for every font that has it.

    Raises:
        EngineError: The fonts draw too few (code "fonts-missing").
    """
    fonts = [ImageFont.truetype(str(path), _EM) for path in _faces()]
    drawn_before: set[tuple[int, bytes]] = set()
    shapes: dict[str, tuple[Image.Image, ...]] = {}
    for character in _CANDIDATES:
        drawn = {
            i: shape
            for i, font in enumerate(fonts)
            if (shape := _stencil(font, character)).tobytes() != _stencil(font, _MISSING).tobytes()
        }
        keys = {(i, shape.tobytes()) for i, shape in drawn.items()}
        if drawn and not keys & drawn_before:
            shapes[character] = tuple(drawn.values())
            drawn_before |= keys
    chosen = list(shapes)[:CLASSES]
    if len(chosen) < CLASSES:
        raise EngineError(
            f"the fonts in matplotlib draw {len(chosen)} characters, expected {CLASSES}: install it again",
            code="fonts-missing",
        )
    return "".join(chosen), tuple(shapes[character] for character in chosen)


def _faces() -> list[Path]:
    spec = find_spec("matplotlib")
    if spec is None or not spec.origin:
        raise MissingInput(
            "the embedded images need matplotlib's fonts: pip install 'scaling-planner[calibrate]'",
            code="matplotlib-not-installed",
        )
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    paths = [folder / f"{face}.ttf" for face in _FACES]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise EngineError(
            f"matplotlib has no fonts {', '.join(missing)}: install it with pip", code="fonts-missing"
        )
    return paths


def _stencil(font: ImageFont.FreeTypeFont, character: str) -> Image.Image:
    shape = Image.new("L", (_STENCIL, _STENCIL))
    left, top, right, bottom = font.getbbox(character)
    position = ((_STENCIL - left - right) / 2, (_STENCIL - top - bottom) / 2)
    ImageDraw.Draw(shape).text(position, character, fill=255, font=font)
    return shape


def _block(rng: np.random.Generator) -> tuple[Pixels, NDArray[np.int64]]:
    _, shapes = stencils()
    labels = rng.integers(CLASSES, size=(_BLOCK, 1 + _CLUTTER))
    faces = rng.random((_BLOCK, 1 + _CLUTTER))
    corners = rng.uniform(-_DISTORTED, _DISTORTED, (_BLOCK, 1 + _CLUTTER, 4, 2))
    corners += np.array([(0, 0), (0, _STENCIL), (_STENCIL, _STENCIL), (_STENCIL, 0)])
    corners += rng.uniform(-3, 3, (_BLOCK, 1 + _CLUTTER, 1, 2))
    # clutter reaches in from a side: it is moved away by most of its own size
    angle = rng.uniform(0, 2 * np.pi, (_BLOCK, _CLUTTER))
    away = rng.uniform(0.6, 0.9, (_BLOCK, _CLUTTER)) * _STENCIL
    corners[:, 1:] += (np.stack([np.cos(angle), np.sin(angle)], -1) * away[:, :, None])[:, :, None]
    ink = rng.uniform(0.5, 1.0, (_BLOCK, 1 + _CLUTTER))
    drawn = np.empty((_BLOCK, SIDE, SIDE))
    for i in range(_BLOCK):
        layers = []
        for j, label in enumerate(labels[i]):
            fonts = shapes[label]
            shape = fonts[int(faces[i, j] * len(fonts))]
            layer = shape.transform(
                (SIDE, SIDE), Image.Transform.QUAD, corners[i, j].ravel().tolist(), Image.Resampling.BILINEAR
            )
            layers.append(np.asarray(layer) * ink[i, j])
        drawn[i] = np.maximum.reduce(layers)
    ground = rng.uniform(0, 80, (_BLOCK, 1, 1))
    noise = rng.standard_normal((_BLOCK, SIDE, SIDE)) * rng.uniform(5, 30, (_BLOCK, 1, 1))
    drawn = ground + drawn * (1 - ground / 255) + noise
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8), labels[:, 0]
