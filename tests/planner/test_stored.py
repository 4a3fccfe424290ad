"""`planner runs`, `planner laws` and `planner store` on a real store."""

import csv
import io
import json
import shutil

import pytest

from laws.catalog.bundled import bundled_laws
from laws.catalog.published import all_laws
from laws.storage.store import Store
from tests.laws.stored import law, law_file, run, same_law, sweep
from tests.planner.synthetic import planner


@pytest.fixture(autouse=True)
def wide_screen(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("made") / "store")
    for i in range(4):
        store.add_run(run(i))
    store.add_run(run(1, attempt=2, status="diverged", reason="loss became NaN", metrics={}, seconds=None))
    store.add_run(run(9, domain="char-lm", sweep="other", data_unit="characters", hyper={}))
    store.add_sweep(sweep())
    store.add_law(law(1))
    store.add_law(law(2, metric="loss", metric_unit="nats/character"))
    store.publish()
    return store.folder


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "store")


def answered(*arguments):
    ran = planner(*arguments)
    assert ran.code == 0, ran.err
    return ran.out


def as_json(*arguments):
    return json.loads(answered(*arguments, "--format", "json"))


def refused(*arguments):
    ran = planner(*arguments)
    assert ran.code == 1
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    return ran.err


def test_a_run_is_listed_once_as_its_last_attempt_left_it(folder):
    found = as_json("runs", "list", "--store", folder)
    assert [(r["id"], r["status"], r["attempts"]) for r in found] == [
        ("run0", "finished", 1),
        ("run1", "diverged", 2),
        ("run2", "finished", 1),
        ("run3", "finished", 1),
        ("run9", "finished", 1),
    ]
    assert found[0]["metrics"] == {"wer": 0.5, "cer": 0.25}
    assert (found[0]["data"], found[0]["data_unit"], found[0]["params"], found[0]["seconds"]) == (
        0.5,
        "hours",
        1000,
        1.5,
    )


def test_runs_are_narrowed_by_domain_sweep_and_how_they_ended(folder):
    def ids(*options):
        return [r["id"] for r in as_json("runs", "list", "--store", folder, *options)]

    assert ids("--domain", "char-lm") == ["run9"]
    assert ids("--sweep", "sweep-a") == ["run0", "run1", "run2", "run3"]
    assert ids("--sweep", "sweep") == ids("--sweep", "sweep-a")
    assert "0 sweeps" in refused("runs", "list", "--store", folder, "--sweep", "lost")
    assert "0 sweeps" in refused("runs", "export", "--store", folder, "--sweep", "lost")
    assert ids("--status", "diverged") == ["run1"]
    assert ids("--status", "finished", "--domain", "speech") == ["run0", "run2", "run3"]
    assert planner("runs", "list", "--store", folder, "--status", "lost").code == 2


def test_the_table_of_runs_says_why_one_failed(folder):
    out = answered("runs", "list", "--store", folder)
    assert "5 runs, 4 finished" in out
    assert "run1 diverged: loss became NaN" in out
    assert "50%" in out


