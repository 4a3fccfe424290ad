"""Laws that ship: they answer where they are asked for, say what they are, and never step in unasked."""

import json
from pathlib import Path

import pytest
from synthetic import bare, planner, power

from laws.catalog.bundled import bundled_laws
from laws.codes import WarningCode
from laws.storage.store import Store
from laws.types import FORECAST
from planner.warnings import sentence

ROW = next(row for row in bundled_laws().laws(domain="char-lm") if row.form == FORECAST)
ASK = ("--domain", "char-lm", "--target", "loss=1.9")


@pytest.fixture
def empty(tmp_path):
    return bare(tmp_path / "store")


def test_they_are_listed_as_what_they_are(empty):
    told = planner("laws", "list", "--domain", "char-lm", "--store", empty)
    assert told.code == 0
    assert "calibrated by the authors on the embedded corpus" in " ".join(told.out.split())
    listed = json.loads(planner("laws", "list", "--store", empty, "--format", "json").out)
    assert {record["source"] for record in listed} == {"published", "shipped"}
    only = json.loads(
        planner("laws", "list", "--source", "shipped", "--store", empty, "--format", "json").out
    )
    assert {record["source"] for record in only} == {"shipped"}
    assert ROW.id in {record["id"] for record in only}


@pytest.mark.parametrize("page", ["reference/bundled.md", "research/accuracy.md"])
def test_every_family_that_ships_is_in_the_tables(page):
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    families = {f"| {row.domain} | {row.family} |" for row in bundled_laws().laws()}
    missing = [family for family in families if family not in text]
    assert not missing, "make ship brings the tables up to date"


def test_unasked_a_published_law_answers_or_nothing_does(empty):
    found = json.loads(
        planner("estimate", *ASK[:2], "--target-loss", "1.2", "--store", empty, "--format", "json").out
    )
    assert found["source"] == "published"
    # shipped are losses in bits by characters; no published law is of this family
    refused = planner("estimate", *ASK, "--family", ROW.family, "--store", empty)
    assert refused.code == 1
    assert "--source shipped" in refused.err


def test_a_law_of_ones_own_answers_first(empty):
    store = Store(empty)
    store.add_law(
        power(5.0, 0.2, domain="char-lm", metric="loss", metric_unit="bits/character", family="mine")
    )
    store.publish()
    found = json.loads(planner("estimate", *ASK, "--store", empty, "--format", "json").out)
    assert (found["source"], found["family"]) == ("calibrated", "mine")
    assert ROW.id not in [other["id"] for other in found["alternatives"]]
    asked = json.loads(
        planner("estimate", *ASK, "--source", "shipped", "--store", empty, "--format", "json").out
    )
    assert asked["source"] == "shipped"


@pytest.mark.parametrize("pick", [("--source", "shipped", *ASK), ("--law", ROW.id[:8], "--target", "1.9")])
def test_an_answer_says_first_that_it_is_of_the_embedded_corpus(empty, pick):
    told = planner("estimate", *pick, "--store", empty, "--explain")
    assert told.code == 0
    text = " ".join(told.out.split())
    assert text.index(sentence(WarningCode.EMBEDDED_CORPUS)) < text.index("Probability that the target")
    warned = [
        line for line in planner("estimate", *pick, "--store", empty).out.splitlines() if line[:1] == "!"
    ]
    assert WarningCode.EMBEDDED_CORPUS in warned[0]
    found = json.loads(planner("estimate", *pick, "--store", empty, "--format", "json").out)
    assert found["source"] == "shipped"
    assert "embedded-corpus" in [warning["code"] for warning in found["warnings"]]
    assert found["companions"].keys() == {"params", "samples"}


def test_everything_that_takes_a_law_takes_them(empty, tmp_path):
    for words in (
        ("what-if", "--source", "shipped", "--domain", "char-lm", "--target", "loss=1.9,1.8"),
        ("plot", ROW.id),
        ("plot", "--source", "shipped", "--domain", "char-lm", "--out", tmp_path / "law.svg"),
        ("compare", "--source", "shipped", "--domain", "char-lm"),
        ("next", "--source", "shipped", "--domain", "char-lm", "--target", "loss=1.9", "--budget", "1e14"),
        ("laws", "show", ROW.id),
        ("laws", "export", ROW.id, "--out", tmp_path / "law.json"),
        ("laws", "import", tmp_path / "law.json", "--store", tmp_path / "other"),
    ):
        told = planner(*words, *(() if "--store" in words else ("--store", empty)))
        assert told.code == 0, (words, told.err)
    (kept,) = Store(tmp_path / "other").laws()
    assert (kept.id, kept.source) == (ROW.id, "shipped")


def test_a_kept_estimate_from_one_is_scored(empty):
    ran = planner("estimate", "--law", ROW.id, "--data", "1M", "--save", "--store", empty, "--format", "json")
    id = json.loads(ran.out)["forecast"]
    assert planner("outcome", "add", id, "--data", "1M", "--error", "1.8", "--store", empty).code == 0
    assert planner("track-record", "--store", empty).code == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--source", "shipped", "--domain", "chess", "--target-loss", "1"), "no-such-shipped-law"),
        (("--source", "fitted", "--domain", "char-lm", "--target-loss", "1"), "no-law-of-source"),
        (("--source", "shipped", "--law", "nothing", "--target-loss", "1"), "law-not-found"),
        (("--source", "fitted", "--law", ROW.id, "--target", "1.9"), "law-of-other-source"),
        (("--source", "shipped", "--law", "besiroglu2024", "--target", "2"), "law-of-other-source"),
    ],
)
def test_a_law_that_does_not_match_is_refused_in_one_line(empty, words, code):
    assert planner("estimate", *words, "--store", empty).refused == code
