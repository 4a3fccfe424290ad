"""The store on real files, a real DuckDB and real processes."""

import contextlib
import dataclasses
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import duckdb
import pytest

from laws.errors import FileError, PlannerError, StoreError
from laws.storage import index, records, schema
from laws.storage.files import file_name
from laws.storage.store import Store, StoreBusyError
from laws.types import Law
from tests.laws.stored import forecast, law, law_file, outcome, run, same_law, sweep


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def rows(store):
    """Return everything that the index answers."""
    return store.runs(), store.sweeps(), store.laws(), store.forecasts(), store.outcomes()


def tables(store):
    """Return every row of every table but the notes on files."""
    with contextlib.closing(duckdb.connect(str(store.folder / "index.duckdb"), read_only=True)) as connection:
        names = [name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()]
        return {
            n: sorted(map(repr, connection.execute(f"select * from {n}").fetchall()))
            for n in names
            if n != "files"
        }


def filled(store, runs=5, laws=2):
    for i in range(runs):
        store.add_run(run(i))
    store.add_sweep(sweep())
    for i in range(laws):
        store.add_law(law(i))
        store.add_forecast(forecast(i))
    if laws:
        store.add_outcome(outcome(forecast(0)))
    assert store.publish() == ()
    return store


def test_an_empty_store_answers_and_creates_nothing(store):
    assert (store.runs(), store.sweeps(), store.laws(), store.newest("speech", "wer")) == ([], [], [], None)
    assert store.attempts(["run0"]) == {}
    assert store.check() == ()
    assert store.catch_up() == ()
    assert not store.folder.exists()


def test_what_was_added_comes_back(store):
    filled(store, runs=3, laws=2)
    assert store.runs() == [run(0), run(1), run(2)]
    assert store.sweeps() == [sweep()]
    assert [row.id for row in store.laws()] == [law(1).id, law(0).id]  # newest first
    assert same_law(store.law(law(0).id), law(0))
    row = store.laws()[0]
    assert (row.metric, row.x_range, row.warnings, row.n_points) == ("wer", (1.0, 10.0), ("no-size-law",), 5)
    assert store.check() == ()


def test_a_forecast_comes_back_whole_and_its_row_has_intervals(store):
    filled(store, laws=3)
    assert [row.id for row in store.forecasts()] == [forecast(i).id for i in (2, 1, 0)]  # newest first
    row, kept = store.forecasts()[-1], forecast(0)
    assert store.forecast(kept.id[:9]) == kept
    assert {name: quantity.interval() for name, quantity in kept.quantities.items()} == row.quantities
    assert (row.quantities["gpu_hours"].q05, row.quantities["gpu_hours"].median) == (None, 7.0)
    assert (row.given, row.day, row.question) == ({"error": 0.05}, "2026-01-01", kept.question)
    assert store.forecasts(domain="char-lm") == []
    assert store.outcomes() == [outcome(forecast(0))] == [store.outcome(outcome(forecast(0)).id[:9])]
    for read, command in ((store.forecast, ("forecasts", "list")), (store.outcome, ("outcome", "list"))):
        with pytest.raises(StoreError) as refused:
            read("zz")
        assert refused.value.code == "record-not-found"
        assert [hint.names for hint in refused.value.hints] == [command]


def test_a_forecast_and_an_outcome_are_never_overwritten(store):
    filled(store, laws=1)
    files = [*(store.folder / "forecasts").iterdir(), *(store.folder / "outcomes").iterdir()]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    store.add_forecast(forecast(0, created="2030-01-01T00:00:00Z"))
    store.add_outcome(outcome(forecast(0)))
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files} == before


def test_filters_narrow_and_combine(store):
    store.add_run(run(0))
    store.add_run(run(1, domain="char-lm", status="diverged", sweep="sweep-b"))
    store.add_run(run(7, sweep="sweep-b"))
    store.add_sweep(sweep())
    for made in (
        law(0),
        law(1, metric="cer"),
        law(2, family="rnn"),
        law(3, domain="char-lm", source="fitted"),
    ):
        store.add_law(made)
    store.publish()
    assert [r.id for r in store.runs(domain="speech")] == ["run0", "run7"]
    assert [r.id for r in store.runs(status="diverged")] == ["run1"]
    # sweep-a planned run1 and run7, which an earlier sweep had trained
    assert [r.id for r in store.runs(sweep="sweep-a")] == ["run0", "run1", "run7"]
    assert [r.id for r in store.runs(sweep="sweep-b", domain="speech")] == ["run7"]
    assert store.runs(sweep="' or true --") == []
    assert [row.family for row in store.laws(domain="speech", metric="wer")] == ["rnn", "ds2"]
    assert [row.domain for row in store.laws(source="fitted")] == ["char-lm"]
    assert store.newest("speech", "wer").id == law(2, family="rnn").id
    assert store.newest("speech", "wer", family="ds2").id == law(0).id
    assert store.newest("speech", "loss") is None


