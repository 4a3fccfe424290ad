"""The progress of a calibration on stderr: live in a terminal, plain lines anywhere else."""

import sys
from types import TracebackType

from rich import progress as bars
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from calibrate.sweep.progress import Progress
from calibrate.types import BudgetUse, Domain
from laws.types import Run
from planner import units
from planner.reports import budget_report


class ProgressDisplay:
    """Show the progress of a calibration; use it as a context manager around one.

    Args:
        domain: The domain that is calibrated.
    """

    def __init__(self, domain: Domain) -> None:
        self.done = self.planned = 0  # trainings; an interrupted command says how many it has kept
        self._domain = domain
        self._metric = next(iter(domain.metrics))
        self._step = ""
        console = Console(stderr=True)
        self._bar = bars.Progress(
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.MofNCompleteColumn(),
            bars.TimeElapsedColumn(),  # moves while a long training shows nothing else
            bars.TextColumn("{task.fields[left]}"),
        )
        self._task: bars.TaskID | None = None
        self._live = Live(self._bar, console=console, transient=True) if console.is_terminal else None

    def __enter__(self) -> "ProgressDisplay":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def show_step(self, text: str, share: float) -> None:
        """Show a step before or after the training.

        Args:
            text: What is done, such as "loading libraries".
            share: The share of it that is done, from 0 to 1.
        """
        if self._live:
            self._live.update(f"{text} … {share:.0%}" if 0 < share < 1 else text, refresh=True)
        elif text != self._step:
            _write_line(f"{text} …")
        self._step = text

    def show_budget(self, use: BudgetUse) -> None:
        """Show what a budget is for, and after each step what it was spent on.

        Args:
            use: What was spent so far.
        """
        text = (budget_report.last_step if use.steps else budget_report.plan)(use, self._domain)
        if self._live:
            self._live.console.print(text, highlight=False, markup=False)
        else:
            _write_line(text)

    def show_sweep(self, progress: Progress) -> None:
        """Show the best model of each shard and the time that is left.

        Args:
            progress: The state of the sweep.
        """
        self.done, self.planned = progress.done, progress.planned
        if self._live:
            self._live.update(self._view(progress), refresh=True)
        elif progress.last:
            _write_line(
                f"{progress.done}/{progress.planned} {self._sentence(progress.last)}{_left(progress)}"
            )
        elif progress.before == progress.done and progress.before:
            _write_line(f"{progress.before} of {progress.planned} runs are already done")

    def _view(self, progress: Progress) -> Group:
        if self._task is None:
            self._task = self._bar.add_task("training", total=None, left="")
        self._bar.update(
            self._task,
            description="training" if progress.done < progress.planned else "trained",
            completed=progress.done,
            total=progress.planned,
            left=_left(progress).lstrip(", "),
        )
        table = Table("data", "family", "best so far", "parameters", box=None, pad_edge=False)
        for (family, data), run in sorted(progress.best.items()):
            table.add_row(
                units.format_data(data, self._domain.data_unit),
                family,
                f"{self._metric} {self._value(run)}",
                units.format_number(run.params),
            )
        return Group(self._bar, table) if progress.best else Group(self._bar)

    def _sentence(self, run: Run) -> str:
        data = units.format_data(run.data, self._domain.data_unit)
        name = f"{data}, {run.family} of size {run.hyper['size']}"
        if run.status == "finished":
            took = units.duration_in_words(run.seconds or 0)
            return f"{name}: {self._metric} {self._value(run)} in {took}"
        return f"{name}: {run.status}, {run.reason}"

    def _value(self, run: Run) -> str:
        return units.format_metric(run.metrics[self._metric], self._domain.metrics[self._metric])


def _left(progress: Progress) -> str:
    if not progress.seconds_left:
        return ""
    return f", about {units.duration_in_words(progress.seconds_left)} left in this stage"


def _write_line(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
