from laws.errors import PlannerError as PlannerError
from planner.api.backtest import Backtest as Backtest
from planner.api.backtest import backtest as backtest
from planner.api.comparison import Comparison as Comparison
from planner.api.comparison import compare as compare
from planner.api.law import Law as Law
from planner.api.law import Prediction as Prediction
from planner.api.law import fit as fit
from planner.api.law import load as load
from planner.api.plan import Plan as Plan
from planner.api.plan import estimate as estimate
from planner.api.samples import Samples as Samples

__all__ = [
    "Backtest",
    "Comparison",
    "Law",
    "Plan",
    "PlannerError",
    "Prediction",
    "Samples",
    "backtest",
    "compare",
    "estimate",
    "fit",
    "load",
]
