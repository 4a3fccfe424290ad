"""The error for a library of the extra `plot` that is not installed."""

from laws.errors import PlannerError


def missing_library(name: str) -> PlannerError:
    """Return the error for a library that draws or fills in pages.

    Args:
        name: The library that cannot be imported.

    Returns:
        An error with the code "missing-library".
    """
    install = "pip install 'scaling-planner[plot]'"
    return PlannerError(
        f"{name} is not installed: {install}", code="missing-library", value=name, expected=install
    )