def test_definitions_and_provenance_stand_beside_the_numbers(store):
    filled(store, laws=1)
    with contextlib.closing(index.connect(store.folder / "index.duckdb", read_only=True)) as connection:
        found = connection.execute(
            "select kind, name, value from provenance where record = ?", [law(0).id]
        ).fetchall()
        draws = connection.execute(
            "select parameter, len(draws) from draws where law = ?", [law(0).id]
        ).fetchall()
        alpha = connection.execute("select draws from draws where parameter = 'alpha'").fetchall()[0][0]
    assert ("definition", "metric", "word errors over words") in found
    assert ("provenance", "seed", "0") in found
    assert sorted(draws) == [("alpha", 20), ("beta", 20)]
    assert alpha == pytest.approx(law(0).parameters["alpha"], rel=1e-6)


def test_the_same_attempt_again_changes_nothing(store):
    store.add_run(run(0))
    store.add_run(run(0, seconds=99.0))
    store.add_run(run(0, attempt=2, status="failed", reason="worker died"))
    store.publish()
    assert [(r.attempt, r.seconds) for r in store.runs()] == [(1, 1.5), (2, 1.5)]
    assert [r.attempt for r in store.attempts(["run0", "run5"])["run0"]] == [1, 2]


def test_more_files_than_are_listed_at_once_are_all_published(store, monkeypatch):
    monkeypatch.setattr("laws.storage.publication._LISTED", 2)
    monkeypatch.setattr("laws.storage.publication._BATCH", 1)
    filled(store, runs=7, laws=3)
    assert len(store.runs()) == 7
    assert len(store.laws()) == 3
    assert store.check() == ()
    index = (store.folder / "index.duckdb").stat().st_ino
    assert store.publish() == ()
    assert (store.folder / "index.duckdb").stat().st_ino == index, "nothing was new"
    store.add_run(run(8))
    store.add_sweep(sweep(planned=9))
    assert store.publish() == ()
    assert len(store.runs()) == 8
    assert [found.planned for found in store.sweeps()] == [9]
    assert store.check() == ()


def test_the_last_attempt_of_a_run_is_the_last_readable_one_and_the_number_is_the_highest(store):
    for attempt in (1, 2, 3):
        store.add_run(run(attempt=attempt))
    store.add_run(run(1))
    damaged = store.folder / "runs" / "run0.3.json"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    (store.folder / "runs" / "run0.x.json").write_text("{}")
    found = {id: (number, last) for id, number, last in store.last_attempts(["run0", "run1", "run9"])}
    assert found == {"run0": (3, run(attempt=2)), "run1": (1, run(1))}


def test_attempts_are_seen_before_anything_is_published(store):
    store.add_run(run(3, attempt=2))
    store.add_run(run(3))
    assert store.attempts(["run3"]) == {"run3": (run(3), run(3, attempt=2))}


def test_a_sweep_that_grows_replaces_its_plan(store):
    filled(store)
    store.add_sweep(sweep(planned=9, runs=("run0",), definitions={}))
    store.publish()
    assert store.sweeps() == [sweep(planned=9, runs=("run0",), definitions={})]
    assert store.check() == ()


def test_a_law_fitted_again_becomes_the_newest_and_is_not_doubled(store):
    filled(store, laws=2)
    store.add_law(law(0, created="2026-02-01T00:00:00Z"))
    store.publish()
    assert [row.id for row in store.laws()] == [law(0).id, law(1).id]
    assert store.newest("speech", "wer").created == "2026-02-01T00:00:00Z"
    assert store.check() == ()


