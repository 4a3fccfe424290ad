"""What a start imports: read from sys.modules of a fresh interpreter, after the command has run."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from synthetic import passes, planner, power, size

from laws.storage.store import Store
from planner.cli import COMMANDS, assembled

HEAVY = {"torch", "scipy", "emcee", "numpy", "pydantic", "importlib.metadata"}
RUN = """
import json, sys
sys.argv = ["planner", *{arguments!r}]
from planner.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print()
print(json.dumps(sorted(sys.modules)))
"""


def modules(*arguments):
    """Return the names of all modules that a fresh interpreter holds after `planner` ran."""
    done = subprocess.run(
        [sys.executable, "-c", RUN.format(arguments=[str(a) for a in arguments])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    opened = Store(folder)
    for law in (power(0.4, 0.3), size(2e4, 0.6), passes(12)):
        opened.add_law(law)
    opened.publish()
    return folder


def test_estimate_from_a_stored_law_reads_draws_without_numpy(store):
    found = modules("estimate", "--target-wer", "5%", "--store", store)
    assert not HEAVY & found
    assert "rich.table" not in found


def test_estimate_from_a_published_law_is_as_light(tmp_path, monkeypatch):
    monkeypatch.delenv("PLANNER_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))  # nothing was measured
    assert not HEAVY & modules("estimate", "--domain", "word-lm", "--target-loss", "2.48")


@pytest.mark.parametrize("arguments", [["--help"], ["estimate", "--help"], ["fit", "--help"]])
def test_help_needs_neither_the_store_nor_tables(arguments):
    assert not (HEAVY | {"duckdb", "rich.table"}) & modules(*arguments)


def test_only_the_command_that_is_asked_is_prepared():
    for name in ("estimate", "laws"):
        one = assembled([name, "--help"])
        assert [each.name for each in (*one.registered_commands, *one.registered_groups)] == [name]
    for whole in ([], ["--help"], ["estimat"], ["--install-completion"]):
        all_of = assembled(whole)
        names = {each.name for each in (*all_of.registered_commands, *all_of.registered_groups)}
        assert names == COMMANDS.keys()


@pytest.mark.parametrize(("words", "said"), [(["estimat"], "'estimate'"), (["laws", "lst"], "'list'")])
def test_a_slip_of_the_hand_still_finds_the_nearest_command(words, said):
    ran = planner(*words)
    assert (ran.code, said in ran.err) == (2, True)


def every_command():
    """Return the words of every command: `estimate`, `laws list`, and of the groups themselves."""
    app = assembled()
    found = [[], *([each.name] for each in (*app.registered_commands, *app.registered_groups))]
    for group in app.registered_groups:
        found += [[group.name, each.name] for each in group.typer_instance.registered_commands]
    return found


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_help_fits_a_terminal_of_80_columns(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ran = planner(*words, "--help")
    assert ran.code == 0
    assert "Usage: " in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80
    listed = ran.out.partition("Commands:")[2]
    assert "..." not in listed, "what a command is for is cut short"


def test_no_help_names_an_option_that_the_command_lacks():
    """A group of options serves several commands: what it says has to hold for each of them."""
    commands = [("", typer.main.get_command(assembled()))]
    for name, command in commands:
        commands += [(f"{name} {each}", of) for each, of in getattr(command, "commands", {}).items()]
        own = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        told = " ".join(getattr(each, "help", None) or "" for each in command.params)
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", told)) <= own, name
    assert len(commands) > 30


def test_the_version_is_that_of_the_package():
    ran = planner("--version")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"planner {version('scaling-planner')}\n"


ASKED = [["--help"], ["estimate", "--target-wer", "5%"], ["laws", "list", "--format", "json"], ["plot"]]
PLANNER = [sys.executable, "-c", "from planner.cli import main; main()"]


def asked(words, store, *, by=(), **settings):
    return subprocess.run(
        [*by, *PLANNER, *words],
        env={**os.environ, "PLANNER_STORE": str(store), **settings.pop("env", {})},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **settings,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("words", ASKED, ids=" ".join)
def test_an_output_that_takes_nothing_is_one_line(store, words):
    with Path("/dev/full").open("w") as full:
        done = asked(words, store, stdout=full)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "No space left on device" in done.stderr


@pytest.mark.parametrize("words", ASKED, ids=" ".join)
def test_a_closed_output_is_no_fault(store, words):
    done = asked(words, store, by=["sh", "-c", 'exec "$@" >&-', "sh"])
    assert (done.returncode, done.stderr) == (0, "")


def test_a_screen_that_calls_itself_0_wide_is_printed_on(store):
    done = asked(ASKED[1], store, stdout=subprocess.PIPE, env={"COLUMNS": "0"})
    assert (done.returncode, done.stderr) == (0, "")
    assert "wer" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("estimate", "--bogus", "3"),
        ("estimat",),
        ("estimate", "--count", "x", "--target-wer", "5%"),
        ("estimate", "--target"),
        ("estimate", "--target-wer"),
        ("estimate", "--target-wer", "5%", "--format", "xml"),
        ("laws", "show"),
        ("fit",),
    ],
)
def test_a_command_line_that_cannot_be_parsed_is_answered_in_one_line(words: tuple[str, ...]) -> None:
    ran = planner(*words)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("words", [(), ("laws",)])
def test_a_group_without_a_command_shows_its_help(words: tuple[str, ...]) -> None:
    ran = planner(*words)
    assert ran.code == 2
    assert {"Usage:", "Options:", "Commands:"} <= set(ran.err.split())
