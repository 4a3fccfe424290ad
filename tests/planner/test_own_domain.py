"""A domain that a user wrote: from a file, from an installed package, and what is said of a broken one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from calibrate import domains
from calibrate.versions import environment_version
from laws.errors import InputError, UnknownName
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
    ("text", "code"),
    [
        (None, "domain-not-loaded"),
        ("", "domain-missing"),
        ("DOMAIN = 'speech'", "domain-missing"),
        ("import no_such_library", "domain-not-loaded"),
        ("def f(:", "domain-not-loaded"),
        ("from calibrate.domains.speech.presets import SPEECH as DOMAIN", "domain-name-taken"),
    ],
)
def test_a_file_without_a_domain_is_refused_in_one_line(tmp_path: Path, text: str | None, code: str) -> None:
    file = tmp_path / "own.py"
    if text is not None:
        file.write_text(text)
    for _ in range(2):  # a file that failed to load is not cached as loaded
        with pytest.raises(InputError) as refused:
            domains.find_domain(str(file))
        assert refused.value.code == code
        assert "\n" not in str(refused.value)


def test_an_installed_package_offers_a_domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    (tmp_path / "surface_domain.py").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    about = tmp_path / "surface_domain-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: surface-domain\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[planner.domains]\nsurface = surface_domain:DOMAIN\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert domains.find_domain("surface").data_unit == "points"
    with pytest.raises(UnknownName) as refused:
        domains.find_domain("surfaces")
    assert refused.value.suggestion == "surface"


def test_the_code_of_a_file_is_part_of_what_decides_its_numbers(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    file = tmp_path / "own.py"
    seen = set()
    for text in ("A = 1\n", "A = 2\n"):
        file.write_text(text)
        seen.add(environment_version(str(file)))
    assert len(seen) == 2
