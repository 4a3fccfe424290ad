"""`planner sweeps`: how far a sweep is, from another terminal."""

import json

import pytest

from laws.storage.store import Store
from tests.laws.stored import run, sweep
from tests.planner.synthetic import planner


@pytest.fixture
def store(tmp_path):
    opened = Store(tmp_path / "store")
    opened.add_sweep(sweep(planned=4, runs=("run0", "run1", "run2", "run7")))
    opened.add_run(run(0, data=1.0, metrics={"wer": 0.5, "cer": 0.2}, created="2026-01-01T00:00:00Z"))
    opened.add_run(run(1, data=1.0, metrics={"wer": 0.4, "cer": 0.3}, created="2026-01-01T00:01:00Z"))
    opened.add_run(run(2, status="diverged", reason="NaN", metrics={}, created="2026-01-01T00:02:00Z"))
    opened.publish()
    return opened


def shown(store, *words):
    ran = planner("sweeps", *words, "--store", store.folder, "--format", "json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_a_stopped_sweep_says_how_far_it_came(store):
    (listed,) = shown(store, "list")
    assert listed == shown(store, "show", "sweep-a")
    assert (listed["status"], listed["planned"], listed["finished"], listed["failed"]) == ("stopped", 4, 2, 1)
    assert listed["seconds_left"] == 60, "one training is left, and one ended every minute"
    assert listed["device_seconds"] == 4.5
    assert [best["error"] for best in listed["best"]] == [0.4], "the first metric of the domain decides"
    assert "planner calibrate" in planner("sweeps", "show", "sweep", "--store", store.folder).out


def test_a_sweep_that_another_process_works_on_is_running(store):
    with store.exclusive("sweep-sweep-a"):
        assert shown(store, "show", "sweep-a")["status"] == "running"
        assert "planner calibrate" not in planner("sweeps", "show", "sweep", "--store", store.folder).out
    assert shown(store, "show", "sweep-a")["status"] == "stopped"


def test_runs_count_before_they_are_published(store):
    store.add_run(run(7, data=2.0, metrics={"wer": 0.3, "cer": 0.1}, created="2026-01-01T00:03:00Z"))
    state = shown(store, "show", "sweep-a")
    assert (state["status"], state["seconds_left"]) == ("complete", 0)
    assert [best["data"] for best in state["best"]] == [1, 2]


def test_looking_changes_nothing_and_unknown_sweeps_are_refused(store):
    before = sorted(path.name for path in store.folder.rglob("*"))
    assert planner("sweeps", "show", "none", "--store", store.folder).refused == "unknown-sweep"
    shown(store, "list")
    assert sorted(path.name for path in store.folder.rglob("*")) == before
    assert shown(store, "list", "--domain", "image") == []


def test_the_table_fits_80_columns(store, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for words in (("list",), ("show", "sweep")):
        lines = planner("sweeps", *words, "--store", store.folder).out.splitlines()
        assert max(map(len, lines)) <= 80
