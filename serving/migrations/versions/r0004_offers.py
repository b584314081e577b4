"""How often an offer was accepted, and which decisions count, is found without reading all."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Index the interactions that are about an offer; say of decisions whether they reserved."""
    about_an_offer = sa.text("offer_id IS NOT NULL")
    op.create_index(
        "interactions_offer",
        "interactions",
        ["offer_id", "kind", "recorded_at", "occurred_at"],
        sqlite_where=about_an_offer,
        postgresql_where=about_an_offer,
    )
    reserved = sa.Column("reserved", sa.Boolean, nullable=False, server_default=sa.true())
    op.add_column("decisions", reserved)  # those before may have: who looks at them reads more
