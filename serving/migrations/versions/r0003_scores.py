"""The log of scores."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table of scores."""
    op.create_table(
        "scores",
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("as_of", sa.BigInteger, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
    )
    op.create_index("ix_scores_customer_id", "scores", ["customer_id"])
