"""How an answer that curators wrote is to be read: those that are there were typed before Markdown was read."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; an earlier release that still runs beside this one doesn't write it, and its answers are plain."""
    op.add_column("askpy_changes", sa.Column("answer_format", sa.String(20), nullable=False, server_default="plain"))
