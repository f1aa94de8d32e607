"""The order of a conversation's messages across processes, and which processes there are."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add both tables; an earlier release that still runs beside this one doesn't use them."""
    op.create_table(
        "askpy_turns",
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("conversation", sa.String(64), nullable=False),
        sa.Column("position", sa.Float(53), nullable=False),
        sa.Column("process", sa.String(64), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_index("askpy_turns_conversation", "askpy_turns", ["conversation"])
    op.create_table(
        "askpy_processes",
        sa.Column("process", sa.String(64), primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
    )
