"""The source of Python's standard library: text that is on every machine with Python."""

import sysconfig
from pathlib import Path

# Distributions leave these out or change them; without them the text depends on the version of Python alone.
_VARYING = frozenset({
    "__pycache__", "dist-packages", "distutils", "encodings", "ensurepip", "idlelib", "lib2to3",
    "pydoc_data", "site-packages", "test", "tests", "tkinter", "turtledemo",
})  # fmt: skip
_NEVER = frozenset({"__pycache__", "dist-packages", "site-packages"})  # not of the library


def sources(*, everything: bool = False) -> tuple[Path, ...]:
    """Return the library's Python files, sorted: about 8 MB that every installation of a version has.

    With `everything` also those that some distributions leave out, above all the tests: about 31 MB in all.
    """
    library = Path(sysconfig.get_path("stdlib"))
    left_out = _NEVER if everything else _VARYING
    return tuple(
        path for path in sorted(library.rglob("*.py")) if left_out.isdisjoint(path.relative_to(library).parts)
    )
