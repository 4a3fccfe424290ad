"""Keep files of the current folder out of the processes that we start.

`multiprocessing` starts its children with `python -c`, for which Python looks for modules in the current
folder
first: a file called signal.py or pickle.py that happens to be there would be executed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLE = "PYTHONSAFEPATH"  # Python 3.11: the current folder is not put on sys.path


@contextmanager
def current_folder_ignored() -> Iterator[None]:
    """Let processes that are started meanwhile import nothing from the current folder."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
