"""Laws next to each other: what each predicts at the same data sizes, and which is best there."""

from collections.abc import Iterable, Sequence
from typing import Any

from laws.errors import ConflictingInput, InputError
from planner import units
from planner.api.law import Law, Prediction
from planner.api.text import as_html, as_text

MIN_LAWS = 2


class Comparison:
    """Predictions of several laws at the same data sizes."""

    def __init__(self, laws: Sequence[Law], names: Sequence[str], predictions: Sequence[Prediction]) -> None:
        """Hold one prediction per law."""
        self.laws = tuple(laws)
        self.names = tuple(names)
        self._predictions = tuple(predictions)

    @property
    def data(self) -> Any:
        """Return the data sizes as a numpy array of shape (sizes,)."""
        return self._predictions[0].data

    def prediction(self, name: str) -> Prediction:
        """Return what one law predicts.

        Args:
            name: One of `names`.

        Returns:
            Its prediction at `data`.
        """
        return self._predictions[self.names.index(name)]

    def probability_best(self, *, seed: int = 0) -> Any:
        """Return how probable it is that each law is the best one at each size.

        The posteriors are independent, so their samples are paired at random.

        Args:
            seed: Seed of the pairing.

        Returns:
            A numpy array of shape (laws, sizes), which sums to 1 over the laws.
        """
        import numpy as np

        rng = np.random.default_rng(seed)
        samples = [of.samples for of in self._predictions]
        n = max(len(rows) for rows in samples)
        drawn = np.stack([rows[rng.integers(0, len(rows), n)] for rows in samples])
        best = drawn.argmax(axis=0) if self._predictions[0].scale.higher_is_better else drawn.argmin(axis=0)
        return np.stack([(best == i).mean(axis=0) for i in range(len(samples))])

    def to_frame(self) -> Any:
        """Return a pandas DataFrame: one row per law and size."""
        import pandas as pd

        frames = []
        for name, of, best in zip(self.names, self._predictions, self.probability_best(), strict=True):
            frames.append(of.to_frame().assign(law=name, probability_best=best))
        return pd.concat(frames, ignore_index=True)

    def _table(self) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
        unit = self.laws[0].data_unit
        rows = []
        for name, of, best in zip(self.names, self._predictions, self.probability_best(), strict=True):
            for size, middle, (low, high), share in zip(of.data, of.median, of.interval(), best, strict=True):
                shown = map(of.scale.format, (low, middle, high))
                rows.append((name, units.format_data(size, unit), *shown, f"{share:.0%}"))
        return f"{self.laws[0].metric} compared", ("law", "data", "5%", "median", "95%", "best"), rows

    def __repr__(self) -> str:
        """Return one row per law and size."""
        return as_text(*self._table())

    def _repr_html_(self) -> str:
        return as_html(*self._table())


def compare(laws: Iterable[Law], *, data: Iterable[float] | None = None) -> Comparison:
    """Compare what laws of one metric predict.

    Args:
        laws: At least two laws of the same metric and unit of data.
        data: Data sizes; by default the largest that every law has measured, and ten times that.

    Returns:
        The comparison; laws are named by their family, or by their id.

    Raises:
        InputError: Fewer than two laws are given.
        ConflictingInput: The laws are of different metrics or units.

    Example:
        >>> import planner
        >>> small = {"hours": [1, 2, 4, 8], "wer": [0.5, 0.4, 0.33, 0.27]}
        >>> large = {"hours": [1, 2, 4, 8], "wer": [0.6, 0.42, 0.3, 0.21]}
        >>> a = planner.fit(small, x="hours", y="wer", form="power", family="small")
        >>> b = planner.fit(large, x="hours", y="wer", form="power", family="large")
        >>> planner.compare([a, b]).names
        ('small', 'large')
    """
    chosen = tuple(laws)
    if len(chosen) < MIN_LAWS:
        raise InputError(
            f"{len(chosen)} laws were given: expected at least {MIN_LAWS}", code="too-few-laws-to-compare"
        )
    subjects = {(law.metric, law.metric_unit, law.data_unit) for law in chosen}
    if len(subjects) > 1:
        of = " and ".join(sorted(f"{metric} over {unit}" for metric, _, unit in subjects))
        raise ConflictingInput(f"laws of {of} were given: expected laws of one metric", code="laws-differ")
    if data is None:
        common = min(law.measured[1] for law in chosen)
        data = (common, 10 * common)
    sizes = [float(size) for size in data]
    families = [law.family for law in chosen]
    distinct = all(families) and len(set(families)) == len(families)
    names = families if distinct else [law.id for law in chosen]
    return Comparison(chosen, names, [law.predict(sizes) for law in chosen])
