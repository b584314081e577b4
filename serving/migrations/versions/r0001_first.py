"""The first schema: the tables as they were before they had revisions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "interactions",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False, index=True),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("occurred_at", "recorded_at")
        ),
        sa.Column("interaction_id", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("channel", "topic", "case_id", "offer_id")),
        *(sa.Column(name, sa.Double) for name in ("amount", "wait_minutes", "rating")),
        sa.Column("resolved", sa.Boolean),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("numbers", sa.Text),
    )
    op.create_index("interactions_once", "interactions", ["source", "interaction_id"], unique=True)
    op.create_table(
        "attributes",
        sa.Column("customer_id", sa.Text, nullable=False, index=True),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "identities",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False, index=True),
        sa.Column("known_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False, index=True),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
    )
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("last_recorded", sa.BigInteger, nullable=False),
        sa.Column("project", sa.Text, nullable=False),
        sa.Column("imported", sa.Text),
    )
