"""Objects: files in an object store, which DuckDB reads through pyarrow's own clients."""

import os

import duckdb
import pyarrow as pa
import pyarrow.fs
from fsspec.implementations.arrow import ArrowFSWrapper

from features.errors import SourceError, redacted

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""Where a store with the interface of S3 is, when it is not Amazon's."""


def filesystem(source: str) -> tuple[pa.fs.FileSystem, str]:
    """Return the store of a URL and the path in it; keys and region are the environment's.

    Raises:
        SourceError: the store cannot be reached, or is not known to pyarrow.
    """
    scheme, _, path = source.partition("://")
    bucket, _, below = path.partition("/")
    endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
    try:
        if scheme == "s3" and endpoint:
            return pa.fs.S3FileSystem(endpoint_override=endpoint), path
        store, named = pa.fs.FileSystem.from_uri(f"{scheme}://{bucket}")
    except (OSError, ValueError) as error:
        raise SourceError(
            f"source '{redacted(source)}'",
            str(error).splitlines()[0],
            "an object store that answers",
            "Check the bucket (of Azure container@account.dfs.core.windows.net), and the keys and "
            "region in the environment.",
        ) from error
    return store, f"{named.rstrip('/')}/{below}"


def reach(connection: duckdb.DuckDBPyConnection, source: str) -> str:
    """Have a connection read what a source names, and return the path by which it does.

    DuckDB knows one store for each scheme, and each bucket may have a store of its own.

    Raises:
        SourceError: the store cannot be reached, or is not known to pyarrow.
    """
    store, path = filesystem(source)
    scheme = "-".join(source.split("/")[:3:2]).replace(":", "")
    if not connection.filesystem_is_registered(scheme):
        within = staticmethod(lambda asked: asked.removeprefix(f"{scheme}://"))
        own = {"protocol": (scheme,), "cachable": False, "_strip_protocol": within}
        connection.register_filesystem(type("Store", (ArrowFSWrapper,), own)(store))
    return f"{scheme}://{path}"
