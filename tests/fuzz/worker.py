"""Try spoiled inputs of one reader in a process of its own, which may die.

    python -m tests.fuzz.worker READER SEED FIRST COUNT FOLDER

Prints one JSON line per failure: an exception that is no `PlannerError`, a message of several lines, more
than `MAX_SECONDS`, or more memory than `MAX_BYTES` over that of the process before. FOLDER keeps inputs that
failed. The last line is "done". To try one input again, FIRST is its number and COUNT is 1.
"""

import json
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from types import FrameType

from laws.errors import PlannerError
from tests.fuzz.mutations import mutated
from tests.fuzz.readers import READERS, WHOLE_FOLDERS, files_of

MAX_SECONDS = 10
MAX_BYTES = 2**30
ROOM = 4 * 2**30  # of addresses beyond what is in use: a reader that asks for more gets a MemoryError


class TooSlowError(BaseException):
    """An input took more than `MAX_SECONDS`."""


def too_slow(_number: int, _frame: FrameType | None) -> None:
    """End what reads now."""
    raise TooSlowError


def main() -> None:
    """Run the worker."""
    name, seed, first, count, folder = sys.argv[1], *map(int, sys.argv[2:5]), Path(sys.argv[5])
    warnings.simplefilter("ignore")
    reader = READERS[name]
    signal.signal(signal.SIGALRM, too_slow)
    with tempfile.TemporaryDirectory() as temporary:
        whole, spoiled, made = (Path(temporary) / part for part in ("whole", "spoiled", "made"))
        whole.mkdir()
        reader.write(whole)
        files = list(files_of(whole))
        limit_addresses()
        for number in range(first, first + count):
            rng = random.Random(f"{name}:{seed}:{number}")
            for path in (spoiled, made):
                shutil.rmtree(path, ignore_errors=True)
            made.mkdir()
            chosen = rng.choice(files)
            if name in WHOLE_FOLDERS:
                shutil.copytree(whole, spoiled, symlinks=True)
                target = spoiled / chosen.relative_to(whole)
            else:
                spoiled.mkdir()
                target = spoiled / chosen.name
            target.write_bytes(mutated(chosen.read_bytes(), rng))
            say(f"try {number}")
            if problem := tried(name, spoiled, made):
                kept = folder / f"{name.replace(' ', '-')}-{seed}-{number}"
                shutil.rmtree(kept, ignore_errors=True)
                shutil.copytree(spoiled, kept, symlinks=True, ignore_dangling_symlinks=True)
                where = str(chosen.relative_to(whole))
                say(json.dumps({"number": number, "file": where, "problem": problem}))
    say("done")


def say(line: str) -> None:
    """Print a line at once: the process may die in the next moment."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def limit_addresses() -> None:
    """Let allocations beyond `ROOM` fail."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def tried(name: str, spoiled: Path, made: Path) -> str:
    """Return what goes wrong with an input, nothing if it is read or refused in one line."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    signal.alarm(MAX_SECONDS)
    try:
        READERS[name].read(spoiled, made)
    except PlannerError as error:
        if "\n" in str(error):
            return f"a message of several lines: {error}"
    except TooSlowError:
        return f"more than {MAX_SECONDS} s"
    except Exception:
        return traceback.format_exc(limit=-6)
    finally:
        signal.alarm(0)
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return f"{grown:,} bytes" if grown > MAX_BYTES else ""


if __name__ == "__main__":
    main()
