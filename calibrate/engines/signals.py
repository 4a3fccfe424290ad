"""Hold Ctrl-C back during operations that must not be interrupted."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def ctrl_c_held() -> Iterator[None]:
    """Hold SIGINT back until the end, and block it permanently in processes that are started meanwhile.

    Blocking it in this thread is not enough: the threads that numpy has started take it, and Python then
    interrupts the main thread all the same.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    in_main = threading.current_thread() is threading.main_thread()
    pressed = False

    def remember(_signal: int, _frame: object) -> None:
        nonlocal pressed
        pressed = True

    handler = signal.signal(signal.SIGINT, remember) if in_main else None
    try:
        yield
    finally:
        if in_main:
            signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if pressed:
            signal.raise_signal(signal.SIGINT)
