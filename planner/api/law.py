"""Laws: fit one to a table, load one from a store, ask what it predicts."""

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from laws.errors import InputError, LawError, use
from laws.types import Law as LawRecord
from planner import units
from planner.api.samples import Samples
from planner.api.tables import as_file
from planner.api.text import as_html, as_text
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.info import law_info
from planner.lawmodel.model import LawModel
from planner.lawmodel.stored import law_model
from planner.metrics import MetricScale
from planner.plans.from_given import with_size

SHOWN_DECADES = (0, 1, 2)  # beyond the largest measured data, at which a law prints itself


class Prediction:
    """What a law predicts at some data sizes, one posterior sample of the whole curve per row."""

    def __init__(self, data: Sequence[float], errors: Sequence[Sequence[float]], scale: MetricScale) -> None:
        """Hold predictions: `errors[i][j]` is sample i at `data[j]`."""
        self._data = tuple(data)
        self._rows = [[scale.from_error(error) for error in row] for row in errors]
        self.scale = scale
        self.metric = scale.metric
        self.unit = scale.unit

    @property
    def data(self) -> Any:
        """Return the data sizes as a numpy array of shape (sizes,), in the law's unit."""
        import numpy as np

        return np.array(self._data)

    @property
    def samples(self) -> Any:
        """Return the predictions as a numpy array of shape (samples, sizes), in the metric's unit."""
        import numpy as np

        return np.array(self._rows)

    @property
    def median(self) -> Any:
        """Return the medians as a numpy array of shape (sizes,), in the metric's unit."""
        import numpy as np

        return np.array([at.median for at in self._at()])

    def interval(self, probability: float = 0.9) -> Any:
        """Return central intervals, without the noise of a single training.

        Args:
            probability: How probable it is that the curve lies inside, between 0 and 1.

        Returns:
            A numpy array of shape (sizes, 2), in the metric's unit.

        Raises:
            InputError: The probability is not between 0 and 1.
        """
        import numpy as np

        return np.array([at.interval(probability) for at in self._at()])

    def to_frame(self) -> Any:
        """Return a pandas DataFrame: data, median and the 90% interval (`q05`, `q95`)."""
        import pandas as pd

        low, high = self.interval().T
        return pd.DataFrame({"data": self.data, "median": self.median, "q05": low, "q95": high})

    def _at(self) -> list[Samples]:
        return [Samples(tuple(column), self.unit) for column in zip(*self._rows, strict=True)]

    def _table(self) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
        rows = []
        for size, at in zip(self._data, self._at(), strict=True):
            cells = (at.interval()[0], at.median, at.interval()[1])
            rows.append((units.format_number(size), *map(self.scale.format, cells)))
        return f"{self.metric} predicted", ("data", "5%", "median", "95%"), rows

    def __repr__(self) -> str:
        """Return a table of the medians and the 90% intervals."""
        return as_text(*self._table())

    def _repr_html_(self) -> str:
        return as_html(*self._table())


