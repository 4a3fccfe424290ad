"""The documentation as a site, made by `make docs` and read in a real browser, from a folder, offline."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.browser]
pytest.importorskip("playwright.sync_api")
from playwright import sync_api  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "build" / "site"
PAGES = (
    "index.html",
    "getting-started.html",
    "reference/commands.html",
    "reference/api.html",
    "concepts/glossary.html",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    ran = subprocess.run(["make", "docs"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr  # --strict: a broken link or anchor fails
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    with sync_api.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


def opened(browser: sync_api.Browser, name: str, width: int) -> tuple[sync_api.Page, list[str]]:
    """Return a page and what went wrong on it; every request to a network fails."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request", lambda request: problems.append(request.url) if request.url.startswith("http") else None
    )
    file, _, query = name.partition("?")
    page.goto((SITE / file).as_uri() + (f"?{query}" if query else ""))
    return page, problems


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_no_network_and_fits_its_screen(
    browser: sync_api.Browser, name: str, width: int
) -> None:
    page, problems = opened(browser, name, width)
    assert page.locator("h1").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "[[[cog" not in page.content()
    assert not problems


def test_search_finds_a_term(browser: sync_api.Browser) -> None:
    page, problems = opened(browser, "search.html?q=irreducible", 1280)
    page.wait_for_selector("#search-results li", timeout=20_000)
    assert "glossary" in page.locator("#search-results").inner_html()
    assert not problems