def test_a_law_is_found_by_the_start_of_its_id(store):
    filled(store, laws=2)
    assert store.law(law(1).id[:6]).id == law(1).id
    for id in ("zzz", "", "../runs/run0"):
        with pytest.raises(StoreError) as refused:
            store.law(id)
        assert (refused.value.code, refused.value.value) == ("record-not-found", id)


def test_laws_that_share_the_start_of_their_ids_ask_for_more(store):
    made = {}
    while not (twins := [ids for ids in made.values() if len(ids) == 2]):
        one = law(len(made) + 100)
        made.setdefault(one.id[0], []).append(one)
    for one in twins[0]:
        store.add_law(one)
    with pytest.raises(StoreError) as refused:
        store.law(twins[0][0].id[0])
    assert refused.value.code == "ambiguous-id"


def test_publishing_when_due_waits_for_the_interval(store):
    store.add_run(run(0))
    store.publish_if_due(3600)
    assert not (store.folder / "index.duckdb").exists()
    store.publish_if_due(0)
    assert len(store.runs()) == 1


def test_publishing_nothing_new_leaves_the_index_alone(store):
    filled(store)
    before = (store.folder / "index.duckdb").stat()
    assert store.publish() == ()
    assert (store.folder / "index.duckdb").stat().st_ino == before.st_ino


def test_a_record_that_no_reader_could_take_is_refused_when_added(store):
    with pytest.raises(PlannerError, match="created"):
        store.add_run(run(0, created=None))
    with pytest.raises(PlannerError, match="n_points"):
        store.add_law(law(0, n_points=5.5))
    assert store.runs() == []


# What is broken is named and left out; nothing is lost in silence.


def test_damaged_and_foreign_files_are_named_and_skipped(store):
    filled(store, runs=4, laws=2)
    folder = store.folder / "runs"
    whole = (folder / "run1.1.json").read_bytes()
    (folder / "run1.1.json").write_bytes(whole[: len(whole) // 2])
    (folder / "run2.1.json").write_bytes(whole)  # another run's content under this name
    (folder / "notes.txt").write_text("bought milk")
    (folder / "nested.json").mkdir()
    (store.folder / "laws" / f"{law(0).id}.json").write_bytes(b"\x80\x04\x95pickle")
    problems = store.rebuild()
    named = sorted(line.split(":")[0] for line in problems)
    assert named == [
        f"laws/{law(0).id}.json",
        "runs/nested.json",
        "runs/notes.txt",
        "runs/run1.1.json",
        "runs/run2.1.json",
    ]
    assert "cut short" in next(line for line in problems if "run1" in line)
    assert "runs/run1.1.json" in next(line for line in problems if "run2" in line)
    assert [r.id for r in store.runs()] == ["run0", "run3"]
    assert [row.id for row in store.laws()] == [law(1).id]
    assert store.publish() == problems  # until the file is restored
    faults = store.check()
    assert all(
        any(fault.startswith(line) and "restore the file" in fault for fault in faults) for line in problems
    )
    with pytest.raises(FileError) as refused:
        store.law(law(0).id)
    assert (refused.value.code, refused.value.hints[0].names) == ("foreign-file", ("store", "check"))


def test_a_damaged_record_is_mended_by_putting_the_file_back(store):
    filled(store)
    path = store.folder / "runs" / "run1.1.json"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert len(store.publish()) == 1
    path.write_bytes(whole)
    assert store.publish() == ()
    assert store.check() == ()
    assert len(store.runs()) == 5


def test_a_damaged_file_that_is_deleted_is_no_longer_named(store):
    filled(store)
    path = store.folder / "runs" / "notes.txt"
    path.symlink_to("nowhere")
    assert len(store.publish()) == 1
    path.unlink()
    assert store.publish() == ()
    assert store.check() == ()
    assert len(store.runs()) == 5


def test_a_file_that_vanished_is_told_by_check_and_forgotten_by_rebuild(store):
    filled(store)
    (store.folder / "runs" / "run1.1.json").unlink()
    assert store.publish() == ()
    assert len(store.runs()) == 5
    (fault,) = store.check()
    assert "runs/run1.1.json" in fault
    assert "restore the file" in fault
    store.rebuild()
    assert [r.id for r in store.runs()] == ["run0", "run2", "run3", "run4"]
    assert store.check() == ()


def test_rebuilding_gives_the_same_index(store):
    filled(store, runs=30, laws=3)
    store.add_run(run(3, attempt=2))
    store.add_law(law(1, created="2027-01-01T00:00:00Z"))
    store.add_sweep(sweep(planned=5))
    store.publish()
    before = tables(store)
    (store.folder / "index.duckdb").unlink()
    assert store.rebuild() == ()
    assert tables(store) == before


def test_check_finds_an_index_that_says_something_else_than_the_files(store):
    filled(store)
    with contextlib.closing(duckdb.connect(str(store.folder / "index.duckdb"))) as connection:
        connection.execute("update runs set params = 1 where id = 'run2'")
        connection.execute("delete from draws")
    (fault,) = store.check()
    assert "runs, draws" in fault
    assert "rebuild the index" in fault
    store.rebuild()
    assert store.check() == ()


@pytest.mark.parametrize("content", [b"", b"not a database at all", None])
def test_a_damaged_index_is_made_anew(store, content):
    filled(store)
    path = store.folder / "index.duckdb"
    if content is None:
        half = path.read_bytes()
        content = half[:4096] + bytes(len(half) - 4096)
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        store.runs()
    assert (refused.value.code, refused.value.hints[0].names) == ("unreadable-index", ("store", "rebuild"))
    assert len(store.laws()) == 2
    assert any("rebuild the index" in fault for fault in store.check())
    store.add_run(run(9))
    store.publish()
    assert len(store.runs()) == 6
    assert store.check() == ()


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"format": "later", "laws": []}', b'{"format": "scaling-planner/laws/1"}', None]
)
def test_the_index_answers_where_the_list_of_laws_cannot(store, content):
    filled(store, laws=2)
    listed = store.laws()
    path = store.folder / "laws.json"
    path.unlink() if content is None else path.write_bytes(content)
    assert store.laws() == listed
    (fault,) = store.check()
    assert "laws.json" in fault
    store.rebuild()
    assert store.check() == ()
    assert json.loads(path.read_bytes())["laws"][0]["id"] == law(1).id