class Law:
    """A fitted law with its companions (best model size, data seen), in a store."""

    def __init__(self, record: LawRecord, folder: Path, *, companions: Sequence[LawRecord] = ()) -> None:
        """Hold a law of the store in `folder`."""
        self._record = record
        self._companions = tuple(companions)
        self._folder = folder

    id = property(lambda self: self._record.id, doc="Id of the law: a hash of its content.")
    domain = property(lambda self: self._record.domain, doc="Domain that the law is stored under.")
    family = property(lambda self: self._record.family, doc="Architecture that was trained.")
    metric = property(lambda self: self._record.metric, doc="What the law predicts, such as wer.")
    metric_unit = property(lambda self: self._record.metric_unit, doc="Unit of the metric.")
    data_unit = property(lambda self: self._record.x_unit, doc="What data is counted in, such as hours.")
    form = property(lambda self: self._record.form, doc="Functional form; `forecast` weights several.")
    warnings = property(lambda self: self._record.warnings, doc="Codes, explained in the reference.")

    folder = property(lambda self: self._folder, doc="Folder of the store that has the law.")

    @property
    def measured(self) -> tuple[float, float]:
        """Return the smallest and the largest data size that was measured, in `data_unit`."""
        return self._record.x_range

    @property
    def parameters(self) -> dict[str, Samples]:
        """Return the posterior samples of each parameter of the form; see the reference of forms."""
        return {name: Samples(values, "", label=name) for name, values in self._record.parameters.items()}

    def predict(self, data: float | Iterable[float], *, params: float | None = None) -> Prediction:
        """Predict the metric at some data sizes.

        Args:
            data: Data sizes, in `data_unit`.
            params: Model size, for a joint law of parameters and data; without it, the best size.

        Returns:
            The posterior samples at each size, without the noise of a single training.

        Raises:
            InputError: A size is not positive, or the law is not of model sizes.

        Example:
            >>> table = {"hours": [100, 200, 400, 800], "wer": [0.3, 0.24, 0.2, 0.165]}
            >>> law = fit(table, x="hours", y="wer", form="power")
            >>> low, high = law.predict(1600).interval(0.9)[0]
            >>> bool(0.1 < low < high < 0.2)
            True
        """
        sizes = [float(size) for size in (data if isinstance(data, Iterable) else (data,))]
        for size in (*sizes, *(() if params is None else (params,))):
            if not size > 0:
                raise InputError(
                    f"{size} was given: expected a size above 0", code="not-positive", value=size
                )
        model = self._model
        if params is not None and not model.is_joint:
            raise InputError(
                "params was given: expected a joint law of parameters and data",
                code="not-a-joint-law",
                hint=use("form", value="surface", purpose="to fit one"),
            )
        if params is not None:
            model = with_size(model, params)
        rows = [[scenario.error(size) for size in sizes] for scenario in model.scenarios]
        return Prediction(sizes, rows, law_info(self._record).scale)

    @cached_property
    def _model(self) -> LawModel:
        by_metric = {law.metric: law for law in self._companions}
        return law_model(
            self._record,
            AllocationConstraints(),
            size=by_metric.get("params"),
            samples=by_metric.get("samples"),
        )

    def to_frame(self) -> Any:
        """Return the posterior samples of the parameters as a pandas DataFrame, one row per sample."""
        import pandas as pd

        return pd.DataFrame({name: list(values) for name, values in self._record.parameters.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return what `planner laws show --format json` prints."""
        from laws.storage.store import Store
        from planner.reports.laws import law_record

        return law_record(Store(self._folder), self.id)

    def to_arviz(self) -> Any:
        """Return the posterior as ArviZ InferenceData (needs arviz and the extra `netcdf`)."""
        import arviz

        from laws.export import netcdf

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "law.nc"
            netcdf(self._record, path)
            return arviz.from_netcdf(path).load()

    def save(self, store: str | Path) -> None:
        """Add the law, with its companions, to a store, where the command line finds it.

        Args:
            store: Folder of the store; made if it does not exist.

        Raises:
            StoreError: The folder may not be written, or has files that cannot be used.
        """
        from laws.storage.store import Store
        from planner.sources.fit import store_fit

        store_fit(Store(Path(store)), (self._record, *self._companions))

    def plot(
        self, *, target: float | str | None = None, decades: float = 1.5, out: str | Path | None = None
    ) -> Any:
        """Draw the law with its points and bands (needs the extra `plot`).

        Args:
            target: A value of the metric to draw a line at, such as 0.05 or "5%".
            decades: How far beyond the largest measured data, in powers of ten.
            out: A file to write, .png or .svg; None draws only.

        Returns:
            The matplotlib figure.
        """
        from laws.storage.store import Store
        from planner.reports.plots.figure import figure_of_law
        from planner.reports.plots.matplotlib_plot import draw, write

        data = figure_of_law(Store(self._folder), self.id, decades=decades)
        if target is not None:
            value = law_info(self._record).scale.parse(target) if isinstance(target, str) else float(target)
            data = replace(data, target=value)
        if out is not None:
            write(data, Path(out))
        return draw(data)

    def _table(self) -> tuple[str, tuple[str, ...], list[tuple[str, ...]], list[str]]:
        low, high = self.measured
        sizes = [low, *(high * 10.0**decades for decades in SHOWN_DECADES)]
        predicted = self.predict(sizes)
        _, columns, rows = predicted._table()
        title = f"{self.metric} of {self._record.domain}: {self.form} law, {self._record.n_points} points"
        subject = f"{title} from {units.format_number(low)} to {units.format_data(high, self.data_unit)}"
        notes = [f"Warnings: {', '.join(self.warnings)}"] if self.warnings else []
        return subject, (self.data_unit, *columns[1:]), rows, notes

    def __repr__(self) -> str:
        """Return what the law predicts, from the smallest measured data to 100 times the largest."""
        return as_text(*self._table())

    def _repr_html_(self) -> str:
        return as_html(*self._table())


def fit(
    table: Any,
    *,
    x: str,
    y: str,
    domain: str = "data",
    data_unit: str | None = None,
    metric: str | None = None,
    metric_unit: str | None = None,
    family: str = "",
    form: str = "auto",
    columns: Mapping[str, str] | None = None,
    where: Mapping[str, str] | None = None,
    higher_is_better: bool | None = None,
    metric_range: str | None = None,
    chance_level: str | None = None,
    test_size: str | None = None,
    baseline_error: str | None = None,
    seed: int = 0,
    store: str | Path | None = None,
) -> Law:
    """Fit laws to a table of finished trainings, as `planner fit` does.

    Args:
        table: A path (also of a tracker's store), a pandas, polars or pyarrow table, or a mapping of column
            name to values; one row per training.
        x: Column of the data size.
        y: Column of the metric.
        domain: Name to store the law under.
        data_unit: What data is counted in; by default what the heading `x` names.
        metric: Name of the metric; by default what the heading `y` names.
        metric_unit: Unit of the metric; by default fraction for error rates.
        family: Architecture that was trained.
        form: `auto`, or one of the forms that `planner fit --form` takes.
        columns: Role -> column: `params`, `flops`, `samples`, `gpu_hours`, `device`, `se`, `seed`.
        where: Column -> value, to choose runs of a tracker's store.
        higher_is_better: Whether the metric rises with data; by default as its name says.
        metric_range: Least and best value of the metric, such as "0:100"; by default as its name says.
        chance_level: Value of the metric that guessing reaches, such as "10%".
        test_size: Number of test examples, such as "10k", or a column of them: gives the noise of a rate.
        baseline_error: Error of chance-level answers, such as "99.9%".
        seed: Seed of the sampler: the same table and seed give the same law.
        store: Folder of a store that keeps the law; by default it lives as long as the returned value.

    Returns:
        The law that answers questions, with its companions.

    Raises:
        InputError: An argument cannot be used.
        TableError: The table, a column or a cell cannot be read.
        LawError: Sampling did not converge.

    Example:
        >>> table = {"hours": [100, 200, 400, 800], "wer": [0.3, 0.24, 0.2, 0.165]}
        >>> law = fit(table, x="hours", y="wer", form="power")
        >>> law.measured
        (100.0, 800.0)
    """
    from planner.sources.fit import Request, fit_file
    from planner.sources.subject import named_by
    from planner.sources.tracked_table import RunChoice

    named_metric, named_unit = named_by(x, y)
    folder = Path(tempfile.mkdtemp(prefix="planner-") if store is None else store)
    with as_file(table) as path:
        laws = fit_file(
            Request(
                path=path,
                domain=domain,
                metric=metric or named_metric,
                data_unit=data_unit or named_unit,
                metric_unit=metric_unit,
                family=family,
                form=form,
                columns={**dict(columns or {}), "data": x, "metric": y},
                choice=RunChoice(where=dict(where or {})),
                seed=seed,
                baseline_error=baseline_error,
                higher_is_better=higher_is_better,
                metric_range=metric_range,
                chance_level=chance_level,
                test_size=test_size,
            ),
            folder,
        )
    law = Law(laws[0], folder, companions=laws[1:])
    if store is None:
        weakref.finalize(law, shutil.rmtree, folder, ignore_errors=True)
    return law


def load(
    store: str | Path,
    *,
    law: str | None = None,
    domain: str | None = None,
    metric: str | None = None,
    family: str | None = None,
    form: str | None = None,
) -> Law:
    """Load the law of a store that `planner estimate` would answer by.

    Args:
        store: Folder of the store.
        law: Id of a law, or the start of one.
        domain: Only laws of this domain.
        metric: Only laws of this metric.
        family: Only laws of this family.
        form: Only laws of this form.

    Returns:
        The newest law that matches, with its companions.

    Raises:
        LawNotFound: No law matches, or laws of several domains do.
    """
    from planner.lawmodel.select import select_law
    from planner.lawmodel.selector import LawSelector

    selector = LawSelector(law=law, domain=domain, metric=metric, family=family, form=form)
    selected = select_law(selector, Path(store), sampled=True)
    if not isinstance(selected.law, LawRecord):
        raise LawError(
            f"law {law!r} is a published one: expected a law of the store", code="not-a-stored-law", value=law
        )
    companions = [other for other in (selected.size, selected.samples) if other is not None]
    return Law(selected.law, Path(store), companions=companions)
