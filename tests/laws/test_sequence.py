"""The order of a store: later is newer whatever the clock says, in one process or in several."""

import dataclasses
import errno
import fcntl
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from laws.errors import FileError, StoreError
from laws.storage import records
from laws.storage.records import content_id
from laws.storage.store import Store
from laws.types import Law
from tests.laws.stored import forecast, law, outcome, run, sweep

EARLY = "1999-01-01T00:00:00Z"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def set_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the clock of the numbers stand still at this time."""
    monkeypatch.setattr("laws.storage.sequence.time.time_ns", lambda: int(seconds * 1e9))


def newest(store: Store) -> str:
    row = store.newest("speech", "wer")
    assert row is not None
    return row.id


def write_old(store: Store, record: Law) -> None:
    """Write a law as versions without numbers did."""
    path = store.folder / "laws" / f"{record.id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(records.encode(record))


@pytest.mark.parametrize("step", [0, -1, -(10**8)])
def test_the_later_of_two_fits_answers_whatever_the_clock_does(
    store: Store, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """In one second, and with a clock that was set back by a second or by years."""
    for seed in range(8):
        set_clock(monkeypatch, 1.8e9 + step * seed)
        record = law(seed, created="2027-01-15T08:00:00Z")
        store.add_law(record)
        store.publish()
        assert newest(store) == record.id
    order = [row.id for row in store.laws()]
    assert order == [law(seed).id for seed in reversed(range(8))]
    assert store.rebuild() == ()
    assert [row.id for row in store.laws()] == order
    assert store.check() == ()


def test_sweeps_forecasts_and_outcomes_have_an_order_too(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        set_clock(monkeypatch, 1.8e9 - number)
        store.add_sweep(sweep(id=f"sweep{number}"))
        store.add_forecast(forecast(number % 2, name=f"{number}", created=EARLY))
        store.add_outcome(outcome(forecast(), created=EARLY, note=f"{number}"))
    store.rebuild()
    assert [plan.id for plan in store.sweeps()] == [f"sweep{number}" for number in reversed(range(6))]
    assert [row.name for row in store.forecasts()] == [f"{number}" for number in reversed(range(6))]
    assert [each.note for each in store.outcomes()] == [f"{number}" for number in range(6)]


def test_laws_of_one_fit_share_a_number_and_no_other_fit_has_it(store: Store) -> None:
    numbers = []
    for seed in (0, 10, 20):
        number = store.next_sequence()
        numbers.append(number)
        for form in ("power", "forecast"):
            store.add_law(law(seed, form=form), sequence=number)
    store.publish()
    assert numbers == sorted(set(numbers))
    assert [row.sequence for row in store.laws()] == [
        n for number in reversed(numbers) for n in (number,) * 2
    ]


def test_a_law_from_before_there_were_numbers_is_older_than_a_new_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it was made under a clock that was ahead, or the clock is behind now."""
    old = law(0, created="2090-01-01T00:00:00Z")
    older = law(1, created="2026-01-01T00:00:00Z")
    write_old(store, old)
    write_old(store, older)
    set_clock(monkeypatch, 1e9)
    new = law(2, created=EARLY)
    store.add_law(new)
    store.publish()
    assert [row.id for row in store.laws()] == [new.id, old.id, older.id]