def test_a_lost_index_is_made_by_the_first_reader(store):
    filled(store)
    (store.folder / "index.duckdb").unlink()
    assert len(store.runs()) == 5


def test_leftovers_of_a_cut_off_write_are_told_and_harmless(store):
    filled(store)
    (store.folder / "runs" / ".run9.1.json.123-456").write_bytes(b'{"format"')
    (store.folder / ".index-999.duckdb").write_bytes(b"half")
    (store.folder / ".index-999.duckdb.tmp").mkdir()
    (store.folder / ".laws.json.999-1").write_bytes(b"{")
    store.publish()
    assert not list(store.folder.glob(".*"))
    assert len(store.runs()) == 5
    (fault,) = store.check()
    assert "delete it" in fault


# The schema grows by numbered steps.

FIRST = schema.STEPS[0]
NEXT = ("alter table runs add column twice double", "create table extra (a integer)")


def test_an_old_store_is_brought_up_to_date_and_keeps_its_rows(store, monkeypatch):
    filled(store)
    before = store.runs()
    gone = store.folder / "runs" / "run1.1.json"
    content = gone.read_bytes()
    gone.unlink()  # what only the index still holds must survive a migration
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, NEXT))
    assert store.runs() == before
    with contextlib.closing(index.connect(store.folder / "index.duckdb", read_only=True)) as connection:
        assert schema.version(connection) == len(schema.STEPS)
        assert connection.execute("select twice from runs").fetchall() == [(None,)] * 5
        assert connection.execute("select count(*) from extra").fetchall() == [(0,)]
        storage = connection.execute("select tags from duckdb_databases() where not internal").fetchall()[0][
            0
        ]
    gone.write_bytes(content)
    assert store.publish() == ()
    assert "1.4" in str(storage)


def make_old(store, steps):
    """Put an index of an older version, without rows, in the place of the published one."""
    path = store.folder / "index.duckdb"
    path.unlink()
    (store.folder / "sequence").unlink(missing_ok=True)
    with contextlib.closing(index.connect(path, read_only=False)) as connection:
        connection.execute("create table schema_steps (step integer not null)")
        for number, statements in enumerate(schema.STEPS[:steps], start=1):
            for statement in statements:
                connection.execute(statement)
            connection.execute("insert into schema_steps values (?)", [number])


