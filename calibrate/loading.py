"""Import the code of a domain: a module of an installed package, or a file that a user wrote."""

import hashlib
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

FILE_SUFFIX = ".py"  # what the name of a module ends in that is a file


def load_module(module: str) -> ModuleType:
    """Import a module by its dotted name, or by the path of its file; once in each process."""
    if not module.endswith(FILE_SUFFIX):
        return import_module(module)
    path = Path(module).resolve()
    name = f"domain_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, path)
        if spec is None or spec.loader is None or not path.is_file():
            raise ModuleNotFoundError(f"there is no file {path}", name=module)
        sys.modules[name] = module_from_spec(spec)
        try:
            spec.loader.exec_module(sys.modules[name])
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]