@pytest.mark.parametrize("content", [None, b"", b"many", b"9" * 100])
def test_the_order_goes_on_without_the_file_of_the_last_number(
    store: Store, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    set_clock(monkeypatch, 1.8e9)
    store.add_law(law(0))
    path = store.folder / "sequence"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    set_clock(monkeypatch, 1e9)
    store.add_law(law(1))
    store.publish()
    assert [row.id for row in store.laws()] == [law(1).id, law(0).id]


def test_a_copy_of_a_store_and_files_copied_from_another_keep_the_order(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_clock(monkeypatch, 1.8e9)
    store.add_law(law(0))
    other = Store(tmp_path / "other")
    shutil.copytree(store.folder, other.folder)
    set_clock(monkeypatch, 1.9e9)
    other.add_law(law(1))
    set_clock(monkeypatch, 1.8e9)
    store.add_law(law(2))
    shutil.copy(other.folder / "laws" / f"{law(1).id}.json", store.folder / "laws")
    store.publish()
    assert [row.id for row in store.laws()] == [law(1).id, law(2).id, law(0).id]
    store.add_law(law(3))  # the clock is behind the copied law
    store.publish()
    assert newest(store) == law(3).id


def test_a_law_fitted_again_is_the_newest_and_stored_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_clock(monkeypatch, 1.8e9)
    for seed in (0, 1, 0):
        store.add_law(law(seed))
    store.publish()
    assert [row.id for row in store.laws()] == [law(0).id, law(1).id]


def imported(store: Store, record: Law) -> None:
    store.import_law(record, sequence=records.sequence_of(records.encode(record), Law))


def test_an_imported_law_has_the_time_it_was_made_and_hides_no_later_one(store: Store) -> None:
    store.add_law(law(0))
    imported(store, law(1, created="2020-01-01T00:00:00Z"))
    imported(store, law(2, created="2021-01-01T00:00:00Z"))
    imported(store, law(3, created="2999-01-01T00:00:00Z"))  # a clock that was ahead
    store.add_law(law(4, created=EARLY))
    imported(store, law(4, created="2022-01-01T00:00:00Z"))  # stored already
    store.publish()
    assert [row.id for row in store.laws()] == [law(seed).id for seed in (4, 3, 0, 2, 1)]


def test_processes_at_once_get_different_numbers_and_a_kill_reuses_none(store: Store) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from laws.storage.store import Store
        store = Store(Path(sys.argv[1]))
        for _ in range(int(sys.argv[2])):
            print(store.next_sequence(), flush=True)
        """
    )
    command = [sys.executable, "-c", script, str(store.folder)]
    killed = subprocess.Popen([*command, "100000"], stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    first = killed.stdout.readline()
    writers = [subprocess.Popen([*command, "20"], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    numbers = [[int(line) for line in writer.communicate(timeout=120)[0].split()] for writer in writers]
    killed.kill()
    rest = killed.communicate()[0].splitlines(keepends=True)
    numbers.append([int(line) for line in (first, *rest) if line.endswith("\n")])
    together = [number for one in numbers for number in one]
    assert len(set(together)) == len(together)
    assert all(one == sorted(one) for one in numbers)
    assert store.next_sequence() > max(together)


# File systems and files that are not as usual.


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_hard_links_stores_records_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    store.add_run(run(0))
    store.add_run(run(0, seconds=99.0))
    assert store.attempts(["run0"]) == {"run0": (run(0),)}
    assert [path.name for path in (store.folder / "runs").iterdir()] == ["run0.1.json"]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_refused_before_any_work(
    store: Store, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    for refused in (store.check_writable, store.next_sequence, lambda: store.exclusive("a").__enter__()):
        with pytest.raises(StoreError) as error:
            refused()
        assert error.value.code == "no-file-locks"
        assert str(store.folder.parent) in error.value.message
    assert "\n" not in str(error.value)


def test_checking_a_store_for_writing_creates_nothing(store: Store) -> None:
    store.check_writable()
    assert not store.folder.exists()
    assert list(store.folder.parent.iterdir()) == []


@pytest.mark.parametrize("kind", ["pipe", "device"])
@pytest.mark.parametrize(
    "name", ["runs/run9.1.json", "laws/law9.json", "laws.json", "index.duckdb", "sequence"]
)
def test_a_pipe_or_a_device_in_a_store_never_waits(store: Store, kind: str, name: str) -> None:
    store.add_run(run(0))
    store.add_law(law(0))
    store.publish()
    path = store.folder / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    start = time.monotonic()
    if name.endswith(("9.json", "9.1.json")):
        (problem,) = store.publish()
        assert problem.startswith(name)
        with pytest.raises(FileError) as refused:
            store._files.read(name, Law)
        assert refused.value.code == "not-a-file"
    else:
        store.publish()
        store.add_law(dataclasses.replace(law(1), id=content_id(law(1))))
        store.rebuild()
        assert newest(store) == law(1).id
    assert time.monotonic() - start < 60


def test_a_lock_is_no_link_to_another_file(store: Store, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (store.folder / "locks").mkdir(parents=True)
    (store.folder / "locks" / "index").symlink_to(victim)
    with pytest.raises(StoreError):
        store.publish()
    assert not victim.exists()


def test_links_in_place_of_temporary_files_are_not_followed(store: Store, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("before")
    store.add_run(run(0))
    (store.folder / f".index-{os.getpid()}.duckdb").symlink_to(victim)
    assert store.publish() == ()
    assert victim.read_text() == "before"
    assert list(store.folder.glob(".*")) == []
