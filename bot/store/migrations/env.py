"""What Alembic runs: the migrations, over the connection that it is handed and inside its transaction."""

from alembic import context

from bot.store.tables import metadata

VERSIONS = "askpy_version"
"""The table that holds the revision; named like all of ours, because a database may be shared."""


def run() -> None:
    """Bring the database to the revision that was asked for."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=metadata, version_table=VERSIONS)
    context.run_migrations()


if __name__ == "env_py":  # Alembic's name for it
    run()
