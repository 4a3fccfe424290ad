"""Print the oldest version of every library that pyproject.toml allows, as a constraints file for pip."""

import re
import sys
import tomllib
from pathlib import Path

LOWEST = re.compile(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?>=([0-9.]+)")
TOOLS = "dev"  # what only the tests need may be new


def main() -> None:
    """Print one line `name==version` per library."""
    project = tomllib.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for name in extras if name != TOOLS for line in extras[name])]
    lowest = {match[1]: match[2] for line in lines if (match := LOWEST.match(line))}
    sys.stdout.write("".join(f"{name}=={version}\n" for name, version in sorted(lowest.items())))


if __name__ == "__main__":
    main()
