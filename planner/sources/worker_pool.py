"""Run one function on many inputs in processes of their own; a killed process costs nothing but time."""

import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.resource_tracker import ensure_running
from typing import Any

from calibrate.engines.safe_path import current_folder_ignored
from calibrate.engines.signals import ctrl_c_held
from laws.errors import EngineError

MAX_LOSSES = 3  # pools in a row that end without a single result, before the command gives up


def run_all(
    function: Callable[..., Any], inputs: Mapping[str, tuple[Any, ...]], *, processes: int
) -> Generator[tuple[str, Any], None, None]:
    """Yield the result of a function for each input, as they end.

    Where a process is killed, its inputs are tried again in new processes. Leaving the loop ends the
    processes.

    Args:
        function: A function that a new process can import.
        inputs: Name of an input -> arguments of the function.
        processes: How many run at a time.

    Yields:
        The name of an input and the result.

    Raises:
        EngineError: Processes were lost MAX_LOSSES times in a row without a result ("worker-lost").
    """
    left = dict(inputs)
    losses = 0
    while left:
        with current_folder_ignored():  # a pool starts the tracker of its semaphores
            pool = ProcessPoolExecutor(
                min(processes, len(left)), mp_context=get_context("spawn"), initializer=_end_with_parent
            )
        try:
            for name, result in _results(pool, function, dict(left)):
                del left[name]
                losses = 0
                yield name, result
            pool.shutdown()
        except BrokenProcessPool as error:
            losses += 1
            if losses == MAX_LOSSES:
                raise EngineError(
                    f"a worker process was killed {losses} times in a row: expected memory for "
                    f"{processes} processes, {len(left)} of {len(inputs)} tasks are left",
                    code="worker-lost",
                    value=len(left),
                ) from error
        finally:
            _kill(pool)


def _results(
    pool: ProcessPoolExecutor, function: Callable[..., Any], inputs: Mapping[str, tuple[Any, ...]]
) -> Iterator[tuple[str, Any]]:
    with current_folder_ignored():
        ensure_running()  # started with the first process, the tracker would unblock the signal again
        # Ctrl-C reaches the whole group of processes; only this one answers it
        with ctrl_c_held():
            names: dict[Future[Any], str] = {
                pool.submit(function, *values): name for name, values in inputs.items()
            }
    waiting = set(names)
    while waiting:
        ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        # results first: a lost process fails every future that has none
        for future in sorted(ended, key=lambda future: future.exception() is not None):
            yield names[future], future.result()


def _kill(pool: ProcessPoolExecutor) -> None:
    """End the processes of a pool that still run, whatever they are doing."""
    processes = list((getattr(pool, "_processes", None) or {}).values())  # none after a regular shutdown
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.kill()
    for process in processes:
        process.join()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone: a killed command leaves nothing behind."""

    def watch() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
