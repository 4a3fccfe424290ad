"""The domains: their metadata and presets, which the command line prints without importing torch.

A domain is a folder here that tells one story:

- `presets.py`: a `calibrate.types.Domain`, its metrics, families and presets; imports no torch;
- `corpus.py`: makes or reads the training and the validation set;
- `task.py`: what is trained, the functions of `calibrate.types.DomainCode`.

To add one, write the folder and name its `Domain` in `DOMAINS`. A domain outside this project is a file that
holds both (`--domain FILE`), or an entry point of an installed package.
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
from laws.errors import InputError, UnknownName

DOMAINS = {domain.name: domain for domain in (SPEECH, TRANSLATION, WORD_LM, CHAR_LM, IMAGE, TEACHER)}

ENTRY_POINTS = "planner.domains"  # the group under which an installed package offers a `Domain`


def find_domain(name: str) -> Domain:
    """Return a domain by its name, by the path of its file, or by its entry point.

    Args:
        name: A name in `DOMAINS`, a path that ends in `.py`, or the name of an entry point. The code of the
            latter two is imported.

    Returns:
        The domain.

    Raises:
        UnknownName: No domain has this name (code "unknown-name").
        InputError: The file or package does not offer a usable domain (codes "domain-not-loaded",
            "domain-missing", "domain-name-taken").
    """
    if name in DOMAINS:
        return DOMAINS[name]
    if name.endswith(FILE_SUFFIX):
        return _external(name, lambda: getattr(load_module(name), "DOMAIN", None))
    from importlib.metadata import entry_points  # takes 10 ms, which no other command should spend

    installed = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name in installed:
        return _external(f"the installed domain {name}", installed[name].load)
    raise UnknownName("domain", name, (*DOMAINS, *installed))


def domain_code(domain: Domain) -> DomainCode:
    """Import the module that trains a domain, and torch with it.

    Args:
        domain: A domain.

    Returns:
        The module, with `prepare`, `task` and `ladder`.
    """
    return cast(DomainCode, load_module(domain.module))


def _external(origin: str, read: Callable[[], object]) -> Domain:
    """Return the domain that external code offers, checked."""
    try:
        domain = read()
    except Exception as error:  # external code can raise anything
        first = str(error).strip().split("\n")[0]
        raise InputError(
            f"{origin} cannot be loaded ({type(error).__name__}: {first})",
            code="domain-not-loaded",
            value=origin,
        ) from error
    if not isinstance(domain, Domain):
        raise InputError(
            f"{origin}: expected DOMAIN, a calibrate.types.Domain, got {type(domain).__name__}; "
            "docs/contributing/extending.md shows one",
            code="domain-missing",
            value=origin,
        )
    if domain.name in DOMAINS:
        raise InputError(
            f"{origin} is called {domain.name!r}: expected a name that no built-in domain has",
            code="domain-name-taken",
            value=domain.name,
        )
    return domain
