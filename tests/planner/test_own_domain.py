"""A domain that a user wrote: from a file, from an installed package, and what is said of a broken one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from calibrate import domains
from calibrate.versions import environment_version
from laws.errors import PlannerError
from laws.storage.store import Store

pytestmark = pytest.mark.torch

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "domain.py"


def run(*arguments: str, folder: Path) -> str:
    command = [sys.executable, "-c", "from planner.cli import main; main()", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_is_measured_and_answers(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    own = tmp_path / "my surface.py"
    own.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    where = ["--store", "store", "--cache", "cache"]
    asked = ["calibrate", "--domain", own.name, "--preset", "smoke", "--workers", "1", "--format", "json"]
    told = json.loads(run(*asked, *where, folder=tmp_path))
    assert told["domain"] == "surface"
    assert set(told["runs"]) == {"finished"}
    errors = [best["metrics"]["rmse"] for best in told["best"]]
    assert errors == sorted(errors, reverse=True)
    laws = [law for law in Store(tmp_path / "store").laws(domain="surface") if law.metric == "rmse"]
    assert {law.x_unit for law in laws} == {"points"}
    target = ["--domain", "surface", "--target", f"rmse={errors[-1] * 0.9}", "--store", "store"]
    answer = json.loads(run("estimate", *target, "--format", "json", folder=tmp_path))
    assert answer["source"] == "calibrated"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be loaded (ModuleNotFoundError: there is no file"),
        ("", "wanted DOMAIN, a calibrate.types.Domain"),
        ("DOMAIN = 'speech'", "wanted DOMAIN, a calibrate.types.Domain"),
        (
            "import no_such_library",
            "cannot be loaded (ModuleNotFoundError: No module named 'no_such_library')",
        ),
        ("def f(:", "cannot be loaded (SyntaxError"),
        (
            "from calibrate.domains.speech.presets import SPEECH as DOMAIN",
            "calls itself 'speech', as a domain here",
        ),
    ],
)
def test_a_file_without_a_domain_is_refused_in_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    file = tmp_path / "own.py"
    if text is not None:
        file.write_text(text)
    for _ in range(2):  # what failed once is not taken for loaded
        with pytest.raises(PlannerError) as refused:
            domains.named(str(file))
        assert said in str(refused.value)
        assert "\n" not in str(refused.value)


def test_an_installed_package_offers_a_domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    (tmp_path / "surface_domain.py").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    about = tmp_path / "surface_domain-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: surface-domain\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[planner.domains]\nsurface = surface_domain:DOMAIN\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert domains.named("surface").data_unit == "points"
    with pytest.raises(PlannerError, match="did you mean 'surface'"):
        domains.named("surfaces")


def test_the_code_of_a_file_is_part_of_what_decides_its_numbers(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    file = tmp_path / "own.py"
    seen = set()
    for text in ("A = 1\n", "A = 2\n"):
        file.write_text(text)
        seen.add(environment_version(str(file)))
    assert len(seen) == 2
