"""The store's tables as the newest revision of its schema leaves them."""

import sqlalchemy as sa

METADATA = sa.MetaData()
INTERACTIONS = sa.Table(
    "interactions",
    METADATA,
    sa.Column("customer_id", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("occurred_at", sa.BigInteger, nullable=False),
    sa.Column("recorded_at", sa.BigInteger, nullable=False),
    sa.Column("interaction_id", sa.Text),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("channel", sa.Text),
    sa.Column("topic", sa.Text),
    sa.Column("case_id", sa.Text),
    sa.Column("offer_id", sa.Text),
    sa.Column("amount", sa.Double),
    sa.Column("wait_minutes", sa.Double),
    sa.Column("rating", sa.Double),
    sa.Column("resolved", sa.Boolean),
    sa.Column("due_at", sa.BigInteger),
    sa.Column("numbers", sa.Text),
    sqlite_with_rowid=False,  # a customer's rows lie together, in the order of their key
)
# An interaction without an id is never a repeat: the index holds the others alone.
ONCE = sa.Index(
    "interactions_once",
    INTERACTIONS.c.interaction_id,  # first: few share one, while a source has most of the rows
    INTERACTIONS.c.source,
    unique=True,
    sqlite_where=INTERACTIONS.c.interaction_id.is_not(None),
    postgresql_where=INTERACTIONS.c.interaction_id.is_not(None),
)
OF_OFFERS = sa.Index(
    "interactions_offer",
    INTERACTIONS.c.offer_id,
    INTERACTIONS.c.kind,
    INTERACTIONS.c.recorded_at,
    INTERACTIONS.c.occurred_at,
    sqlite_where=INTERACTIONS.c.offer_id.is_not(None),
    postgresql_where=INTERACTIONS.c.offer_id.is_not(None),
)
ATTRIBUTES = sa.Table(
    "attributes",
    METADATA,
    sa.Column("customer_id", sa.Text, nullable=False, index=True),
    sa.Column("known_at", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("value", sa.Text, nullable=False),
)
IDENTITIES = sa.Table(
    "identities",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("customer_id", sa.Text, nullable=False, index=True),
    sa.Column("known_at", sa.BigInteger, nullable=False),
)
DECISIONS = sa.Table(
    "decisions",
    METADATA,
    sa.Column("decision_id", sa.Text, primary_key=True),
    sa.Column("customer_id", sa.Text, nullable=False, index=True),
    sa.Column("as_of", sa.BigInteger, nullable=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("reserved", sa.Boolean, nullable=False, server_default=sa.true()),
)
SCORES = sa.Table(
    "scores",
    METADATA,
    sa.Column("customer_id", sa.Text, nullable=False, index=True),
    sa.Column("as_of", sa.BigInteger, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("probability", sa.Double, nullable=False),
)
# Who was erased: salted digests of their keys, never the keys.
TOMBSTONES = sa.Table(
    "tombstones",
    METADATA,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("erased_at", sa.BigInteger, nullable=False),
)
# One row: the recording clock, the last place given to an interaction, whose store it is, the
# digest of the data brought in, the salt of the tombstones, and from when interactions are kept.
# Every write updates it first, so writes are one after another.
CLOCK = sa.Table(
    "clock",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("last_recorded", sa.BigInteger, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("imported", sa.Text),
    sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("salt", sa.Text),
    sa.Column("kept_since", sa.BigInteger),
)
