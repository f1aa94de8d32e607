"""What the first releases made without migrations: claims, conversations, votes. What is there is left as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables that aren't there."""
    op.create_table(
        "askpy_claims",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "askpy_contexts",
        sa.Column("conversation", sa.String(64), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("ids", sa.String(4000), nullable=False),
        sa.Column("grouped", sa.String(200)),
        sa.Column("at", sa.Float(53), nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "askpy_votes",
        sa.Column("answer", sa.String(64), primary_key=True),
        sa.Column("voter", sa.String(64), primary_key=True),
        sa.Column("subject", sa.String(1000), nullable=False),
        sa.Column("vote", sa.String(10), nullable=False),
        sa.Column("reason", sa.String(20), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        if_not_exists=True,
    )
    for table in ("claims", "contexts", "votes"):
        op.create_index(f"askpy_{table}_at", f"askpy_{table}", ["at"], if_not_exists=True)
