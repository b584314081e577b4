"""A customer's interactions lie together; those who were erased leave a tombstone."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXTS = ("interaction_id", "source", "kind", "channel", "topic", "case_id", "offer_id")
FIELDS = (
    *("customer_id", "seq", "occurred_at", "recorded_at", *TEXTS),
    *("amount", "wait_minutes", "rating", "resolved", "due_at", "numbers"),
)
WITH_ID = sa.text("interaction_id IS NOT NULL")


def upgrade() -> None:
    """Copy the interactions into a table in the order of its key, and make the tombstones."""
    op.create_table(
        "clustered",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("occurred_at", "recorded_at")
        ),
        *(sa.Column(name, sa.Text, nullable=name not in ("source", "kind")) for name in TEXTS),
        *(sa.Column(name, sa.Double) for name in ("amount", "wait_minutes", "rating")),
        sa.Column("resolved", sa.Boolean),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("numbers", sa.Text),
        sqlite_with_rowid=False,
    )
    names = ", ".join(FIELDS)
    op.execute(
        f"INSERT INTO clustered ({names}) SELECT {names} FROM interactions "
        "ORDER BY customer_id, seq"
    )
    op.drop_table("interactions")
    op.rename_table("clustered", "interactions")
    op.create_index(
        "interactions_once",
        "interactions",
        ["interaction_id", "source"],
        unique=True,
        sqlite_where=WITH_ID,
        postgresql_where=WITH_ID,
    )
    op.create_table(
        "tombstones",
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("erased_at", sa.BigInteger, nullable=False),
    )
    op.add_column("clock", sa.Column("seq", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("clock", sa.Column("salt", sa.Text))
    op.add_column("clock", sa.Column("kept_since", sa.BigInteger))
    op.execute("UPDATE clock SET seq = (SELECT coalesce(max(seq), 0) FROM interactions)")
