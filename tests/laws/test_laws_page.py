"""The pages on laws and on trust show what the code does now."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["concepts/laws", "research/trust"])
def test_the_page_is_what_its_script_gives(page):
    pytest.importorskip("cogapp")
    done = subprocess.run(
        [sys.executable, "-m", "cogapp", "-P", "--check", "-I", ".", f"docs/{page}.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run `python -m cogapp -rP -I . docs/{page}.md`: {done.stdout}{done.stderr}"


def test_the_picture_of_the_ranks_is_drawn_from_the_numbers_of_the_page():
    pytest.importorskip("matplotlib")
    from tests.benchmarks import trust

    picture = (ROOT / "docs" / "figures" / "fit-ranks.svg").read_bytes()
    assert trust.drawn(trust.stored()) == picture
    assert len(picture) < 300_000
