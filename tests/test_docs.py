"""The documentation: every page can be reached, every link leads somewhere, every shown output is current."""

import re
from pathlib import Path

import pytest

from docs.generators import current

ROOT = Path(__file__).resolve().parents[1]
INDEX = ROOT / "docs" / "index.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))
TEXTS = [ROOT / "README.md", ROOT / "SECURITY.md", ROOT / "CHANGELOG.md", *PAGES]
LINK = re.compile(r"\]\(([^)\s]+)\)")
SLOW = {  # they train models, or fit many curves
    "docs/guides/calibration.md",
    "docs/guides/families.md",
    "docs/guides/notebook.md",
    "docs/guides/planning.md",
    "docs/reference/licenses.md",
    "docs/research/accuracy.md",
}


def name(page: Path) -> str:
    """Return a page's path from the root."""
    return page.relative_to(ROOT).as_posix()


def targets(page: Path) -> list[tuple[Path, str]]:
    """Return the file and the heading of each local link of a page."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    found = []
    for link in LINK.findall(text):
        if not re.match(r"[a-z]+:", link):
            path, _, heading = link.partition("#")
            found.append(((page.parent / path).resolve() if path else page, heading))
    return found


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MkDocs make them."""
    lines = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL).splitlines()
    titles = [line.lstrip("#").strip() for line in lines if re.match(r"#+ ", line)]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, heading in targets(page):
        assert path.exists(), f"{name(page)} links to {path}"
        if heading and path.suffix == ".md":
            assert heading in headings(path), f"{name(page)} links to #{heading} of {name(path)}"


def test_every_page_can_be_reached_from_the_index() -> None:
    reached, waiting = {INDEX}, [INDEX]
    while waiting:
        for path, _ in targets(waiting.pop()):
            if path.suffix == ".md" and path not in reached and path.is_relative_to(ROOT / "docs"):
                reached.add(path)
                waiting.append(path)
    assert sorted(map(name, reached)) == sorted(map(name, PAGES))
    assert INDEX in {path for path, _ in targets(ROOT / "README.md")}


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow, pytest.mark.torch] if name(page) in SLOW else [])
        for page in current.pages()
    ],
    ids=name,
)
def test_a_page_shows_what_its_scripts_print(
    page: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in ("docs", "tests"):  # pages write their stores next to these
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    assert list(current.stale_lines(page)) == [], f"run `make docs-update` and read {name(page)}"


def test_a_page_that_is_stale_is_noticed() -> None:
    assert current.alike("Law 518e28602f428a87: 1.23k of 4", "Law 0123456789abcdef: 1.24k of 4")
    assert not current.alike("Law 518e28602f428a87: 1.23k of 4", "Law 0123456789abcdef: 1.23k of 5")
    assert not current.alike("data 5 hours", "Data 5 hours")


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_no_page_names_a_folder_of_a_machine(page: Path) -> None:
    assert not re.search(r"/(?:home|root|work|Users)/", page.read_text(encoding="utf-8"))
