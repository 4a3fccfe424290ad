"""Addresses of stores, as trackers write them: those of files are paths, others are on a server."""

from urllib.parse import unquote, urlsplit

from laws.errors import FileError


def path_of_address(address: str) -> str:
    """Return the path of a store's address.

    Args:
        address: Such as `sqlite:///mlflow.db`, which is a relative path, `sqlite:////data/mlflow.db` or
            `file:///data/mlruns`.

    Returns:
        The path.

    Raises:
        FileError: The address is that of a server. User names and passwords in it are not shown.
    """
    scheme, _, rest = address.partition("://")
    scheme = scheme.lower().partition("+")[0]
    if scheme == "sqlite" and rest.startswith("/"):
        return rest[1:].partition("?")[0]
    if scheme == "file":
        return unquote(urlsplit(address).path)
    raise FileError(
        f"{scheme}:// address: expected a file or a folder, since the program uses no network. Export the "
        "runs there to a CSV file",
        code="remote-source",
        value=scheme,
    )
