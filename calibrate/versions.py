"""What decides the numbers of a training besides its specification: the code that computes them."""

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from calibrate.loading import FILE_SUFFIX


@cache
def code_version() -> str:
    """Return the version of this program."""
    return _release("scaling-planner")


def environment_version(module: str) -> str:
    """Return versions and a hash of the sources that train a domain whose code is `module`.

    Two machines with the same text compute the same results, as far as their hardware allows.
    """
    ours = Path(__file__).parent
    sources = [*sorted(ours.rglob("*.py")), ours.parent / "laws" / "types.py"]
    if module.endswith(FILE_SUFFIX):
        sources.append(Path(module))
    elif (found := find_spec(module)) and found.origin:
        sources.append(Path(found.origin))
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    libraries = ", ".join(f"{name} {_release(name)}" for name in ("torch", "numpy"))
    return (
        f"planner {code_version()} (sources {digest.hexdigest()[:8]}), {libraries}, "
        f"Python {platform.python_version()}"
    )


def _release(name: str) -> str:
    """Return a library's version without the part that names its build, as in 2.13.0+cpu."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return "not installed"
