"""A calibration while it runs, on stderr: live in a terminal, plain lines anywhere else."""

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
from planner.reports import budget_report as spending


class ProgressDisplay:
    """Show how far a calibration is; use it as a context manager around one."""

    def __init__(self, domain: Domain) -> None:
        self.done = self.planned = 0  # for the line that says what an interrupted sweep has kept
        self._domain = domain
        self._metric = next(iter(domain.metrics))
        self._said = ""
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

    def preparing(self, text: str, share: float) -> None:
        """Tell what is done before and after the training, and how far it is."""
        if self._live:
            self._live.update(f"{text} … {share:.0%}" if 0 < share < 1 else text, refresh=True)
        elif text != self._said:
            _line(f"{text} …")
        self._said = text

    def spending(self, spent: BudgetUse) -> None:
        """Tell what a budget is for, and after each step what it went for."""
        text = (spending.latest if spent.steps else spending.beginning)(spent, self._domain)
        if self._live:
            self._live.console.print(text, highlight=False, markup=False)
        else:
            _line(text)

    def sweeping(self, progress: Progress) -> None:
        """Tell how far the sweep is, the best of each shard and the time that is left."""
        self.done, self.planned = progress.done, progress.planned
        if self._live:
            self._live.update(self._view(progress), refresh=True)
        elif progress.last:
            _line(f"{progress.done}/{progress.planned} {self._in_words(progress.last)}{_left(progress)}")
        elif progress.before == progress.done and progress.before and not progress.last:
            _line(f"{progress.before} of {progress.planned} runs are done already")

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

    def _in_words(self, run: Run) -> str:
        what = (
            f"{units.format_data(run.data, self._domain.data_unit)}, {run.family} of size {run.hyper['size']}"
        )
        if run.status == "finished":
            return f"{what}: {self._metric} {self._value(run)} in {units.format_duration(run.seconds or 0)}"
        return f"{what}: {run.status}, {run.reason}"

    def _value(self, run: Run) -> str:
        return units.format_metric(run.metrics[self._metric], self._domain.metrics[self._metric])


def _left(progress: Progress) -> str:
    if not progress.seconds_left:
        return ""
    return f", about {units.format_duration(progress.seconds_left)} left at this stage"


def _line(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
