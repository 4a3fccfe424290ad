"""Import the code of a domain: a module of an installed package, or a file of the user."""

import hashlib
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

FILE_SUFFIX = ".py"  # of a module that is named by its file


def load_module(module: str) -> ModuleType:
    """Import a module, once in each process.

    Args:
        module: Its dotted name, or the path of its file.

    Returns:
        The module.

    Raises:
        ModuleNotFoundError: There is no such module or file.
    """
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
