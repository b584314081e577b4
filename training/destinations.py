"""Destinations: where scores go, a Parquet file or a database's table, whole or not at all."""

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq
import sqlalchemy as sa

from features import tables
from features.console import check_parquet
from features.errors import SettingsError, SourceError, redacted
from features.settings import Settings
from features.sources.objects import filesystem
from training.answers import Form

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

BATCH = 5_000
RUN = ("model", "model_version", "as_of")
TYPES: dict[str, type[sa.Text | sa.Double[float] | sa.Boolean]] = {
    "string": sa.Text,
    "double": sa.Double,
    "bool": sa.Boolean,
}


def check_file(out: str) -> None:
    """Refuse, before anything is computed, a file that cannot be written.

    Raises:
        click.UsageError: a local one cannot be, or its name does not end in .parquet.
        SourceError: its object store cannot be reached.
    """
    if not tables.is_object(out):
        check_parquet(out)
        return
    if not out.endswith(".parquet"):
        raise click.UsageError(f"--out '{out}': name an object that ends in .parquet.")
    filesystem(out)


def write_object(form: Form, tables: Iterable[pa.Table], url: str) -> None:
    """Write scores into an object of a store, which is there when it is complete.

    Raises:
        SourceError: the store does not take it.
    """
    store, path = filesystem(url)
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / "scores.parquet"
        write_parquet(form, tables, local)
        try:
            pa.fs.copy_files(str(local), path, destination_filesystem=store)
        except OSError as error:
            raise SourceError(
                f"--out '{redacted(url)}'",
                str(error).splitlines()[0],
                "an object store that can be written",
                "Check the bucket, and the keys and region in the environment.",
            ) from error


def write_parquet(form: Form, tables: Iterable[pa.Table], path: Path) -> None:
    """Write scores into a file, which is there when it is complete."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with pq.ParquetWriter(unfinished, form.schema) as writer:
            for table in tables:
                writer.write_table(table)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_folder(scores: "DataFrame", out: str) -> None:
    """Have Spark write scores into a folder of Parquet files, which is there when it is complete.

    It takes the place of an earlier one. In an object store Spark itself sees to both.
    """
    if tables.is_object(out):
        scores.write.mode("overwrite").parquet(out)
        return
    path = Path(out)
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        scores.write.mode("overwrite").parquet(unfinished.absolute().as_uri())
        if path.is_dir():
            shutil.rmtree(path)
        unfinished.replace(path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def table_of(form: Form, name: str) -> sa.Table:
    """Return the table of a database that holds scores like these; a row has one place in it."""
    keys = [*RUN, *form.keys]
    columns = []
    for field in form.schema:
        time = pa.types.is_timestamp(field.type)
        kind = sa.DateTime(timezone=True) if time else TYPES[str(field.type)]()
        columns.append(sa.Column(field.name, kind, primary_key=field.name in keys))
    return sa.Table(name, sa.MetaData(), *columns)


@contextmanager
def database(settings: Settings, url: str) -> Iterator[sa.Engine]:
    """Open a database, and turn what is wrong with it into an error for people.

    Raises:
        SettingsError: the URL names no kind of database that is known.
        SourceError: the database cannot be reached or written.
    """
    try:
        parsed = sa.engine.make_url(settings.database(url))
        engine = sa.create_engine(parsed, hide_parameters=True)  # errors tell no customer
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as error:
        raise SettingsError(
            "--out",
            str(error).splitlines()[0],
            "a .parquet file or a database URL whose driver is installed",
            "Write for example sqlite:///scores.db or postgresql+psycopg://user@host/name.",
        ) from error
    try:
        yield engine
    except sa.exc.SQLAlchemyError as error:
        raise SourceError(
            f"database {parsed.render_as_string(hide_password=True)}",
            str(error).splitlines()[0],
            "a database that can be written",
            "Check the URL of --out, and that its user may create and fill the table.",
        ) from error
    finally:
        engine.dispose()


def check_table(engine: sa.Engine, table: sa.Table) -> None:
    """Refuse, before anything is computed, a table of other columns.

    Raises:
        SettingsError: there is such a table, and it is not one of these scores.
    """
    inspector = sa.inspect(engine)
    if not inspector.has_table(table.name):
        return
    there = {column["name"] for column in inspector.get_columns(table.name)}
    wanted = set(table.columns.keys())
    if there != wanted:
        odd = sorted(there ^ wanted)[0]
        raise SettingsError(
            f"table {table.name}",
            f"columns {'with' if odd in there else 'without'} '{odd}'",
            "the columns of these scores, or no table of this name",
            "Name another with --table, or ask for as many --reasons as it holds.",
        )


def write_table(engine: sa.Engine, table: sa.Table, form: Form, tables: Iterable[pa.Table]) -> None:
    """Append one run's scores in one transaction, in the place of an earlier run like it."""
    table.metadata.create_all(engine)
    moment = pa.scalar(form.as_of, form.schema.field("as_of").type).as_py()
    run = dict(zip(RUN, (form.model.name, form.model.version, moment), strict=True))
    with engine.begin() as connection:
        connection.execute(
            sa.delete(table).where(*(table.c[name] == value for name, value in run.items()))
        )
        for part in tables:
            for batch in part.to_batches(BATCH):
                connection.execute(table.insert(), batch.to_pylist())
