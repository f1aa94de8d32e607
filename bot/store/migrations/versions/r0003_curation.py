"""What curators go by and what they change: misses, changes, who waits, counts, trials."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of the curators' loop."""
    op.create_table(
        "askpy_misses",
        sa.Column("workspace", sa.String(200), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("text", sa.String(1000), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("best", sa.String(200), nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("first", sa.Float(53), nullable=False),
        sa.Column("last", sa.Float(53), nullable=False),
    )
    op.create_index("askpy_misses_last", "askpy_misses", ["last"])
    op.create_table(
        "askpy_changes",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("workspace", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("entry", sa.String(200), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("asks", sa.Text, nullable=False),
        sa.Column("batch", sa.String(64), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("undone", sa.Float(53)),
    )
    op.create_index("askpy_changes_workspace", "askpy_changes", ["workspace", "revision"])
    op.create_index("askpy_changes_undone", "askpy_changes", ["undone"])
    op.create_table(
        "askpy_taken",
        sa.Column("workspace", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("change", sa.String(64), nullable=False),
    )
    op.create_index("askpy_taken_change", "askpy_taken", ["change"])
    op.create_table(
        "askpy_revisions",
        sa.Column("workspace", sa.String(200), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
    )
    op.create_table(
        "askpy_waiting",
        sa.Column("workspace", sa.String(200), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("user", sa.String(200), primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_index("askpy_waiting_at", "askpy_waiting", ["at"])
    op.create_table(
        "askpy_tallies",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("workspace", sa.String(200), primary_key=True),
        sa.Column("channel", sa.String(200), primary_key=True),
        sa.Column("outcome", sa.String(20), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "askpy_trials",
        sa.Column("workspace", sa.String(200), primary_key=True),
        sa.Column("channel", sa.String(200), primary_key=True),
        sa.Column("since", sa.Float(53), nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("answered", sa.Integer, nullable=False),
        sa.Column("offered", sa.Integer, nullable=False),
        sa.Column("missed", sa.Integer, nullable=False),
    )
