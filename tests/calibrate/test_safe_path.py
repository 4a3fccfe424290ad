"""Files of the current folder are data: no process that we start imports them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from calibrate.engines.safe_path import VARIABLE, current_folder_ignored

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parents[1]
# what a child imports before it knows the path of its parent, and some of what it imports later
MODULES = (
    "signal", "socket", "pickle", "threading", "multiprocessing", "subprocess", "struct", "logging", "json",
    "tempfile", "numpy", "scipy", "torch", "calibrate", "laws", "planner", "sitecustomize",
)  # fmt: skip

CHILDREN = """
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path += [{root!r}, {tests!r}]
    from planner.sources.worker_pool import run_all

    assert list(run_all(abs, {{"a": (-1,)}}, processes=1)) == [("a", 1)]
    if "engine" in sys.argv:
        import faulty_domain as faulty
        from calibrate.engines.local import LocalEngine

        with LocalEngine(("cpu",)) as engine:
            (result,) = engine.run([faulty.job(faulty.FINE, Path(sys.argv[1]))])
            print(result.outcome.status)
"""


def hostile(folder: Path) -> Path:
    """Return a folder of modules that leave a note when they are imported."""
    folder.mkdir()
    for name in MODULES:
        (folder / f"{name}.py").write_text(f"open({str(folder / 'executed')!r}, 'a').write({name + ' '!r})\n")
    return folder


@pytest.mark.parametrize("engine", [False, pytest.param(True, marks=pytest.mark.torch)])
def test_children_import_nothing_from_the_current_folder(tmp_path: Path, engine: bool) -> None:
    if engine:
        pytest.importorskip("torch")
    folder = hostile(tmp_path / "hostile")
    notes = tmp_path / "notes"
    notes.mkdir()
    (tmp_path / "scripts").mkdir()
    script = tmp_path / "scripts" / "children.py"
    script.write_text(CHILDREN.format(root=str(ROOT), tests=str(TESTS)))
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", VARIABLE)}
    done = subprocess.run(
        [sys.executable, script, notes, *["engine"] * engine], cwd=folder, env=environment,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert not (folder / "executed").exists(), (folder / "executed").read_text()
    assert (done.returncode, done.stdout) == (0, "finished\n" * engine), done.stderr


def test_the_environment_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    with current_folder_ignored():
        assert os.environ[VARIABLE] == "1"
    assert VARIABLE not in os.environ
    monkeypatch.setenv(VARIABLE, "yes")
    with current_folder_ignored():
        assert os.environ[VARIABLE] == "1"
    assert os.environ[VARIABLE] == "yes"
