"""Say whether a page still shows what its scripts print: `python -m docs.generators.current [PAGE ...]`.

Ids and dates differ from run to run, durations from machine to machine, and the last digits of a sampled
number from processor to processor. They are set aside, and other numbers may differ by 3 %; every other
character counts.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from cogapp import Cog

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 0.03
_MASKED = re.compile(
    r"(?<![.\w])[0-9a-f]{8,16}\b"  # ids
    r"|\d{4}-\d\d-\d\d(T[\d:]+Z)?"  # dates
    r"|\b[\d.]+ ?(ms|s|min|h)\b"  # durations
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")


def pages() -> list[Path]:
    """Return every page that shows generated text."""
    candidates = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in candidates if "[[[cog" in page.read_text(encoding="utf-8")]


def stale_lines(page: Path) -> Iterator[str]:
    """Yield what a page shows and its scripts no longer print, a line each.

    Args:
        page: Path of a page with cog blocks.

    Yields:
        The line as the page has it, and as it would be now.
    """
    old = page.read_text(encoding="utf-8").splitlines()
    new = fresh(page).splitlines()
    if len(old) != len(new):
        yield f"{len(old)} lines are now {len(new)}"
    for before, after in zip(old, new, strict=False):
        if not alike(before, after):
            yield f"- {before}\n+ {after}"


def fresh(page: Path) -> str:
    """Return the text of a page with every block generated again."""
    cog = Cog()
    cog.options.print_output = True  # scripts of pages print
    return str(cog.process_string(page.read_text(encoding="utf-8"), fname=str(page)))


def alike(before: str, after: str) -> bool:
    """Return whether two lines say the same, ids, dates, durations and last digits aside."""
    if before == after:
        return True
    texts = [" ".join(_MASKED.sub("*", line).split()) for line in (before, after)]
    if re.fullmatch(r"[ ─━-]*", before) and re.fullmatch(r"[ ─━-]*", after):
        return True  # a rule is as long as the widest number
    shapes = [_NUMBER.sub("#", text) for text in texts]
    if shapes[0] != shapes[1]:
        return False
    pairs = zip(*(map(float, _NUMBER.findall(text)) for text in texts), strict=True)
    return all(abs(a - b) <= TOLERANCE * max(abs(a), abs(b)) for a, b in pairs)


def main() -> int:
    """Print every stale line of the named pages, of all pages by default."""
    chosen = [Path(name).resolve() for name in sys.argv[1:]] or pages()
    stale = 0
    for page in chosen:
        for line in stale_lines(page):
            stale += 1
            print(f"{page.relative_to(ROOT)}\n{line}")
    return int(stale > 0)


if __name__ == "__main__":
    sys.exit(main())
