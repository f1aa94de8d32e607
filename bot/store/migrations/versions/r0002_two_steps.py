"""Claims in two steps, whose a conversation is, and where a vote was given."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each column has a default, because processes of the release before write none; what they claim, they have begun."""
    op.add_column("askpy_claims", sa.Column("owner", sa.String(64), nullable=False, server_default=""))
    op.add_column("askpy_claims", sa.Column("begun", sa.String(64), nullable=False, server_default="begun"))
    op.add_column("askpy_contexts", sa.Column("person", sa.String(64), nullable=False, server_default=""))
    op.add_column("askpy_votes", sa.Column("workspace", sa.String(200), nullable=False, server_default=""))
    op.add_column("askpy_votes", sa.Column("channel", sa.String(200), nullable=False, server_default=""))
    op.create_index("askpy_contexts_person", "askpy_contexts", ["person"])
    op.create_index("askpy_votes_workspace", "askpy_votes", ["workspace", "at"])