def test_an_index_from_before_forecasts_gets_those_of_the_files(store):
    """A store of the first release gets the forecasts that are added, and loses no row."""
    for i in range(2):
        store.add_run(run(i))
    store.add_law(law())
    store.publish()
    make_old(store, steps=1)
    kept = forecast()
    store.add_forecast(kept)
    store.add_outcome(outcome(kept))
    store.publish()
    assert [row.id for row in store.forecasts()] == [kept.id]
    assert (len(store.runs()), len(store.laws()), store.outcomes()) == (2, 1, [outcome(kept)])
    assert store.check() == ()


def test_every_step_is_taken_from_the_first_on(tmp_path):
    """An index that was made by the very first release reads like one made today."""
    path = tmp_path / "old.duckdb"
    with contextlib.closing(index.connect(path, read_only=False)) as connection:
        connection.execute("create table schema_steps (step integer not null)")
        for statement in FIRST:
            connection.execute(statement)
        connection.execute("insert into schema_steps values (1)")
        schema.migrate(connection)
        migrated = columns(connection)
    with contextlib.closing(index.connect(tmp_path / "new.duckdb", read_only=False)) as connection:
        schema.migrate(connection)
        assert columns(connection) == migrated
        assert not schema.migrate(connection)


def columns(connection):
    return connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() order by all"
    ).fetchall()


def test_an_index_of_a_newer_program_is_left_alone(store, monkeypatch):
    filled(store)
    monkeypatch.setattr(schema, "STEPS", (*schema.STEPS, NEXT))
    store.rebuild()
    monkeypatch.undo()
    before = (store.folder / "index.duckdb").read_bytes()
    for ask in (store.runs, store.publish):
        with pytest.raises(StoreError) as refused:
            ask()
        assert refused.value.code == "newer-store"
    assert (store.folder / "index.duckdb").read_bytes() == before


# Several processes at once.

WRITER = """
import sys
from pathlib import Path
from laws.storage.store import Store
from tests.laws.stored import law, run
store, first, count = Store(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
for number in range(first, first + count):
    store.add_run(run(number))
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    if number % 3 == 0:
        store.publish()
store.publish()
"""

READER = """
import sys, time
from pathlib import Path
from laws.storage.store import Store
store, until, seen = Store(Path(sys.argv[1])), time.monotonic() + float(sys.argv[2]), [0]
while time.monotonic() < until:
    begun = time.monotonic()
    found = len(store.runs())
    assert found >= seen[-1], "a reader went back in time"
    seen.append(found)
sys.stdout.write(f"{len(seen)} {seen[-1]}\\n")
"""


def child(script, *arguments, **settings):
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **settings)


