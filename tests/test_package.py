"""The package as people install it: what is in it, and that it runs without extras and next to a namesake."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import venv
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {"calibrate", "laws", "planner"}
ASK = ("estimate", "--law", "hestness2017-speech-ds2", "--target", "0.2")


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """Our package as it is after llm-d-planner was installed over it: its `__init__` and its folder `cli`."""
    shutil.copytree(ROOT / "planner", tmp_path / "planner", ignore=shutil.ignore_patterns("__pycache__"))
    for package in PACKAGES - {"planner"}:
        (tmp_path / package).symlink_to(ROOT / package)
    (tmp_path / "planner" / "cli").mkdir()
    (tmp_path / "planner" / "cli" / "__init__.py").write_text("")
    (tmp_path / "planner" / "__init__.py").write_text("__version__ = '0.3.3'\n")
    yield tmp_path


def test_the_second_command_works_next_to_a_package_of_the_same_name(shared: Path) -> None:
    code = "import sys; sys.path[:] = [p for p in sys.path if 'planner' not in p or p == sys.argv[1]]\n"
    environment = os.environ | {"PYTHONPATH": str(shared)}
    ran = subprocess.run(
        [sys.executable, "-c", code + "from planner.__main__ import main; main()", "--help"],
        cwd=shared, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "Usage:" in ran.stdout
    assert ran.stderr.count("\n") == 1
    assert "llm-d-planner" in ran.stderr


@pytest.fixture(scope="module")
def dist() -> Path:
    ran = subprocess.run(["make", "dist"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr  # twine checks both
    return ROOT / "dist"


@pytest.mark.slow
def test_wheel_and_source_hold_the_packages_and_no_tests(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    (source,) = dist.glob("*.tar.gz")
    in_wheel = set(zipfile.ZipFile(wheel).namelist())
    with tarfile.open(source) as archive:
        in_source = {name.partition("/")[2] for name in archive.getnames()}
    tops = {name.split("/")[0] for name in in_wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert not {name for name in in_source if name.split("/")[0] in {"tests", "docs", ".ci"}}
    for name in ("planner/py.typed", "planner/__init__.pyi", "laws/catalog/published.json"):
        assert name in in_wheel
        assert name in in_source
    tracked = subprocess.run(
        ["git", "ls-files", *sorted(PACKAGES)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(tracked) <= in_wheel
    assert not {name for name in in_wheel if name.endswith((".pyc", ".duckdb"))}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_it_runs_in_a_clean_environment_without_extras(dist: Path, tmp_path: Path, kind: str) -> None:
    (file,) = dist.glob(kind)
    venv.create(tmp_path / "env", with_pip=True)
    pip = [str(tmp_path / "env/bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), str(file)], check=True)
    for command in ("planner", "scaling-planner"):
        ran = subprocess.run(
            [str(tmp_path / "env/bin" / command), *ASK],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "20%" in ran.stdout
    table = tmp_path / "runs.csv"
    table.write_text("hours,wer\n100,0.3\n200,0.24\n400,0.2\n800,0.165\n", encoding="utf-8")
    fit = [
        "fit",
        "runs.csv",
        "--domain",
        "asr",
        "--metric",
        "wer",
        "--data-unit",
        "hours",
        "--store",
        "store",
    ]
    subprocess.run([str(tmp_path / "env/bin/planner"), *fit], cwd=tmp_path, check=True, capture_output=True)


class Database(BaseHTTPRequestHandler):
    """Answers as https://osv.dev does: one advisory for numpy."""

    def do_POST(self) -> None:
        queries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        names = [query["package"]["name"] for query in queries]
        results = [{"vulns": [{"id": "PYSEC-1"}]} if name == "numpy" else {} for name in names]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"results": results}).encode())

    def log_message(self, *_: object) -> None:
        pass


def advise(address: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tests" / "advisories.py"), address]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_advisories_name_what_is_affected() -> None:
    with HTTPServer(("127.0.0.1", 0), Database) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ran = advise(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    assert ran.returncode == 1
    assert [line.split()[0] for line in ran.stdout.splitlines() if "PYSEC-1" in line] == ["numpy"]


def test_advisories_without_a_network_are_one_line() -> None:
    ran = advise("http://127.0.0.1:1")
    assert (ran.returncode, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
