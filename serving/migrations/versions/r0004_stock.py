"""How often an offer was accepted is found without reading everything."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make an index of the interactions that are about an offer."""
    about_an_offer = sa.text("offer_id IS NOT NULL")
    op.create_index(
        "interactions_offer",
        "interactions",
        ["offer_id", "kind"],
        sqlite_where=about_an_offer,
        postgresql_where=about_an_offer,
    )
