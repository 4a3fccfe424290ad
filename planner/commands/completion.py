"""What a shell offers for the value of an option. Only a shell that completes a word imports this."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from laws.errors import PlannerError


def values_of(
    kind: str, given: Mapping[str, Any], incomplete: str, *, folder_of: Callable[[Path | None], Path]
) -> list[tuple[str, str]]:
    """Return the values of an option that begin with what is typed.

    Args:
        kind: "accelerators", "domains", "families", "laws", "metrics" or "presets".
        given: The other options that are typed already, by the names of their parameters.
        incomplete: The first characters of the value.
        folder_of: Returns the folder of the store that is named; None is the default one.

    Returns:
        Values with a short description each; none where a store or a fleet cannot be read.
    """
    try:
        store = given.get("store")
        folder = folder_of(Path(store) if store else None)
        values = dict(_VALUES[kind]({**given, "store": folder}))
    except (PlannerError, OSError):
        return []
    return [(value, text) for value, text in values.items() if value.startswith(incomplete)]


def _accelerators(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from planner.hardware.fleet import read_fleet

    fleet = given.get("fleet")
    for accelerator in read_fleet(Path(fleet) if fleet else None).accelerators.values():
        yield accelerator.id, accelerator.name


def _laws(given: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the laws of the store, the published ones and the shipped ones that match what is typed."""
    from laws.catalog.bundled import bundled_laws
    from laws.catalog.published import all_laws
    from laws.storage.store import Store

    for law in (*Store(given["store"]).laws(), *all_laws(), *bundled_laws().laws()):
        if all(given.get(name) in (None, getattr(law, name)) for name in ("domain", "metric")):
            yield law


def _ids(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for law in _laws(given):
        yield law.id, f"{law.domain} {law.metric}"


def _domains(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from calibrate.domains import DOMAINS

    for domain in DOMAINS.values():
        yield domain.name, ""
    if "preset" not in given:  # calibration measures its own domains only
        for law in _laws({"store": given["store"]}):
            yield law.domain, ""


def _families(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from calibrate.domains import DOMAINS

    measured = DOMAINS.get(str(given.get("domain")))
    for family in measured.families if measured else ():
        yield family, ""
    if "preset" not in given:
        for law in _laws(given):
            if law.family and " " not in law.family:  # that of a published law is a description
                yield law.family, law.domain


def _metrics(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for law in _laws({name: given.get(name) for name in ("store", "domain")}):
        yield law.metric, law.domain


def _presets(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from calibrate.domains import DOMAINS

    measured = DOMAINS.get(str(given.get("domain")))
    for domain in [measured] if measured else DOMAINS.values():
        for preset in domain.presets:
            yield preset, ""


_VALUES = {
    "accelerators": _accelerators,
    "domains": _domains,
    "families": _families,
    "laws": _ids,
    "metrics": _metrics,
    "presets": _presets,
}