def test_runs_of_one_kind_fit_a_narrow_screen(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = answered("runs", "list", "--store", folder, "--sweep", "sweep-a", "--status", "finished")
    assert out.splitlines()[0] == "3 runs of speech, ds2, 3 finished"
    assert out.splitlines()[2].split() == ["id", "status", "data,", "hours", "params", "wer", "cer", "time"]
    assert len([line for line in out.splitlines() if " finished " in line]) == 3
    both = answered("runs", "list", "--store", folder)
    assert both.splitlines()[2].split()[:4] == ["id", "status", "attempts", "of"]


def test_one_run_shows_every_attempt(folder):
    found = as_json("runs", "show", "run1", "--store", folder)
    assert [(a["attempt"], a["status"]) for a in found["attempts"]] == [(1, "finished"), (2, "diverged")]
    line = next(
        row for row in answered("runs", "show", "run1", "--store", folder).splitlines() if "wer" in row
    )
    assert line.split() == ["wer", "50%", "-"]
    assert "id 'nope' matches 0 runs" in refused("runs", "show", "nope", "--store", folder)
    assert "id 'run' matches 5 runs" in refused("runs", "show", "run", "--store", folder)


def test_exported_runs_are_flat_rows_with_every_attempt(folder):
    rows = list(csv.DictReader(io.StringIO(answered("runs", "export", "--store", folder))))
    assert len(rows) == 6
    assert rows[0]["wer"] == "0.5"
    assert rows[0]["hyper.learning_rate"] == "0.001"
    assert [row["attempt"] for row in rows if row["id"] == "run1"] == ["1", "2"]
    assert len(as_json("runs", "export", "--store", folder, "--status", "finished")) == 5


def test_runs_of_a_killed_writer_are_listed(folder):
    Store(folder).add_run(run(5))  # never published
    assert "run5" in {r["id"] for r in as_json("runs", "list", "--store", folder)}


def test_before_anything_was_measured_every_published_and_every_shipped_law_is_listed(tmp_path, monkeypatch):
    monkeypatch.delenv("PLANNER_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))  # the default store is not there yet
    assert as_json("runs", "list") == []
    assert "0 runs" in answered("runs", "list")
    assert "`planner calibrate` makes runs" in answered("runs", "list")
    assert answered("runs", "export") == "", "no empty line, no row without names"
    ran = planner("laws", "list", "--format", "json")
    assert (len(json.loads(ran.out)), ran.err) == (len(all_laws()) + len(bundled_laws().laws()), "")
    assert not (tmp_path / "none").exists()


PUBLISHED = (  # what published laws can answer too
    ("estimate", "--domain", "word-lm", "--target-loss", "2.48"),
    ("what-if", "--domain", "word-lm", "--target-loss", "2.48,3"),
    ("frontier", "--domain", "word-lm", "--against", "data", "--from", "1M", "--to", "1B", "--points", "2"),
    ("review", "docs/examples/plan.toml"),
    ("laws", "list"),
    ("laws", "show", "hestness2019-wordlm-curve"),
    ("laws", "export", "hestness2019-wordlm-curve"),
)
READING = (
    ("plot", "--domain", "word-lm"),
    ("compare", "--domain", "word-lm"),
    ("next", "--domain", "word-lm", "--target-loss", "2.48", "--budget", "1h"),
    ("check", "runs.csv", "--domain", "word-lm"),
    ("forecasts", "list"),
    ("forecasts", "show", "ab"),
    ("outcome", "list"),
    ("outcome", "add", "ab", "--error", "3"),
    ("track-record",),
    ("runs", "list"),
    ("runs", "show", "ab"),
    ("runs", "export"),
    ("store", "check"),
    ("store", "rebuild"),
)


@pytest.mark.parametrize("words", PUBLISHED, ids=" ".join)
def test_a_named_store_that_is_none_leaves_published_laws_to_answer(words, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other" / "notes").mkdir(parents=True)
    for name, reason in (("nowhere", "it does not exist"), ("empty", "it is empty")):
        ran = planner(*words, "--store", tmp_path / name)
        assert (ran.code, ran.err.count("\n")) == (0, 1)
        assert reason in ran.err
    assert "it has neither runs nor laws" in refused(*words, "--store", tmp_path / "other")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "notes", "other"]


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_named_store_that_is_none_is_said_in_one_line_and_answers_nothing(words, tmp_path, monkeypatch):
    """A typo must not look like a store without laws."""
    (tmp_path / "file").write_text("no store", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    (tmp_path / "other" / "notes").mkdir(parents=True)
    for name, said in (
        ("nowhere", "it does not exist"),
        ("empty", "it is empty"),
        ("other", "it has neither runs nor laws"),
        ("file", "expected a folder, got a file"),
    ):
        assert said in refused(*words, "--store", tmp_path / name)
        monkeypatch.setenv("PLANNER_STORE", str(tmp_path / name))
        assert said in refused(*words)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "file", "notes", "other"]


def test_laws_from_elsewhere_are_asked_by_source_without_a_store(tmp_path):
    missing = ("--store", tmp_path / "none")
    assert as_json(*PUBLISHED[0], "--source", "published", *missing)["source"] == "published"
    assert {row["source"] for row in as_json("laws", "list", "--source", "shipped", *missing)} == {"shipped"}


def test_an_estimate_that_is_kept_makes_its_store_and_says_that_none_was_there(tmp_path):
    words = (*PUBLISHED[0], "--save", "--store", tmp_path / "new")
    first, second = planner(*words), planner(*words)
    assert (first.code, first.err.count("\n")) == (0, 1)
    assert "it does not exist: using laws from elsewhere" in first.err
    assert (second.code, second.err) == (0, "")


def test_laws_are_listed_stored_ones_first_and_narrowed(folder):
    found = as_json("laws", "list", "--store", folder)
    assert [r["source"] for r in found[:3]] == ["calibrated", "calibrated", "published"]
    assert {r["id"] for r in as_json("laws", "list", "--store", folder, "--source", "calibrated")} == {
        law(1).id,
        law(2, metric="loss", metric_unit="nats/character").id,
    }
    word = as_json("laws", "list", "--store", folder, "--domain", "word-lm", "--metric", "loss")
    assert word[0]["id"] == "hestness2019-wordlm-curve"
    assert word[0]["inputs"] == {"data": "words"}
    assert "ratios only" in answered("laws", "list", "--store", folder, "--domain", "word-lm")


def test_a_stored_law_is_shown_with_its_spread_and_what_it_says(folder):
    found = as_json("laws", "show", law(1).id[:8], "--store", folder)
    assert (
        found["parameters"]["beta"]["q05"]
        < found["parameters"]["beta"]["median"]
        < found["parameters"]["beta"]["q95"]
    )
    assert [round(p["x"], 6) for p in found["predictions"]] == [1, 10, 100, 1000, 10000]
    assert found["predictions"][1]["median"] == pytest.approx(10**-0.3, rel=0.05)
    assert found["definitions"] == {"metric": "word errors over words"}
    out = answered("laws", "show", law(1).id, "--store", folder)
    assert "5 points from 1 to 10 hours of audio" in out
    assert "rhat" in out


def test_a_stored_law_without_a_unit_has_no_empty_brackets_and_tells_its_warnings(tmp_path):
    made = law(3, metric="loss", metric_unit="", warnings=("few-points",))
    store = Store(tmp_path)
    store.add_law(made)
    store.publish()
    shown = " ".join(answered("laws", "show", made.id, "--store", tmp_path).split())
    assert "()" not in shown
    assert "The law has few points for its form, so its shape is largely assumed. [few-points]" in shown


def test_a_published_law_is_shown_with_its_source_and_units(folder):
    out = answered("laws", "show", "hestness2019-wordlm-size", "--store", folder)
    assert "arXiv:1909.01736" in out
    assert "is 1,000,000 parameters" in out
    found = as_json("laws", "show", "besiroglu2024", "--store", folder)
    assert found["parameters"]["E"] == 1.81686
    assert found["equation"] == "E + A/N^a + B/D^b"
    assert "exponents only" in answered("laws", "show", "porian2024-a-tuned-optimiser", "--store", folder)


def test_a_law_travels_to_another_store(folder, tmp_path):
    file = tmp_path / "law.json"
    said = answered("laws", "export", law(1).id, "--store", folder, "--output", file)
    assert said == f"{file}: law {law(1).id} as json\n"
    other = tmp_path / "other"
    assert law(1).id in answered("laws", "import", file, "--store", other)
    answered("laws", "import", file, "--store", other)  # again changes nothing
    assert [r["id"] for r in as_json("laws", "list", "--store", other, "--source", "calibrated")] == [
        law(1).id
    ]
    assert same_law(Store(other).law(law(1).id), law(1))
    assert answered("laws", "export", law(1).id, "--store", other) == file.read_text()


def test_laws_travel_as_a_folder_and_several_at_once(folder, tmp_path):
    theirs = folder / "laws"
    count = len(list(theirs.glob("*.json")))
    assert count > 1
    out = answered("laws", "import", theirs, "--store", tmp_path / "one")
    assert len(out.splitlines()) == count
    files = sorted(theirs.glob("*.json"))
    answered("laws", "import", *files, "--store", tmp_path / "other")
    assert answered("laws", "import", tmp_path / "one", "--store", tmp_path / "whole") == out
    for name in ("one", "other"):
        listed = as_json("laws", "list", "--store", tmp_path / name, "--source", "calibrated")
        assert len(listed) == count


def test_of_several_laws_none_is_stored_where_one_is_damaged(folder, tmp_path):
    parcel = tmp_path / "parcel"
    parcel.mkdir()
    for i, file in enumerate(sorted((folder / "laws").glob("*.json"))):
        raw = file.read_bytes()
        (parcel / file.name).write_bytes(raw[:-20] if i == 1 else raw)
    assert "cut short, or changed" in refused("laws", "import", parcel, "--store", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    (tmp_path / "empty").mkdir()
    assert "without .json files" in refused(
        "laws", "import", tmp_path / "empty", "--store", tmp_path / "other"
    )


@pytest.mark.parametrize("kind", ["csv", "parquet", "nc"])
def test_the_name_of_the_file_says_what_a_law_is_exported_as(folder, tmp_path, kind):
    if kind == "nc":
        pytest.importorskip("h5netcdf", reason="needs the extra `netcdf`")
    out = tmp_path / f"law.{kind}"
    assert (
        answered("laws", "export", law(1).id, "--store", folder, "--out", out)
        == f"{out}: law {law(1).id} as {kind}\n"
    )
    assert out.read_bytes()[:4] == {"csv": b"alph", "parquet": b"PAR1", "nc": b"\x89HDF"}[kind]
    if kind != "csv":
        words = ("laws", "export", law(1).id, "--store", folder, "--format", kind)
        assert "--out law." in refused(*words)
        assert "No such file" in refused(*words, "--out", tmp_path / "none" / "x")
    assert "published without posterior samples" in refused(
        "laws", "export", "besiroglu2024", "--store", folder, "--out", tmp_path / f"x.{kind}"
    )


def test_draws_are_exported_as_csv(folder):
    rows = list(
        csv.DictReader(
            io.StringIO(answered("laws", "export", law(1).id, "--store", folder, "--format", "csv"))
        )
    )
    assert [float(row["beta"]) for row in rows] == list(law(1).parameters["beta"])
    assert "published without posterior samples" in refused(
        "laws", "export", "besiroglu2024", "--store", folder, "--format", "csv"
    )
    assert json.loads(answered("laws", "export", "besiroglu2024", "--store", folder))["id"] == "besiroglu2024"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", "not a file of this program"),
        (b"\x80\x04\x95pickle", "not a file of this program"),
        (b'{"id": "x"}', "not a file of this program"),
        (None, "cut short, or changed"),
    ],
)
def test_a_foreign_or_changed_file_is_not_imported(folder, tmp_path, content, wanted):
    file = tmp_path / "law.json"
    file.write_bytes(
        content if content is not None else law_file(Store(folder), law(1).id).read_bytes()[:-20]
    )
    err = refused("laws", "import", file, "--store", tmp_path / "other")
    assert wanted in err
    assert "planner laws export" in err
    assert not (tmp_path / "other").exists()


def test_what_export_wrote_for_other_tools_is_not_imported_and_the_refusal_says_what_is(folder, tmp_path):
    for id, name in ((law(1).id, "draws.csv"), ("hestness2019-wordlm-curve", "published.json")):
        answered("laws", "export", id, "--out", tmp_path / name, "--store", folder)
        err = refused("laws", "import", tmp_path / name, "--store", folder)
        assert "`planner laws export ID`" in err


def test_what_is_not_there_is_said_in_one_line(folder, tmp_path):
    assert "no law 'nope'" in refused("laws", "show", "nope", "--store", folder)
    assert "No such file" in refused("laws", "import", tmp_path / "none.json", "--store", folder)
    assert "id 'hestness2019' matches" in refused("laws", "show", "hestness2019", "--store", folder)
    assert "no store at" in refused("store", "check", "--store", tmp_path / "none")
    assert "no store at" in refused("store", "rebuild", "--store", tmp_path / "none")
    assert "No such file" in refused(
        "laws", "export", law(1).id, "--store", folder, "--output", tmp_path / "no" / "law.json"
    )


def test_check_and_rebuild_tell_by_their_exit_code(folder):
    assert as_json("store", "check", "--store", folder)["faults"] == []
    assert "every file is intact" in answered("store", "check", "--store", folder)
    path = folder / "runs" / "run2.1.json"
    path.write_bytes(path.read_bytes()[:50])
    ran = planner("store", "check", "--store", folder)
    assert ran.code == 1
    assert "runs/run2.1.json" in ran.out
    ran = planner("store", "rebuild", "--store", folder)
    assert ran.code == 1
    assert "runs/run2.1.json" in ran.out
    listed = planner("runs", "list", "--store", folder)
    assert listed.code == 0
    assert "see `planner store check`" in listed.err
    assert "run2" not in listed.out
    path.unlink()
    assert "index rebuilt" in answered("store", "rebuild", "--store", folder)


@pytest.mark.parametrize("style", ["table", "json", "csv", "markdown"])
@pytest.mark.parametrize(
    "command",
    ["runs list", "runs show run1", "runs export", "laws list", "laws show besiroglu2024", "store check"],
)
def test_every_listing_prints_in_every_format(made, command, style):
    assert answered(*command.split(), "--store", made, "--format", style).strip()


def test_a_folder_that_is_no_store_is_neither_checked_nor_made_one(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    for command in ("check", "rebuild"):
        assert "no store at" in refused("store", command, "--store", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert "expected a folder, got a file" in refused("laws", "list", "--store", tmp_path / "notes.txt")


def test_a_file_that_was_cut_in_its_first_line_is_said_to_be_cut_short(folder):
    path = sorted((folder / "laws").glob("*.json"))[0]
    path.write_bytes(path.read_bytes()[:60])
    ran = planner("store", "check", "--store", folder)
    assert ran.code == 1
    assert "cut short" in ran.out


@pytest.mark.parametrize("style", ["table", "markdown"])
def test_control_characters_of_a_foreign_law_reach_no_screen(tmp_path, style):
    made = law(4, domain="\x1b[31mred\x07", family="a\u202eb", provenance={"file": "x\x1b]0;title\x07y"})
    store = Store(tmp_path / "theirs")
    store.add_law(made)
    store.publish()
    shown = answered("laws", "import", tmp_path / "theirs", "--store", tmp_path / "ours")
    for words in (("laws", "list", "--source", "calibrated"), ("laws", "show", made.id)):
        shown += answered(*words, "--store", tmp_path / "ours", "--format", style)
    shown += answered("plot", made.id, "--store", tmp_path / "ours")
    assert "\\x1b[31mred" in shown
    assert not {c for c in shown if not c.isprintable()} - {"\n"}


def test_all_laws_there_are_fit_a_narrow_screen_one_line_each(folder, monkeypatch):
    """Origin, domain and family stand above the laws that share them; ids are whole."""
    monkeypatch.setenv("COLUMNS", "80")
    records, lines = as_json("laws", "list", "--store", folder), answered("laws", "list", "--store", folder)
    heading, found = "", []
    for line in lines.splitlines()[1:]:
        if line.startswith(" ") and line[1] != " ":
            id, of = line.split(maxsplit=1)
            found.append((id, heading, of.strip()))
        else:
            heading = line
    assert len(found) == len(set(found)) == len(records) > 250
    assert {(r["id"], r["source"], r["domain"]) for r in records} == {
        (id, *heading.split(", ")[:2]) for id, heading, _ in found
    }
    assert (law(1).id, "calibrated, speech, ds2", "wer from hours: power") in found
    assert max(map(len, lines.splitlines())) <= 80
    alone = answered("laws", "list", "--store", folder, "--source", "calibrated", "--metric", "wer")
    assert alone.startswith("1 law, calibrated, speech, ds2\n")


def test_a_list_that_a_slip_of_the_hand_left_empty_names_the_nearest(folder):
    for words in (("laws", "list"), ("runs", "list")):
        assert "Nothing is of domain 'spech' (did you mean 'speech'?)" in answered(
            *words, "--domain", "spech", "--store", folder
        )
        assert as_json(*words, "--domain", "spech", "--store", folder) == []
    assert "Nothing is of metric 'were' (did you mean 'wer'?)" in answered(
        "laws", "list", "--metric", "were", "--store", folder
    )
    assert "Nothing is of domain 'zz'." in answered("forecasts", "list", "--domain", "zz", "--store", folder)
