"""Make the pictures of docs/guides/planning.md: a review of docs/examples/captions.toml as a browser shows it.

    python -m docs.generators.pictures

Needs the extras `plot` and `dev`, and a Chromium. Writes docs/pictures/*.png.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

OUT = Path(__file__).parents[1] / "pictures"
PLANNER = [sys.executable, "-c", "from planner.cli import main; main()"]
FIT = ["fit", "tests/data/whisper2022-medium-english.csv", "--domain", "captions"]
FIT += ["--metric", "wer", "--data-unit", "hours"]
WIDTH = 1000


def small(path: Path) -> None:
    """Keep 128 colors: text and lines need no more."""
    Image.open(path).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def region(page: Page, name: str, first: str, last: str) -> None:
    """Save what lies from one element to the end of another, with a margin."""
    top = page.locator(first).bounding_box()
    end = page.locator(last).bounding_box()
    assert top
    assert end
    up, down = max(top["y"] - 14, 0), end["y"] + end["height"] + 14
    clip = {"x": 0, "y": up, "width": WIDTH, "height": down - up}
    page.screenshot(path=OUT / f"{name}.png", clip=clip, full_page=True)
    small(OUT / f"{name}.png")


def main() -> None:
    """Fit, review, open, photograph."""
    OUT.mkdir(exist_ok=True)
    chromium = shutil.which("chromium")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        store, html = f"{name}/store", Path(name) / "review.html"
        subprocess.run([*PLANNER, *FIT, "--store", store], check=True, stdout=subprocess.DEVNULL)
        plan = ["review", "docs/examples/captions.toml", "--store", store, "--out", str(html)]
        subprocess.run([*PLANNER, *plan], check=True)
        browser = started.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(html.as_uri())
        page.wait_for_selector("#what-if:not([hidden])")
        region(page, "review-summary", "h1", "#summary")
        region(page, "review-product", "#product-1 h2", "#product-1 .measure")
        page.select_option("select[name=product]", "1")
        page.select_option("select[name=part]", "h200")
        page.fill("input[name=price]", "2.5")
        region(page, "review-what-if", "#what-if h2", "#what-if")
        page.emulate_media(color_scheme="dark")
        region(page, "review-dark", "#product-2 h2", "#product-2 .bars")
        browser.close()


if __name__ == "__main__":
    main()
