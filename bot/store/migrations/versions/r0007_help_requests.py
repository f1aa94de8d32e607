"""Questions that were put to people, and of which Slack message an answer of a curator was made."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.String(200)


def upgrade() -> None:
    """Add the table and the columns; an earlier release that still runs beside this one writes neither."""
    op.create_table(
        "askpy_help_requests",
        sa.Column("id", sa.String(64), primary_key=True),
        *(sa.Column(name, _ID, nullable=False) for name in ("workspace", "asker")),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("answer_ref", sa.String(1000), nullable=False),
        sa.Column("channel", _ID, nullable=False),
        sa.Column("ts", sa.String(40), nullable=False),
        sa.Column("origin_channel", _ID, nullable=False),
        sa.Column("origin_thread", sa.String(40), nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("answer", sa.String(1000), nullable=False),
        sa.Column("link", sa.Text, nullable=False),
        sa.Column("by", _ID, nullable=False),
        sa.Column("settled_at", sa.Float(53), nullable=False),
        sa.Column("told_at", sa.Float(53), nullable=False),
        sa.Column("telling_at", sa.Float(53), nullable=False),
        sa.Column("shown_at", sa.Float(53), nullable=False),
        sa.Column("forgotten_at", sa.Float(53), nullable=False),
    )
    op.create_index("askpy_help_requests_asker", "askpy_help_requests", ["workspace", "asker"])
    op.create_index("askpy_help_requests_at", "askpy_help_requests", ["at"])
    op.add_column("askpy_changes", sa.Column("source_date", sa.String(10), nullable=False, server_default=""))
    op.add_column("askpy_changes", sa.Column("source_url", sa.Text, nullable=False, server_default=""))
