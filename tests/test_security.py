"""What SECURITY.md promises: files that somebody sends are read as data, and stay in their folder."""

import ast
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from laws.errors import PlannerError, StoreError
from laws.export import parquet
from laws.storage.store import Store
from laws.types import Law, Run

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for floor in ("laws", "calibrate", "planner") for path in (ROOT / floor).rglob("*.py"))

# Each of them executes what it reads, or can be told to.
MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "yaml", "xml"}
BUILTINS = {"eval", "exec", "compile", "__import__"}
METHODS = {"system", "popen", "startfile", "load_module", "listen"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_that_executes_what_it_reads_is_used(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {alias.name.split(".")[0] for alias in node.names} & MODULES
        if isinstance(node, ast.ImportFrom) and node.module:
            assert node.module.split(".")[0] not in MODULES
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                assert node.func.id not in BUILTINS
            elif isinstance(node.func, ast.Attribute):
                assert node.func.attr not in METHODS
                assert ast.unparse(node.func) != "torch.load"
            for keyword in node.keywords:
                assert keyword.arg != "allow_pickle"
                assert not (keyword.arg == "shell" and getattr(keyword.value, "value", None))


def test_sql_takes_values_as_parameters_only() -> None:
    """Every statement is a text of ours; what is put into it are our own names of tables and columns."""
    ours = {
        "_RUN",
        "_LAW",
        "_FORECAST",
        "_OUTCOME_COLUMNS",
        "columns",
        "table",
        "column",
        "name",
        "names",
        "types",
        "a",
        "b",
        "reader",
        "unnested",
    }
    found = 0
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("execute", "sql")):
                continue
            found += 1
            statement = node.args[0]
            if isinstance(statement, ast.Name):
                # the steps of the schema; columns of a Parquet file, with quotes doubled (test_table_file.py)
                assert path.name in {"schema.py", "table_file.py"}
                continue
            if ast.unparse(statement) == "_table_info(name)" and path.name == "database.py":
                continue  # a pragma takes no parameter; quotes are doubled, and the test of it is below
            if isinstance(statement, ast.IfExp):  # one of two texts of ours
                texts = [statement.body, statement.orelse]
                assert all(isinstance(text, ast.Constant) for text in texts), path
                continue
            assert isinstance(statement, ast.Constant | ast.JoinedStr), f"{path}: {ast.unparse(statement)}"
            if ast.unparse(statement).startswith('f"attach'):
                continue  # takes no parameter; its path is ours, with quotes doubled
            if ast.unparse(statement).startswith("f'copy draws") and path.name == "export.py":
                continue  # takes none either; quotes are doubled, and the test of it is below
            used = {
                name.id
                for part in ast.walk(statement)
                if isinstance(part, ast.FormattedValue)
                for name in ast.walk(part)
                if isinstance(name, ast.Name)
            }
            assert used <= ours, f"{path}: {used - ours}"
    assert found > 20


HOSTILE = "x'); drop table runs; select ('"


def test_a_table_of_a_tracker_may_have_any_name(tmp_path: Path) -> None:
    import sqlite3

    from planner.sources.trackers.database import open_database, table_columns

    hostile = 'a"); drop table kept; --'
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("create table kept (x integer)")
        quoted = hostile.replace('"', '""')
        connection.execute(f'create table "{quoted}" (y integer)')
        connection.commit()
    with open_database(tmp_path / "a.db") as connection:
        assert table_columns(connection) == {"kept": frozenset({"x"}), hostile: frozenset({"y"})}


def run(**more: object) -> Run:
    plain: dict[str, object] = {
        "id": "a", "status": "finished", "sweep": "s", "domain": "d", "family": "f", "optimizer": "o",
        "data": 1.0, "data_unit": "u", "params": 1, "metrics": {"m": 0.5},
    }  # fmt: skip
    return Run(**{**plain, **more})  # type: ignore[arg-type]


def test_no_text_becomes_sql(tmp_path: Path) -> None:
    store = Store(tmp_path / "it's; drop table runs")
    store.add_run(run(domain=HOSTILE, sweep=HOSTILE, reason=HOSTILE, metrics={HOSTILE: 0.5}))
    store.add_run(run(id="b"))
    assert store.publish() == ()
    assert [found.metrics for found in store.runs(domain=HOSTILE, sweep=HOSTILE)] == [{HOSTILE: 0.5}]
    assert len(store.runs()) == 2
    assert store.check() == ()


def test_no_name_in_a_law_becomes_sql(tmp_path: Path) -> None:
    import duckdb

    foreign = Law(
        id="a", created="", source="fitted", domain=HOSTILE, family=HOSTILE, metric="m", metric_unit="u",
        x_unit="u", form="power", x_range=(1.0, 2.0), n_points=2, forms={HOSTILE: 1.0},
        parameters={HOSTILE: (1.0, 2.0), HOSTILE.replace("'", '"'): (3.0, 4.0)},
    )  # fmt: skip
    out = tmp_path / f"{HOSTILE}.parquet"
    parquet(foreign, out)
    assert duckdb.read_parquet(str(out)).fetchall() == [(1.0, 3.0), (2.0, 4.0)]
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("id", ["../../evil", "/tmp/evil", "..", "a/b", "a\0b", ""])
def test_no_record_is_written_outside_the_store(tmp_path: Path, id: str) -> None:
    store = Store(tmp_path / "deep" / "store")
    before = everything(tmp_path)
    with pytest.raises(PlannerError):
        store.add_run(run(id=id))
    assert everything(tmp_path) == before


def test_an_index_from_somebody_else_reads_no_other_file(tmp_path: Path) -> None:
    import duckdb

    secret = tmp_path / "secret.csv"
    secret.write_text("id\nsecret\n")
    store = Store(tmp_path / "store")
    store.add_run(run())
    store.publish()
    with duckdb.connect(str(store.folder / "index.duckdb")) as connection:
        columns = [row[0] for row in connection.execute("describe runs").fetchall()]
        connection.execute("alter table runs rename to honest")
        chosen = ", ".join(
            f"(select id from read_csv('{secret}')) as id" if c == "id" else c for c in columns
        )
        connection.execute(f"create view runs as select {chosen} from honest")
    with pytest.raises(StoreError) as refused:
        store.runs()
    assert refused.value.code == "unreadable-index"
    store.rebuild()
    assert [found.id for found in store.runs()] == ["a"]


class Trap:
    """What a pickle can be: a command that runs when it is read."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.marker),)


def test_a_prepared_corpus_from_somebody_else_cannot_run_code(tmp_path: Path) -> None:
    import numpy as np

    pytest.importorskip("torch")
    pytest.importorskip("soundfile")
    from calibrate.domains import find_domain
    from calibrate.domains.speech import frames
    from calibrate.engines.local import Job, train_job
    from calibrate.types import Corpus, Training
    from laws.errors import CorpusError

    marker = tmp_path / "ran"
    trap = np.array([Trap(marker)], dtype=object)
    folder = tmp_path / "corpus"
    folder.mkdir()
    np.savez(folder / "training.npz", allow_pickle=True, ends=trap, seconds=trap)
    (folder / "training.txt").write_text("x\n")
    (folder / "training.f16").write_bytes(bytes(80))
    with pytest.raises(CorpusError, match="cannot be read"):
        frames.read(folder, "training")
    for name in ("codes", "labels", "train", "held_out", "held_out_count"):
        np.save(folder / f"{name}.npy", trap, allow_pickle=True)
    training = Training(
        domain="teacher", version=1, family="mlp", optimizer="adam", size=4, data=1, learning_rate=0.1,
        batch_size=1, epochs=1, max_samples=1, seed=0, fingerprint="f",
    )  # fmt: skip
    corpus = Corpus(folder=folder, fingerprint="f", available=1)
    job = Job(
        id="a", training=training, corpus=corpus, module=find_domain("teacher").module, flops=1, time_limit=9
    )
    assert train_job(job, "cpu").status in ("failed", "bad-data")
    assert not marker.exists()
    np.load(folder / "codes.npy", allow_pickle=True)
    assert marker.exists(), "the trap does not work: this test shows nothing"


def tar_of(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def member(name: str, type: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = type, target
    return info


def zip_of(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "text")
    return path


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


BAD: dict[str, Callable[[Path], Path]] = {
    "tar-up": lambda p: tar_of(p, (member("ok.txt"), b"ok"), (member("../evil"), b"evil")),
    "tar-link": lambda p: tar_of(
        p, (member("l", tarfile.SYMTYPE, "../.."), b""), (member("l/evil"), b"evil")
    ),
    "tar-absolute-link": lambda p: tar_of(p, (member("l", tarfile.SYMTYPE, "/etc/passwd"), b"")),
    "tar-hard-link": lambda p: tar_of(p, (member("l", tarfile.LNKTYPE, "../victim"), b"")),
    "tar-device": lambda p: tar_of(p, (member("d", tarfile.CHRTYPE), b"")),
    "zip-up": lambda p: zip_of(p, ["ok.txt", "a/../../evil"]),
    "zip-absolute": lambda p: zip_of(p, ["/evil"]),
    "zip-backslash": lambda p: zip_of(p, ["..\\evil"]),
    "no-archive": lambda p: Path(shutil.copy(__file__, p)),
    "cut": lambda p: p.write_bytes(tar_of(p, (member("a"), os.urandom(9999))).read_bytes()[:500]) and p,
}


@pytest.mark.parametrize("kind", BAD)
def test_an_archive_writes_nothing_outside_its_folder(tmp_path: Path, kind: str) -> None:
    from calibrate.data.archive import unpacked

    source = BAD[kind](tmp_path / "sent")
    before = everything(tmp_path)
    with pytest.raises(PlannerError, match="cannot be unpacked"):
        unpacked(source, tmp_path / "cache")
    assert [name for name in everything(tmp_path) if name != "cache"] == before


def test_an_absolute_name_in_an_archive_lands_inside_its_folder(tmp_path: Path) -> None:
    from calibrate.data.archive import unpacked

    source = tar_of(tmp_path / "sent", (member(f"{tmp_path}/evil"), b"evil"), (member("ok"), b""))
    folder = unpacked(source, tmp_path / "cache")
    assert not (tmp_path / "evil").exists()
    assert (folder / str(tmp_path).lstrip("/") / "evil").read_text() == "evil"


def test_an_archive_is_unpacked_once(tmp_path: Path) -> None:
    from calibrate.data.archive import unpacked

    for source in (
        tar_of(tmp_path / "a.tar.gz", (member("corpus/manifest.csv"), b"text"), (member("corpus/b/c"), b"x")),
        zip_of(tmp_path / "a.zip", ["corpus/manifest.csv", "corpus/b/c"]),
    ):
        folder = unpacked(source, tmp_path / "cache")
        assert everything(folder) == ["b", "b/c", "manifest.csv"]
        assert (folder / "manifest.csv").read_text() == "text"
        (folder / "b" / "c").unlink()
        assert unpacked(source, tmp_path / "cache") == folder
        assert everything(folder) == ["b", "manifest.csv"]


def test_a_corpus_that_is_sent_stays_in_its_folder_and_arrives_whole(tmp_path: Path) -> None:
    from calibrate.engines.transfer import CorpusFile, find_corpus, list_files, pack, unpack
    from laws.errors import CorpusError

    made = tmp_path / "made"
    (made / "deep").mkdir(parents=True)
    (made / "empty").touch()
    (made / "deep" / "large").write_bytes(os.urandom(10_000))
    files = list_files(made)
    pieces = list(pack(made, files, chunk=777))
    cache = tmp_path / "cache"
    assert find_corpus(made, cache, "f00d", files) == made
    assert find_corpus(tmp_path / "elsewhere", cache, "f00d", files) is None
    place = unpack(cache, "f00d", files, lambda: pieces)
    assert list_files(place) == files
    assert (place / "deep" / "large").read_bytes() == (made / "deep" / "large").read_bytes()
    assert find_corpus(tmp_path / "elsewhere", cache, "f00d", files) == place
    assert unpack(cache, "f00d", files, lambda: pytest.fail("asked for twice")) == place
    before = everything(tmp_path)
    for cut in (pieces[:-1], [*pieces, b"more"], []):
        with pytest.raises(CorpusError):
            unpack(cache, "beef", files, lambda cut=cut: cut)  # type: ignore[misc]
    for name in ("../evil", "/evil", "a/../../evil", "", "..\\evil", "a\0b"):
        with pytest.raises(CorpusError, match="outside its folder"):
            unpack(cache, "beef", [CorpusFile(name, 4, 0)], lambda: [b"evil"])
    for fingerprint in ("../evil", "", "a/b"):
        with pytest.raises(CorpusError, match="fingerprint"):
            find_corpus(made / "no", cache, fingerprint, files)
    assert [name for name in everything(tmp_path) if "beef" not in name] == before
    assert not (cache / "received-beef").exists()


LISTENING = """
import os, re, sys
from pathlib import Path
from calibrate.engines.local import LocalEngine

def sockets():
    mine = set()
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    for process in [os.getpid(), *children]:
        for link in Path(f"/proc/{process}/fd").iterdir():
            try:
                mine.add(re.sub(r"\\D", "", os.readlink(link)))
            except OSError:
                pass
    lines = [l.split() for n in ("tcp", "tcp6") for l in Path(f"/proc/net/{n}").read_text().splitlines()[1:]]
    return [line[1] for line in lines if line[3] == "0A" and line[9] in mine]

if __name__ == "__main__":
    with LocalEngine(("cpu",)) as engine:
        worker = engine._start()
        worker.connection.poll(1)
        print(worker.process.is_alive(), sockets())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_local_engine_listens_nowhere(tmp_path: Path) -> None:
    script = tmp_path / "listening.py"
    script.write_text(LISTENING)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.strip() == "True []"


def test_every_promise_names_tests_that_exist() -> None:
    named = re.findall(r"tests/[\w/]+\.py", (ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert len(named) >= 6
    assert [name for name in named if not (ROOT / name).is_file()] == []
