"""The table of domains: what the command line says of each without importing torch.

A new domain is one row of `calibrate/domains/`, named here, and one module that offers the functions of
`calibrate.types.DomainCode`. A domain that somebody else wrote is a file with both, given by its path, or an
entry point of an installed package.
"""

from collections.abc import Callable
from typing import cast

from calibrate.domains.image.presets import IMAGE
from calibrate.domains.language.presets import CHAR_LM, WORD_LM
from calibrate.domains.speech.presets import SPEECH
from calibrate.domains.teacher.presets import TEACHER
from calibrate.domains.translation.presets import TRANSLATION
from calibrate.loading import FILE_SUFFIX, load_module
from calibrate.types import Domain, DomainCode
from laws.errors import PlannerError, nearest

DOMAINS = {domain.name: domain for domain in (SPEECH, TRANSLATION, WORD_LM, CHAR_LM, IMAGE, TEACHER)}


INSTALLED = "planner.domains"  # the group of entry points under which packages offer a `Domain`


def named(name: str) -> Domain:
    """Return the domain of that name, of a file's path, or of an entry point; importing the latter two.

    Raises PlannerError with the nearest where there is none, or where a file holds no domain.
    """
    if name in DOMAINS:
        return DOMAINS[name]
    if name.endswith(FILE_SUFFIX):
        return _own(name, lambda: getattr(load_module(name), "DOMAIN", None))
    from importlib.metadata import entry_points  # ten milliseconds that no other command has to spend

    installed = {point.name: point for point in entry_points(group=INSTALLED)}
    if name in installed:
        return _own(f"the installed domain {name}", installed[name].load)
    raise PlannerError(f"no domain is called {name!r}{nearest(name, (*DOMAINS, *installed))}")


def _own(where: str, read: Callable[[], object]) -> Domain:
    """Return the domain that code of somebody else offers, checked."""
    try:
        found = read()
    except Exception as error:  # whatever it is: the code is not ours
        first = str(error).strip().split("\n")[0]
        raise PlannerError(f"{where} cannot be loaded ({type(error).__name__}: {first})") from error
    if not isinstance(found, Domain):
        raise PlannerError(
            f"{where}: wanted DOMAIN, a calibrate.types.Domain; see docs/contributing/extending.md"
        )
    if found.name in DOMAINS:
        raise PlannerError(
            f"{where} calls itself {found.name!r}, as a domain here does: give it another name"
        )
    return found


def code(domain: Domain) -> DomainCode:
    """Import the module of a domain, torch with it."""
    return cast(DomainCode, load_module(domain.module))
