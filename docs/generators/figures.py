"""Draw the figures of docs/research/forecasting.md into docs/figures.

    python -m docs.generators.figures [--ranks]

`--ranks` also repeats the simulation-based calibration, 264 forecasts, which takes minutes.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from laws.forecasting import forecast as f
from laws.forecasting.drift import DECADE, PARAMETERS, LogCurve, paths
from laws.forecasting.odds import log_error
from laws.forecasting.priors import bundled_prior
from laws.points import check_points

Array = NDArray[np.float64]
FOLDER = Path(__file__).parents[1] / "figures"
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


def save(figure: Figure, name: str) -> None:
    """Write a figure as a small SVG that is the same on every run."""
    figure.tight_layout()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})


def axes(columns: int, *, height: float = 2.6) -> tuple[Figure, list[Axes]]:
    """Return a figure with a row of plain axes."""
    figure = Figure(figsize=(3.2 * columns, height))
    row = [figure.add_subplot(1, columns, i + 1) for i in range(columns)]
    for panel in row:
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(labelsize=8)
    return figure, row


def prior_components() -> None:
    """Draw what each prior component expects beyond an unseen curve of two decades, without noise."""
    prior = bundled_prior()
    figure, row = axes(6, height=2.2)
    decades = np.linspace(0, 3.5, 36)
    curve = LogCurve(np.array([2.0 * DECADE]), np.zeros(1), np.ones(1), np.zeros(1))
    onset, drift = (list(PARAMETERS).index(name) for name in ("onset", "drift"))
    for i, name in enumerate(prior.names):
        rng, plot = np.random.default_rng(3), row[i // 2]
        z = prior.mean[i] + prior.sd[i] * rng.standard_normal((6, len(PARAMETERS)))
        z[:, onset] -= 2.0  # an onset counts from the smallest scale, two decades before the end
        z[:, drift] = -12.0
        law, _ = paths(curve, z, decades * DECADE, rng)
        if prior.is_odds[i]:  # half of the chance-level error at the last point
            law = log_error(law, 2.0)
        plot.plot(decades, law.T / np.log(10), color=f"C{i % 2}", lw=0.8, alpha=0.8)
        plot.plot([], [], color=f"C{i % 2}", label=name)
        plot.axvline(2.0, color="0.6", lw=0.6, ls=":")
        plot.set_ylim(-1.2, 1.2)
        plot.legend(fontsize=7, frameon=False, loc="upper right")
    row[0].set_ylabel("log10 y, from the last point", fontsize=8)
    row[0].set_xlabel("decades of x", fontsize=8)
    save(figure, "forecast-beliefs")


def fans() -> None:
    """Draw forecasts of simulated curves, whose continuation is known."""
    x = np.geomspace(1e3, 1e5, 13)
    far = np.geomspace(1e3, 2e6, 40)

    def phases(at: Array) -> Array:
        return 0.05 + 0.85 / (1 + (at / 8e3) ** 0.5)

    def plateau(at: Array) -> Array:
        return 0.3 + 30 * at**-0.7

    def steady(at: Array) -> Array:
        return 3 * at**-0.2

    figure, row = axes(3)
    for plot, law, title in zip(
        row, (phases, plateau, steady), ("three phases", "a plateau", "a running minimum"), strict=True
    ):
        rng = np.random.default_rng(4)
        if law is steady:
            fine = np.geomspace(1e3, 1e5, 120)
            best = np.minimum.accumulate(law(fine) * np.exp(0.03 * rng.standard_normal(120)))[::3]
            points = check_points(fine[::3], best)
        else:
            points = check_points(x, law(x) * np.exp(0.01 * rng.standard_normal(len(x))))
        forecast = f.forecast(points, seed=0)
        ahead = far[far > points.x[-1]]
        low, q25, median, q75, high = forecast.quantiles(ahead, LEVELS)
        plot.fill_between(ahead, low, high, color="C0", alpha=0.2, lw=0)
        plot.fill_between(ahead, q25, q75, color="C0", alpha=0.3, lw=0)
        plot.plot(ahead, median, color="C0", lw=1, label="forecast: median, 50%, 90%")
        plot.plot(far, law(far), color="C1", lw=0.8, ls="--", label="the law")
        plot.plot(points.x, points.y, ".", color="0.2", ms=3, label="measured")
        plot.set_xscale("log")
        plot.set_yscale("log")
        plot.minorticks_off()
        plot.set_title(title, fontsize=9)
    row[0].legend(fontsize=7, frameon=False)
    save(figure, "forecast-fans")


def ranks() -> None:
    """Draw the ranks of the true value among the posterior samples, for curves of each component."""
    from tests.laws.test_forecast import rank

    fractions = [float(rank(seed)) for seed in range(264)]
    counts = np.histogram(fractions, bins=8, range=(0, 1))[0]
    print(
        "ranks:",
        counts.tolist(),
        "chi squared on 7 degrees:",
        round(float(((counts - 33) ** 2 / 33).sum()), 1),
    )
    figure, (plot,) = axes(1)
    plot.bar(np.arange(8) / 8 + 1 / 16, counts, width=0.115, color="C0", alpha=0.7)
    plot.axhspan(33 - 1.96 * 33**0.5, 33 + 1.96 * 33**0.5, color="0.85", zorder=0)
    plot.set_xlabel("share of draws below the truth", fontsize=8)
    plot.set_ylabel("curves", fontsize=8)
    save(figure, "forecast-ranks")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    prior_components()
    fans()
    if "--ranks" in sys.argv[1:]:
        ranks()
