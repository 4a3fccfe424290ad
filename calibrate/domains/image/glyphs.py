"""The embedded corpus of images: characters of many fonts, distorted, cluttered and noisy.

The fonts are DejaVu and STIX, which come inside matplotlib; Pillow draws them. As many images as asked for,
each of them new; the same seed and place in the corpus give the same image.
"""

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from laws.errors import PlannerError

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
_MISSING = "\uffff"  # no font has this character: how a font draws it is how it draws what it lacks
_EM = 30  # size of the letters on their stencils, pixels
_STENCIL = 40
_BLOCK = 1024  # images whose random numbers come from one stream
_DISTORTED = 5.0  # pixels of a stencil that each corner is moved by, at most
_CLUTTER = 2  # other characters that reach into an image

Pixels = NDArray[np.uint8]


def images(
    count: int, seed: tuple[int, ...], report: Callable[[int], None]
) -> tuple[Pixels, NDArray[np.int16]]:
    """Return `count` images (count, 1, SIDE, SIDE) and their classes; the first ones of any larger count."""
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
    """Return the characters, one a class, and the shapes of each: one for every font that has it.

    Characters that some font draws exactly as an earlier one are left out: nobody could tell them apart.
    """
    fonts = [ImageFont.truetype(str(path), _EM) for path in _faces()]
    seen: set[tuple[int, bytes]] = set()
    shapes: dict[str, tuple[Image.Image, ...]] = {}
    for character in _CANDIDATES:
        drawn = {
            i: shape
            for i, font in enumerate(fonts)
            if (shape := _stencil(font, character)).tobytes() != _stencil(font, _MISSING).tobytes()
        }
        keys = {(i, shape.tobytes()) for i, shape in drawn.items()}
        if drawn and not keys & seen:
            shapes[character] = tuple(drawn.values())
            seen |= keys
    chosen = list(shapes)[:CLASSES]
    if len(chosen) < CLASSES:
        raise PlannerError(
            f"the fonts in matplotlib draw {len(chosen)} of the {CLASSES} characters: install it anew"
        )
    return "".join(chosen), tuple(shapes[character] for character in chosen)


def _faces() -> list[Path]:
    found = find_spec("matplotlib")
    if found is None or not found.origin:
        raise PlannerError(
            "the embedded images need matplotlib's fonts: pip install 'scaling-planner[calibrate]'"
        )
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    paths = [folder / f"{face}.ttf" for face in _FACES]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise PlannerError(f"matplotlib came without the fonts {', '.join(missing)}: install it with pip")
    return paths


def _stencil(font: ImageFont.FreeTypeFont, character: str) -> Image.Image:
    shape = Image.new("L", (_STENCIL, _STENCIL))
    left, top, right, bottom = font.getbbox(character)
    place = ((_STENCIL - left - right) / 2, (_STENCIL - top - bottom) / 2)
    ImageDraw.Draw(shape).text(place, character, fill=255, font=font)
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
            of = shapes[label]
            shape = of[int(faces[i, j] * len(of))]
            seen = shape.transform(
                (SIDE, SIDE), Image.Transform.QUAD, corners[i, j].ravel().tolist(), Image.Resampling.BILINEAR
            )
            layers.append(np.asarray(seen) * ink[i, j])
        drawn[i] = np.maximum.reduce(layers)
    ground = rng.uniform(0, 80, (_BLOCK, 1, 1))
    noise = rng.standard_normal((_BLOCK, SIDE, SIDE)) * rng.uniform(5, 30, (_BLOCK, 1, 1))
    drawn = ground + drawn * (1 - ground / 255) + noise
    return np.clip(np.rint(drawn), 0, 255).astype(np.uint8), labels[:, 0]
