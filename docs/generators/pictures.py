"""Make the pictures of the documentation: the review page in a browser, and a command in a terminal.

    python -m docs.generators.pictures              all
    python -m docs.generators.pictures terminal     only those whose name starts with "terminal"
    python -m docs.generators.pictures demo         what `make demo` printed; needs its STORE

Writes docs/pictures/*.png. Needs the extras `plot` and `dev`, and a Chromium. The clock stands still at DAY,
so ids, dates and prices do not change; the same Chromium with the same fonts gives the same bytes.
"""

import html
import itertools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright
from rich.text import Text

OUT = Path(__file__).parents[1] / "pictures"
DAY = "2026, 11, 23"
PROGRAM = f"""
import datetime
class Fixed(datetime.datetime):
    now = classmethod(lambda cls, tz=None: cls({DAY}, tzinfo=tz))
class FixedDate(datetime.date):
    today = classmethod(lambda cls: cls({DAY}))
datetime.datetime, datetime.date = Fixed, FixedDate
from planner.cli import main
main()
"""
RUNS = "tests/data/whisper2022-medium-english.csv"
FIT = f"fit {RUNS} --domain captions --metric wer --data-unit hours"
FIT_THREE = "fit docs/examples/asr.csv --domain asr --metric wer --data-unit hours"
ESTIMATE = (
    "estimate --domain asr --target-wer 6% --have-data 1200h --data-price '$90/hour' --on h100 --count 64"
)
TERMINAL = {  # name -> what is typed, and in how many columns
    "terminal-estimate": (ESTIMATE, 80),
    "terminal-estimate-wide": (ESTIMATE, 120),
    "terminal-fit": (FIT_THREE, 80),
    "terminal-plot": ("plot --domain captions --decades 2", 80),
}
# What `make demo` runs: its trainings are done, so each command prints its answer at once
DEMO = ("estimate --domain speech --target-wer 5%", "verify --domain speech")
PAGE_WIDTH, WIDE_PAGE = 1000, 1400
# style of rich -> class: what the program prints
STYLES = {"bold": "bold", "dim": "dim", "color(1)": "red", "color(3)": "yellow"}
SCHEMES = {"": "light", "-dark": "dark"}  # suffix of the name -> color scheme
_TERMINAL_PAGE = """<!doctype html><meta charset="utf-8"><style>
:root {{ --paper: #ffffff; --ink: #1b1f24; --muted: #5c6670; --rule: #d5dae0;
  --red: #c01c28; --yellow: #9a6700; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --paper: #15181c; --ink: #e4e7ea; --muted: #9aa4ae; --rule: #353c44;
    --red: #f47067; --yellow: #e3b341; }}
}}
body {{ margin: 0; background: var(--paper); }}
pre {{ display: inline-block; margin: 0; padding: 16px 20px; width: calc({columns}ch + 6px);
  white-space: pre-wrap; overflow-wrap: anywhere; background: var(--paper);
  color: var(--ink); border: 1px solid var(--rule); font: 14px/1.17 "DejaVu Sans Mono", monospace; }}
i, .dim {{ font-style: normal; color: var(--muted); }}
.bold {{ font-weight: bold; }}
.red {{ color: var(--red); }}
.yellow {{ color: var(--yellow); }}
</style><pre>{output}</pre>"""


def planner(command: str, store: Path, **environment: str) -> str:
    """Run a command at DAY.

    Args:
        command: The command line after `planner`.
        store: Folder of the store.
        environment: Further variables of the environment.

    Returns:
        What it printed.
    """
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *shlex.split(command)],
        env=os.environ | {"PLANNER_STORE": str(store)} | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def as_html(printed: str) -> str:
    """Return terminal output as HTML with the styles that `planner` uses: bold, dim, red and yellow."""
    text = Text.from_ansi(printed)
    styles = [""] * len(text.plain)
    for span in text.spans:
        words = str(span.style).split()
        name = next((name for style, name in STYLES.items() if style in words), "")
        for i in range(span.start, min(span.end, len(styles))):
            styles[i] = name or styles[i]
    pieces = []
    for style, group in itertools.groupby(range(len(styles)), key=styles.__getitem__):
        piece = html.escape("".join(text.plain[i] for i in group))
        pieces.append(f'<span class="{style}">{piece}</span>' if style else piece)
    return "".join(pieces)


def save(name: str, **screenshot: bytes) -> None:
    """Write a picture with 128 colors: text and lines need no more; maximal coverage keeps rare ones."""
    path = OUT / f"{name}.png"
    path.write_bytes(screenshot["png"])
    Image.open(path).convert("RGB").quantize(
        128, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
    ).save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def terminal(page: Page, name: str, commands: tuple[str, ...], columns: int, store: Path) -> None:
    """Save commands with their output, in a light and in a dark terminal."""
    content = []
    for command in commands:
        printed = planner(command, store, COLUMNS=str(columns), FORCE_COLOR="1", TERM="xterm-256color")
        content.append(f"<i>$</i> <b>planner {html.escape(command)}</b>\n{as_html(printed.rstrip(chr(10)))}")
    page.set_content(_TERMINAL_PAGE.format(columns=columns, output="\n\n".join(content)))
    for suffix, scheme in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        save(name + suffix, png=page.locator("pre").screenshot())


def region(page: Page, name: str, first: str, last: str) -> None:
    """Save a page from one element to the end of another, with a margin."""
    top, end = page.locator(first).bounding_box(), page.locator(last).bounding_box()
    assert top
    assert end
    up, down = max(top["y"] - 14, 0), end["y"] + end["height"] + 14
    clip = {"x": 0, "y": up, "width": PAGE_WIDTH, "height": down - up}
    save(name, png=page.screenshot(clip=clip, full_page=True))


def review(page: Page, store: Path, folder: Path) -> None:
    """Save parts of the page of docs/examples/captions.toml."""
    planner(f"review docs/examples/captions.toml --out {folder}/review.html", store)
    page.goto((folder / "review.html").as_uri())
    page.wait_for_selector("#what-if:not([hidden])")
    for suffix, scheme in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        region(page, f"review-summary{suffix}", "h1", "#summary")
    page.emulate_media(color_scheme="light")
    region(page, "review-product", "#product-1 h2", "#product-1 .measure")
    page.select_option("select[name=product]", "1")
    page.select_option("select[name=accelerator]", "h200")
    page.fill("input[name=price]", "2.5")
    region(page, "review-what-if", "#what-if h2", "#what-if")
    page.emulate_media(color_scheme="dark")
    region(page, "review-dark", "#product-2 h2", "#product-2 .bars")


def main() -> None:
    """Fit, then save every picture, or those whose name starts as the first argument."""
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as started:
        folder = Path(name)
        for fit in (FIT, FIT_THREE):
            planner(fit, folder / "store")
        browser = started.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": PAGE_WIDTH, "height": 900})
        if "review".startswith(only) or only.startswith("review"):
            review(page, folder / "store", folder)
        sharp = browser.new_page(viewport={"width": WIDE_PAGE, "height": 900}, device_scale_factor=2)
        for picture, (command, columns) in TERMINAL.items():
            if picture.startswith(only):
                terminal(sharp, picture, (command,), columns, folder / "store")
        if only == "demo":
            terminal(sharp, "demo", DEMO, 80, Path(os.environ.get("STORE", "store")).resolve())
        browser.close()


if __name__ == "__main__":
    main()
