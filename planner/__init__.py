"""How much data, how large a model, how much compute, time and money an accuracy takes, with intervals.

    law = planner.fit("runs.csv", domain="my-asr", x="hours", y="wer")
    law.predict([1e3, 1e4]).interval(0.9)
    plan = planner.estimate(law, target=0.05, on="h100", count=64, data_price=90)
    plan.data.interval(0.9), plan.probability

Functions: `fit`, `load`, `estimate`, `compare`, `backtest`. They return `Law`, `Prediction`, `Plan`,
`Samples`, `Comparison` and `Backtest`, and raise a `PlannerError` with a code. Nothing is imported before its
first use.
"""

from importlib import import_module
from typing import Any

_MODULES = {  # public name -> the module that has it
    "fit": "planner.api.law",
    "load": "planner.api.law",
    "Law": "planner.api.law",
    "Prediction": "planner.api.law",
    "estimate": "planner.api.plan",
    "Plan": "planner.api.plan",
    "backtest": "planner.api.backtest",
    "Backtest": "planner.api.backtest",
    "compare": "planner.api.comparison",
    "Comparison": "planner.api.comparison",
    "Samples": "planner.api.samples",
    "PlannerError": "laws.errors",
}
__all__ = [*_MODULES]  # noqa: PLE0604 - the stub next to this file names them for type checkers


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'planner' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted(_MODULES)
