"""Check what is installed against published advisories (https://osv.dev), one line per advisory.

    python tests/advisories.py [ADDRESS]

Exit code 0: none is known. 1: some are. 2: the database could not be asked, as without a network.
"""

import json
import sys
import urllib.error
import urllib.request
from importlib.metadata import distributions

OSV = "https://api.osv.dev/v1/querybatch"
TIMEOUT_SECONDS = 30


def installed() -> dict[str, str]:
    """Return name -> version of every distribution in this environment."""
    return {of.metadata["Name"]: of.version for of in distributions() if of.metadata["Name"]}


def advisories(versions: dict[str, str], address: str) -> dict[str, list[str]]:
    """Return distribution -> ids of its advisories, of those that have any.

    Args:
        versions: Name -> version.
        address: Of the database's batch query.

    Returns:
        The advisories that the database has for exactly these versions.

    Raises:
        OSError: The database cannot be reached.
    """
    names = sorted(versions)
    queries = [{"package": {"name": name, "ecosystem": "PyPI"}, "version": versions[name]} for name in names]
    request = urllib.request.Request(
        address, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
        results = json.load(answer)["results"]
    ids = ([advisory["id"] for advisory in result.get("vulns", ())] for result in results)
    return {name: of for name, of in zip(names, ids, strict=True) if of}


def main() -> None:
    """Print the advisories and exit."""
    address = sys.argv[1] if len(sys.argv) > 1 else OSV
    versions = installed()
    try:
        known = advisories(versions, address)
    except (OSError, ValueError, KeyError) as error:
        reason = getattr(error, "reason", None) or error
        sys.stderr.write(f"{address} could not be asked: {reason}\n")
        sys.exit(2)
    for name, ids in known.items():
        sys.stdout.write(f"{name} {versions[name]}: {', '.join(ids)}\n")
    sys.stdout.write(f"{len(versions)} distributions, {len(known)} with advisories\n")
    sys.exit(1 if known else 0)


if __name__ == "__main__":
    main()
