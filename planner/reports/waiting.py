"""What a command does now, on stderr of a terminal; nothing anywhere else, and nothing is left behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def waiting() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows what is done now, such as "reading runs.csv", until the block ends."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("") as status:
        yield lambda text: status.update(f"{text} …")
