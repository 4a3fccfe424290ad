"""Records with known content, for the tests of the store."""

import dataclasses
import math
import random

from laws.storage.records import content_id
from laws.types import Law, Outcome, Quantity, Run, SavedForecast, SizeCost, Sweep


def run(number=0, **changes):
    """Return the first attempt of one finished training."""
    plain = {
        "id": f"run{number}",
        "status": "finished",
        "sweep": "sweep-a",
        "domain": "speech",
        "family": "ds2",
        "optimizer": "adam",
        "data": 0.5 * (number + 1),
        "data_unit": "hours",
        "params": 1000 + number,
        "flops": 1e12,
        "samples": 2.5,
        "metrics": {"wer": 0.5, "cer": 0.25},
        "seconds": 1.5,
        "device": "cpu",
        "seed": number,
        "hyper": {"learning_rate": 1e-3, "batch": 16, "schedule": "cosine"},
        "code": "0.1.0",
        "fingerprint": "abc",
        "created": f"2026-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}Z",
    }
    return Run(**(plain | changes))


def sweep(**changes):
    """Return the plan of the sweep that `run` belongs to."""
    plain = {
        "id": "sweep-a",
        "created": "2026-01-01T00:00:00Z",
        "domain": "speech",
        "preset": "smoke",
        "seed": 7,
        "planned": 4,
        "runs": ("run0", "run1", "run7"),
        "fingerprint": "abc",
        "device": "cpu",
        "code": "0.1.0",
        "ladder": {
            "ds2": (
                SizeCost(size=16, params=1e3, flops=1e9),
                SizeCost(size=32, params=4e3, flops=4e9, memory=64.0),
            )
        },
        "definitions": {"sample": "hours of speech", "wer": "word errors over words"},
        "settings": {"time_limit": 60, "families": ["ds2"]},
    }
    return Sweep(**(plain | changes))


def law(seed=0, *, draws=20, points=6, fitted=None, **changes):
    """Return a law whose paths fall as a power law with scattered exponents."""
    rng = random.Random(seed)
    beta = [0.3 + 0.01 * rng.gauss(0, 1) for _ in range(draws)]
    grid = tuple(0.5 * i for i in range(points))
    plain = {
        "id": "",
        "created": f"2026-01-01T00:00:{seed % 60:02d}Z",
        "source": "calibrated",
        "domain": "speech",
        "family": "ds2",
        "metric": "wer",
        "metric_unit": "fraction",
        "x_unit": "hours",
        "form": "power",
        "parameters": {
            "alpha": tuple(0.9 + 0.01 * rng.gauss(0, 1) for _ in range(draws)),
            "beta": tuple(beta),
        },
        "grid": grid,
        "paths": tuple(tuple(-b * x for x in grid) for b in beta),
        "x_range": (1.0, 10.0),
        "n_points": 5,
        "points": {"x": (1.0, 2.0, 4.0, 8.0, 10.0), "y": (0.9, 0.7, 0.6, 0.5, 0.45)}
        if fitted is None
        else fitted,
        "ladder": (SizeCost(size=16, params=1e3, flops=1e9),),
        "diagnostics": {"rhat": 1.001, "ess_bulk": 4000.0},
        "definitions": {"metric": "word errors over words"},
        "provenance": {"seed": str(seed), "code": "0.1.0"},
        "runs": ("run0", "run1"),
        "warnings": ("no-size-law",),
    }
    made = Law(**(plain | changes))
    return dataclasses.replace(made, id=content_id(made))


def forecast(number=0, **changes):
    """Return an estimate of which one draw in twenty never reaches its target."""
    draws = tuple(100.0 * (1 + 0.1 * i + number) for i in range(19))
    plain = {
        "id": "",
        "created": f"2026-01-01T00:00:{number:02d}Z",
        "day": f"2026-01-{number + 1:02d}",
        "name": f"product {number}",
        "question": "planner estimate --metric wer --target 5%",
        "given": {"error": 0.05},
        "source": "calibrated",
        "law": "law0",
        "companions": {"params": "law1"},
        "domain": "speech",
        "family": "ds2",
        "metric": "wer",
        "metric_unit": "fraction",
        "quantities": {
            "error": Quantity(draws=(0.05,), unit="fraction"),
            "data": Quantity(draws=(*draws, math.inf), unit="hours"),
            "gpu_hours": Quantity(draws=(7.0,), unit="GPU-hours", spread=False),
        },
        "probability": 0.95,
        "code": "0.1.0",
        "assumptions": ("Training sees the data once.",),
        "warnings": ("one-pass",),
    }
    made = SavedForecast(**(plain | changes))
    return dataclasses.replace(made, id=content_id(made))


def outcome(of, **changes):
    """Return what happened after a forecast."""
    plain = {
        "id": "",
        "created": "2026-03-01T00:00:00Z",
        "forecast": of.id,
        "day": "2026-03-01",
        "observed": {"data": 150.0, "error": 0.051},
        "note": "as planned",
    }
    made = Outcome(**(plain | changes))
    return dataclasses.replace(made, id=content_id(made))


def same_law(one, other):
    """Compare two laws, their paths to the 4-byte floats that files keep."""
    plain = [dataclasses.replace(law, paths=()) for law in (one, other)]
    return plain[0] == plain[1] and all(
        abs(a - b) <= 1e-6 * max(1, abs(a))
        for row, other_row in zip(one.paths, other.paths, strict=True)
        for a, b in zip(row, other_row, strict=True)
    )


def law_file(store, id):
    """Return the file of a law."""
    return store.folder / "laws" / f"{id}.json"
