"""Installations by OAuth: tokens of workspaces and organisations, states, and who has removed the app."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.String(200)


def upgrade() -> None:
    """Add the tables; an earlier release that still runs beside this one doesn't use them."""
    op.create_table(
        "askpy_installations",
        sa.Column("team", _ID, primary_key=True),
        *(sa.Column(name, _ID, nullable=False) for name in ("name",)),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("bot_token", "refresh_token")),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        *(sa.Column(name, _ID, nullable=False) for name in ("bot", "bot_user")),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("installer", _ID, nullable=False),
        sa.Column("curators", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
    )
    op.create_table(
        "askpy_oauth_states",
        sa.Column("state", sa.String(64), primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "askpy_departed",
        sa.Column("team", _ID, primary_key=True),
        sa.Column("at", sa.Float(53), nullable=False),
    )
    op.create_table(
        "askpy_org_teams",
        sa.Column("team", _ID, primary_key=True),
        sa.Column("organisation", _ID, nullable=False),
    )
    op.create_index("askpy_org_teams_organisation", "askpy_org_teams", ["organisation"])
