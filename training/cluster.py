"""The cluster: every customer scored on Spark, the rows that one machine would write.

Each Python worker of Spark unpacks the model once and proves, as any service does, that it computes
the model's signals bit for bit. These packages must be installed where the workers run.
"""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset

from features import spark
from features.batch import Spine
from features.errors import DataError
from features.offers import Offer
from features.values import SignalValues
from features.wording import Wording
from training.answers import Form
from training.bundle import Bundle, load_bundle, save_bundle
from training.models import Model
from training.scoring import Scoring, spine_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SETTINGS = {"spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"}
"""Of Spark: timestamps as one machine writes them."""
_LOADED: dict[str, Bundle] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Parcel:
    """A form as it is sent to workers: its model is ``files``, of this ``digest``."""

    name: str
    version: str
    wording: Wording
    as_of: int
    n_reasons: int
    offers: Mapping[str, Offer]
    files: Mapping[str, bytes]
    digest: str


@contextmanager
def session() -> Iterator["SparkSession"]:
    """Open a Spark session, where and how Spark's own settings say; it ends with the run.

    Raises:
        DataError: there is no pyspark, or no Java to run it.
    """
    try:
        opened = spark.session("rapport scores", SETTINGS)
    except ImportError as error:
        raise DataError(
            "Spark", "no package 'pyspark'", "it installed", "Install '.[spark]'."
        ) from error
    try:
        yield opened
    finally:
        opened.stop()


def scored(session: "SparkSession", scoring: Scoring) -> "DataFrame":
    """Return the scores of every customer; Spark computes them when they are used.

    Args:
        session: Spark's.
        scoring: what is asked. Of a history in files, these must be where Spark's executors see
            them.

    Returns:
        The columns of ``scoring.form.schema``, rows in no order.
    """
    form, history = scoring.form, scoring.history
    asked = spine_of(form, scoring.customers)
    columns = {"customer_id": asked.customer_id, "as_of": asked.as_of}
    if asked.offer_id is not None:
        columns["offer_id"] = asked.offer_id
    facts = history.attributes
    tables = spark.Tables(
        _interactions(session, history.interactions),
        session.createDataFrame(pa.table(columns)),
        session.createDataFrame(facts) if len(facts) else None,
        history.offers,
        history.identities,
    )
    parcel = packed(form)

    def answer(spine: Spine, values: SignalValues) -> pa.Table:
        answered: pa.Table = unpacked(parcel).answerer(values.categories)(spine, values)
        return answered

    return spark.mapped(form.model.bundle.plan, tables, form.schema, answer)


def _interactions(
    session: "SparkSession", interactions: pa.Table | pa.dataset.Dataset
) -> "DataFrame":
    if isinstance(interactions, pa.Table):
        return session.createDataFrame(interactions)
    names = interactions.schema.names
    files = [Path(file).absolute().as_uri() for file in interactions.files]
    return session.read.parquet(*files).select(*(f"`{name}`" for name in names))


def packed(form: Form) -> Parcel:
    """Return a form and its model as plain data."""
    with tempfile.TemporaryDirectory() as folder:
        save_bundle(form.model.bundle, Path(folder))
        files = {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
    digest = hashlib.sha256(b"".join(files.values())).hexdigest()
    model = form.model
    asked = (form.wording, form.as_of, form.n_reasons, dict(form.offers))
    return Parcel(model.name, model.version, *asked, files, digest)


def unpacked(parcel: Parcel) -> Form:
    """Return a form with its model, which is read and proved once in each process.

    Raises:
        ContractError: this machine would compute some of the model's signals differently.
    """
    if parcel.digest not in _LOADED:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in parcel.files.items():
                (Path(folder) / name).write_bytes(content)
            _LOADED[parcel.digest] = load_bundle(Path(folder))
    bundle = _LOADED[parcel.digest]
    model = Model(parcel.name, parcel.version, "", bundle, parcel.digest)
    return Form(model, parcel.wording, parcel.as_of, parcel.n_reasons, parcel.offers)