def finished(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def test_two_writers_at_once_lose_nothing(store):
    for out in [child(WRITER, store.folder, first, 20) for first in (0, 1000)]:
        finished(out)
    assert {r.id for r in store.runs()} == {f"run{i}" for i in (*range(20), *range(1000, 1020))}
    assert store.check() == ()


def test_ten_readers_beside_a_writer_see_whole_states_and_never_fail(store):
    filled(store, runs=1, laws=0)
    writer = child(WRITER, store.folder, 1, 15)
    readers = [child(READER, store.folder, 1) for _ in range(10)]
    finished(writer)
    for reader in readers:
        reads, _ = finished(reader).split()
        assert int(reads) > 1
    assert len(store.runs()) == 16


def test_a_reader_does_not_wait_for_a_writer_that_holds_the_lock(store):
    filled(store)
    with store.exclusive("index"):
        begun = time.monotonic()
        assert len(store.runs()) == 5
        assert store.catch_up() == ()
        assert time.monotonic() - begun < 20


def killed(store, delay, first):
    """Start a writer, kill it after `delay` seconds, return the runs that it acknowledged."""
    writer = child(WRITER, store.folder, first, 1000)
    acknowledged = [writer.stdout.readline()]  # it is at work
    timer = threading.Timer(delay, writer.send_signal, (signal.SIGKILL,))
    timer.start()
    acknowledged += writer.stdout.read().splitlines()
    writer.wait(timeout=60)
    timer.cancel()
    assert writer.returncode == -signal.SIGKILL, writer.stderr.read()
    writer.stdout.close()
    writer.stderr.close()
    return {f"run{line.strip()}" for line in acknowledged if line.strip()}


@pytest.mark.parametrize("kills", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_a_killed_writer_loses_nothing_that_it_acknowledged(store, kills):
    rng = random.Random(kills)
    kept = set()
    for round_ in range(kills):
        kept |= killed(store, rng.uniform(0.0, 0.4), 10_000 * round_)
        assert kept <= set(store.attempts(kept)), "an acknowledged run is gone"
        if (store.folder / "index.duckdb").exists():
            store.runs()  # whatever is published is whole
    assert store.catch_up() == ()
    found = {r.id for r in store.runs()}
    assert kept <= found
    assert len(found) <= len(kept) + kills  # at most the one that each was writing
    assert all("delete it" in fault for fault in store.check())
    assert len(kept) > kills


def test_a_lock_ends_with_its_process(store):
    holder = child(
        """
        import sys, time
        from pathlib import Path
        from laws.storage.store import Store
        with Store(Path(sys.argv[1])).exclusive("sweep-a"):
            sys.stdout.write("held\\n")
            sys.stdout.flush()
            time.sleep(60)
        """,
        store.folder,
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreBusyError) as refused, store.exclusive("sweep-a", wait=False):
        pass
    assert (refused.value.code, refused.value.value) == ("store-busy", "sweep-a")
    with store.exclusive("sweep-b", wait=False):
        pass
    holder.kill()
    holder.communicate()
    with store.exclusive("sweep-a", wait=False):
        pass


# The disk refuses.


@contextlib.contextmanager
def files_of_at_most(size):
    """Let no file of this process grow beyond `size` bytes: what a full disk looks like to a writer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_one_line_and_leaves_the_store_whole(store):
    filled(store)
    big = law(5, draws=2000)
    with files_of_at_most(20_000), pytest.raises(StoreError, match="File too large"):
        store.add_law(big)
    store.add_run(run(8))
    with files_of_at_most(20_000), pytest.raises(StoreError):
        store.publish()
    assert len(store.runs()) == 5
    assert list(store.folder.glob(".*")) == list((store.folder / "laws").glob(".*")) == []
    store.add_law(big)
    assert store.publish() == ()
    assert len(store.runs()) == 6
    assert store.check() == ()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_disk_with_no_room_left(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mount is not allowed here: {mounted.stderr.decode().strip()}")
    try:
        store = Store(disk / "store")
        kept = []
        with pytest.raises(PlannerError, match="No space left on device"):
            for number in range(1000):
                store.add_law(law(number, draws=1000))
                kept.append(law(number, draws=1000).id)
        with pytest.raises(PlannerError):
            store.publish()
        assert kept
        assert all(store.law(id).id == id for id in kept)
        for id in kept[: len(kept) // 2 + 1]:
            law_file(store, id).unlink()
        left = kept[len(kept) // 2 + 1 :]
        assert {path.stem for path in (disk / "store" / "laws").glob("*")} == set(left)
    finally:
        subprocess.run(["umount", disk], check=True)


@contextlib.contextmanager
def read_only(folder):
    """Let a folder be read alone, also by root: a bind mount, as of a snapshot; others need no mount."""
    if os.geteuid() != 0:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
        return
    if subprocess.run(["mount", "--bind", folder, folder], capture_output=True, check=False).returncode:
        pytest.skip("mount is not allowed here")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def files_of(store):
    return sorted(path for path in store.folder.rglob("*") if "locks" not in path.parts)


@pytest.mark.parametrize("lost", [(), ("laws.json",), ("index.duckdb",), ("index.duckdb", "laws.json")])
def test_a_read_only_store_answers_as_any_other(store, lost):
    """Also where its index is missing: one is made elsewhere and thrown away."""
    expected = rows(filled(store))
    for name in lost:
        (store.folder / name).unlink()
    there = files_of(store)
    with read_only(store.folder):
        assert store.catch_up() == ()
        assert rows(store) == expected
        assert [fault.split(":")[0] for fault in store.check()] == list(lost[:1])
    assert files_of(store) == there


def test_a_read_only_store_is_checked_where_nobody_ever_locked_it(store):
    filled(store)
    shutil.rmtree(store.folder / "locks")
    with read_only(store.folder):
        assert store.check() == ()
    (store.folder / "runs" / "run1.1.json").write_bytes(b"{}")
    with read_only(store.folder):
        assert any(fault.startswith("runs/run1.1.json") for fault in store.check())


def test_an_old_index_of_a_read_only_store_is_read_as_a_new_one(store):
    filled(store, laws=0)
    make_old(store, steps=len(schema.STEPS) - 1)
    with read_only(store.folder):
        assert store.catch_up() == ()
        assert len(store.runs()) == 5


def test_a_read_only_store_whose_index_is_behind_says_so_and_shows_what_it_has(store):
    filled(store)
    store.add_run(run(7))
    with read_only(store.folder):
        with pytest.raises(StoreError) as refused:
            store.catch_up()
        assert (refused.value.code, refused.value.hints[0].names) == ("index-behind", ("store", "rebuild"))
        assert len(store.runs()) == 5


def test_writing_to_a_read_only_store_is_refused_in_one_line_that_says_what_to_do(store):
    filled(store)
    there = files_of(store)
    with read_only(store.folder):
        if os.geteuid() == 0:  # elsewhere the folders below are still the user's own
            for refused in (store.rebuild, store.publish, lambda: store.add_run(run(7))):
                with pytest.raises(StoreError, match="Read-only file system") as error:
                    refused()
                assert (error.value.code, error.value.hints[0].names) == ("unwritable-store", ("store",))
    assert files_of(store) == there


# Reading stays cheap.


def test_asking_a_law_needs_no_database_and_nothing_heavy(store):
    filled(store)
    out = finished(
        child(
            """
            import sys
            from pathlib import Path
            from laws.storage.store import Store
            store = Store(Path(sys.argv[1]))
            store.law(store.newest("speech", "wer").id)
            assert Store(Path("nowhere")).laws() == []
            heavy = {"duckdb", "numpy", "pydantic", "scipy", "emcee", "torch", "pandas", "pyarrow"}
            sys.stdout.write(",".join(sorted(heavy & set(sys.modules))))
            store.runs()
            sys.stdout.write(",".join(sorted((heavy - {"duckdb"}) & set(sys.modules))))
            """,
            store.folder,
        )
    )
    assert out == ""


def test_the_newest_law_of_a_large_store_takes_two_files(tmp_path, monkeypatch):
    """Its time does not grow with what else is stored: 1,000 laws and 500 runs, of which none is opened."""
    newest = law(1, draws=4, created="2027-01-01T00:00:00Z")
    store = Store(tmp_path)
    for record in [run(i) for i in range(500)] + [law(i, draws=4) for i in range(1000)]:
        path = store.folder / file_name(
            record
        )  # as copied from elsewhere: no fsync, this test is about reading
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(records.encode(record))
    store.add_law(newest)
    store.publish()
    opened, open_file = [], os.open

    def opening(path, *arguments, **options):
        opened.append(Path(path).relative_to(tmp_path).as_posix())
        return open_file(path, *arguments, **options)

    monkeypatch.setattr("os.open", opening)
    assert store.law(store.newest("speech", "wer").id).id == newest.id
    monkeypatch.undo()
    assert opened == ["laws.json", f"laws/{newest.id}.json"]


def test_the_questions_of_the_page_are_answered(store):
    """docs/reference/store.md shows SQL: it runs on a store as it is."""
    filled(store)
    page = Path(__file__).parents[2] / "docs" / "reference" / "store.md"
    block = page.read_text(encoding="utf-8").split("```sql\n")[1].split("```")[0]
    with contextlib.closing(index.connect(store.folder / "index.duckdb", read_only=True)) as connection:
        answers = [
            connection.execute(question).fetchall() for question in block.split(";") if question.strip()
        ]
    assert answers[0] == [(0.5 * (i + 1), 0.5) for i in range(5)]
    assert answers[1][0][0] == pytest.approx(0.3, abs=0.01)


def test_a_law_file_is_plain_json_that_numpy_reads(store):
    np = pytest.importorskip("numpy")
    import base64

    store.add_law(law(2))
    content = json.loads(law_file(store, law(2).id).read_bytes())
    packed = content["record"]["paths"]
    paths = np.frombuffer(base64.b64decode(packed["base64"]), packed["type"]).reshape(packed["shape"])
    assert paths == pytest.approx(np.array(law(2).paths), rel=1e-6)
    assert dataclasses.fields(Law)[0].name in content["record"]
