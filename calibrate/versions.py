"""Versions of the code that computes the numbers of a training."""

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
    return library_version("scaling-planner")


def environment_version(module: str) -> str:
    """Return the versions and a hash of the sources that train a domain.

    Machines with the same text compute the same results, as far as their hardware allows.

    Args:
        module: Import path, or path of the file, of the domain's code.

    Returns:
        One line of text.
    """
    package = Path(__file__).parent
    sources = [*sorted(package.rglob("*.py")), package.parent / "laws" / "types.py"]
    if module.endswith(FILE_SUFFIX):
        sources.append(Path(module))
    elif (spec := find_spec(module)) and spec.origin:
        sources.append(Path(spec.origin))
    digest = hashlib.sha256()
    for path in sources:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    libraries = ", ".join(f"{name} {library_version(name)}" for name in ("torch", "numpy"))
    return (
        f"planner {code_version()} (sources {digest.hexdigest()[:8]}), {libraries}, "
        f"Python {platform.python_version()}"
    )


def library_version(name: str) -> str:
    """Return the version of an installed package without its build, such as 2.13.0 for 2.13.0+cpu.

    Args:
        name: Name of the distribution.

    Returns:
        The version, or "not installed".
    """
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return "not installed"
