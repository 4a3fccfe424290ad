"""Errors as the command line prints them: arguments become options."""

from laws.errors import Hint, PlannerError


def line(error: PlannerError) -> str:
    """Return an error and its hints as one line for a terminal.

    Args:
        error: An error whose hints name arguments and commands.

    Returns:
        The message, then each next step with the options to type.
    """
    if not error.hints:
        return error.message
    end = "" if error.message.endswith("?") else "."  # "did you mean ...?" ends by itself
    return " ".join([f"{error.message}{end}", *map(sentence, error.hints)])


def sentence(hint: Hint) -> str:
    """Return a hint as a sentence with the options or the command to type."""
    if hint.action == "run":
        command = " ".join(filter(None, ("planner", *hint.names, hint.value)))
        return f"Run `{command}`{_purpose(hint)}."
    options = " or ".join(f"{option(name)}{f' {hint.value}' if hint.value else ''}" for name in hint.names)
    return f"{'Use' if hint.action == 'set' else 'Leave out'} {options}{_purpose(hint)}."


def option(name: str) -> str:
    """Return the option of an argument: `data_column` is `--data-column`."""
    return f"--{name.replace('_', '-')}"


def _purpose(hint: Hint) -> str:
    return f" {hint.purpose}" if hint.purpose else ""
