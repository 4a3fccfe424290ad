"""Laws are deleted, brought back and renamed; names that people type are read as they are meant."""

import json
from dataclasses import replace

import pytest
from synthetic import planner, power

from laws.storage.records import content_id
from laws.storage.store import Store

TARGET = ("--target-wer", "8%")


@pytest.fixture
def store(tmp_path):
    """Return a store with an older and a newer fitted law of one domain; the newer has two metrics."""
    opened = Store(tmp_path / "store")
    opened.add_law(power(0.4, 0.3, 0.02, source="fitted", domain="asr", family=""))
    number = opened.next_sequence()
    for law in (
        power(0.5, 0.3, 0.02, source="fitted", domain="asr", family=""),
        power(0.2, 0.3, 0.01, source="fitted", domain="asr", family="", metric="cer"),
    ):
        opened.add_law(law, sequence=number)
    opened.publish()
    return opened


def ids(store, *words):
    rows = json.loads(planner("laws", "list", "--store", store.folder, "--format", "json", *words).out)
    return [row["id"] for row in rows if row["source"] == "fitted"]


def answering(store):
    return json.loads(planner("estimate", *TARGET, "--store", store.folder, "--format", "json").out)["law"]


def test_a_deleted_law_answers_nothing_until_it_is_brought_back(store):
    newest, before = answering(store), ids(store)
    assert planner("laws", "delete", newest[:6], "--store", store.folder).code == 0
    assert newest not in ids(store)
    assert answering(store) != newest
    assert planner("estimate", *TARGET, "--law", newest, "--store", store.folder).refused == "deleted-law"
    assert ids(store, "--deleted") == [newest]
    assert store.law(newest).id == newest, "what was made with it can be made again"
    assert planner("store", "check", "--store", store.folder).code == 0
    assert planner("store", "rebuild", "--store", store.folder).code == 0
    assert newest not in ids(store)
    assert planner("laws", "delete", "--undo", newest, "--store", store.folder).code == 0
    assert ids(store) == before
    assert answering(store) == newest


def test_a_whole_fit_is_deleted_and_comes_back(store):
    newest = answering(store)
    assert planner("laws", "delete", newest, "--fit", "--store", store.folder).code == 0
    assert len(ids(store)) == 1
    assert planner("laws", "delete", newest, "--fit", "--undo", "--store", store.folder).code == 0
    assert len(ids(store)) == 3


def test_a_law_that_is_stored_again_is_not_deleted(store):
    newest = answering(store)
    store.delete_law(newest)
    store.add_law(store.law(newest))
    assert answering(store) == newest


def test_an_id_that_names_no_law_deletes_none(store):
    before = ids(store)
    for words in (("nothing",), ("hestness2017-wordlm",), (before[0], "nothing"), ("--undo", before[0])):
        assert planner("laws", "delete", *words, "--store", store.folder).refused == "law-not-found"
    assert ids(store) == before


def test_a_renamed_fit_keeps_its_numbers_and_its_place(store):
    newest = answering(store)
    before = json.loads(planner("estimate", *TARGET, "--store", store.folder, "--format", "json").out)
    ran = planner(
        "laws", "rename", newest, "--domain", "calls", "--family", "conformer", "--store", store.folder
    )
    assert ran.code == 0, ran.error
    after = json.loads(
        planner("estimate", *TARGET, "--domain", "calls", "--store", store.folder, "--format", "json").out
    )
    assert after["data"] == before["data"]
    assert (after["domain"], after["family"]) == ("calls", "conformer")
    rows = {row.metric: row for row in store.laws(domain="calls")}
    assert rows.keys() == {"wer", "cer"}, "laws of one fit stay together"
    assert store.law(after["law"]).provenance["renamed_from"] == newest
    assert newest in ids(store, "--deleted")
    assert planner("store", "check", "--store", store.folder).code == 0


def test_what_cannot_be_renamed_is_refused(store):
    calibrated = power(0.4, 0.3, 0.02)
    store.add_law(calibrated)
    store.publish()
    refused = {
        ("rename", calibrated.id, "--domain", "x"): "law-not-fitted",
        ("rename", answering(store), "--domain", " "): "missing-name",
        ("rename", "nothing", "--domain", "x"): "law-not-found",
        ("rename", ids(store)[0]): "missing-name",
    }
    for words, code in refused.items():
        assert planner("laws", *words, "--store", store.folder).refused == code


def test_a_target_needs_its_metric_only_where_there_are_several(store):
    ask = ("estimate", "--target", "8%", "--store", store.folder)
    assert planner(*ask).refused == "target-without-metric"
    (cer,) = (row.id for row in store.laws(metric="cer"))
    planner("laws", "delete", cer, "--store", store.folder)
    assert planner(*ask).code == 0
    assert planner("what-if", "--target", "8%,9%", "--store", store.folder).code == 0


@pytest.mark.parametrize("make", [True, False])
def test_a_folder_without_a_store_leaves_published_laws_to_answer(tmp_path, make):
    folder = tmp_path / "none"
    if make:
        folder.mkdir()
    ran = planner("estimate", "--target-loss", "2.5", "--domain", "language", "--store", folder)
    assert ran.code == 0
    assert str(folder) in ran.err
    assert planner("laws", "list", "--store", folder).code == 0
    assert planner("runs", "list", "--store", folder).refused == "no-store"
    assert not any(folder.iterdir()) if make else not folder.exists()


def test_an_outcome_is_added_by_the_name_of_its_forecast(store):
    saved = ("estimate", *TARGET, "--store", store.folder, "--save", "--name", "June plan")
    assert planner(*saved).code == 0
    store.publish()
    add = ("outcome", "add", "June plan", "--error", "8.1%", "--store", store.folder)
    assert planner(*add).code == 0
    assert planner("forecasts", "show", "June plan", "--store", store.folder).code == 0
    again = replace(store.forecast("June plan"), seed=5, id="")
    store.add_forecast(replace(again, id=content_id(again)))
    store.publish()
    assert planner(*add).refused == "ambiguous-name"
    assert planner("outcome", "add", "July plan", "--error", "8%", "--store", store.folder).refused
