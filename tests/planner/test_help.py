"""Help, completion and slips of the shell: what a person meets before the first answer."""

import os
import re
import shlex
import subprocess
import sys

import pytest
import typer
from synthetic import planner, power
from typer.main import get_command

from laws.errors import PlannerError
from laws.storage.store import Store
from planner import units
from planner.cli import assembled
from planner.commands.help import EXAMPLES, MIN_OPTIONS_TO_GROUP, panels


def commands():
    """Return every command by its words after `planner`."""
    found = {}

    def walk(command, words):
        for name, child in getattr(command, "commands", {}).items():
            walk(child, (*words, name))
        if not hasattr(command, "commands"):
            found[" ".join(words)] = command

    walk(get_command(assembled()), ())
    return found


COMMANDS = commands()


def test_every_command_has_examples():
    assert EXAMPLES.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_commands_that_can_be_parsed(name):
    """Only the words are parsed: no file is opened and nothing is asked."""
    command = COMMANDS[name]
    options = {text for parameter in command.params for text in (*parameter.opts, *parameter.secondary_opts)}
    text = " ".join(line.removesuffix("\\") for line in EXAMPLES[name])
    for example in re.split(r"(?:^|\s)planner ", text)[1:]:
        words = shlex.split(example.partition(" > ")[0])
        assert " ".join(words).startswith(name)
        given = words[len(name.split()) :]
        assert {word for word in given if word.startswith("--")} <= options
        context = typer.Context(command, info_name=name)
        command.parse_args(context, given)
    assert all(len(line) <= 76 for line in EXAMPLES[name]), "80 columns hold every example"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_long_command_names_the_group_of_every_option(name):
    parameters = [parameter for parameter in COMMANDS[name].params if parameter.param_type_name == "option"]
    if len(parameters) >= MIN_OPTIONS_TO_GROUP:
        rest = {parameter.name for parameter in parameters} - panels(name).keys()
        assert rest <= {"save", "name", "explain", "store", "style", "cache", "seed", "quantity"}


def test_help_is_short_wide_and_grouped(monkeypatch):
    for columns in (80, 140):
        monkeypatch.setenv("COLUMNS", str(columns))
        short, long = planner("estimate", "-h"), planner("estimate", "--help")
        assert (short.code, short.out) == (0, long.out)
        widest = max(map(len, short.out.splitlines()))
        assert columns - 20 <= widest <= columns
        for title in ("Question:", "Limits and dates:", "Hardware:", "Law that answers:", "Examples:"):
            assert title in short.out
    assert planner("-h").code == planner("laws", "-h").code == planner("laws", "list", "-h").code == 0


def complete(words, folder):
    environment = {
        **os.environ, "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1),
        "_PLANNER_COMPLETE": "complete_bash", "PLANNER_STORE": str(folder),
    }  # fmt: skip
    ran = subprocess.run(
        [sys.executable, "-c", "from planner.cli import main; import sys; sys.argv[0] = 'planner'; main()"],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    return ran.stdout.split()


def test_a_shell_completes_names_that_exist(tmp_path):
    store = Store(tmp_path / "store")
    law = power(0.4, 0.3, 0.02, domain="my-calls", family="conformer-x", source="fitted")
    store.add_law(law)
    store.publish()
    for words, value in (
        ("planner estimate --on h10", "h100-sxm"),
        ("planner estimate --domain my-", "my-calls"),
        ("planner estimate --domain my-calls --family con", "conformer-x"),
        (f"planner laws show {law.id[:3]}", law.id),
        ("planner calibrate --domain speech --preset la", "laptop"),
    ):
        assert value in complete(words, tmp_path / "store")
    assert complete("planner estimate --domain nothing-", tmp_path / "none") == []


def test_completion_never_fails_and_filters_by_what_is_typed(tmp_path):
    from planner.commands.completion import values_of as offered
    from planner.commands.options import store_folder

    def values_of(kind, given, incomplete):
        return offered(kind, given, incomplete, folder_of=store_folder)

    (tmp_path / "file").touch()
    for kind in ("accelerators", "domains", "families", "laws", "metrics", "presets"):
        assert values_of(kind, {"store": None}, "no such value") == []
        values_of(kind, {"store": tmp_path / "file", "fleet": tmp_path / "none.toml"}, "")
    ids = {value for value, _ in values_of("laws", {"domain": "word-lm", "store": tmp_path / "none"}, "")}
    assert "hestness2017-wordlm" in ids
    assert "hoffmann2022-approach3-tex" not in ids


@pytest.mark.parametrize("text", ["$50k", "$5000", "$1.2M", "$2M", "$500", "$0.5M"])
def test_what_a_shell_leaves_of_an_amount_is_no_amount(text):
    """In a shell, $5 of "$50k" is empty and $0 its own name."""
    left = re.sub(r"\$0", "bash", text) if text.startswith("$0") else re.sub(r"\$\d", "", text)
    with pytest.raises(PlannerError) as refused:
        units.parse_money(left)
    assert refused.value.code == "unreadable-quantity"
    assert "single quotes" in refused.value.message or "bash" in left
    with pytest.raises(PlannerError) as refused:
        units.parse_data_price(f"{left}/hour", "hours")
    assert "single quotes" in refused.value.message
    assert units.parse_money(text) > 0


def test_amounts_that_begin_with_zero_are_still_read():
    assert units.parse_money("0.5M") == 500_000
    assert units.parse_money("0") == 0
