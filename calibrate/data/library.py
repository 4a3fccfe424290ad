"""The source of Python's standard library: text that is on every machine with Python."""

import sysconfig
from pathlib import Path

# Distributions leave these out or change them; without them the text depends only on the version of Python.
_VARYING = frozenset({
    "__pycache__", "dist-packages", "distutils", "encodings", "ensurepip", "idlelib", "lib2to3",
    "pydoc_data", "site-packages", "test", "tests", "tkinter", "turtledemo",
})  # fmt: skip
_NOT_LIBRARY = frozenset({"__pycache__", "dist-packages", "site-packages"})


def sources(*, everything: bool = False) -> tuple[Path, ...]:
    """Return the library's Python files, sorted.

    Args:
        everything: Whether to add files that some distributions leave out, most of them tests.

    Returns:
        About 8 MB of files that every installation of a version has; about 31 MB with everything.
    """
    library = Path(sysconfig.get_path("stdlib"))
    left_out = _NOT_LIBRARY if everything else _VARYING
    return tuple(
        path for path in sorted(library.rglob("*.py")) if left_out.isdisjoint(path.relative_to(library).parts)
    )
