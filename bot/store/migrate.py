"""Migrations: bring a database of any earlier release to this release's tables, once, however many processes start."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

HEAD = "0007"
"""The newest revision; a database that has it needs no Alembic."""
OURS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""All revisions that this release knows."""
GUARD = 7_277_065_889
"""PostgreSQL's advisory lock that one migrating process holds."""
FOLDER = Path(__file__).with_name("migrations")

_alembic_lock = threading.Lock()  # Alembic's context is a global
logger = logging.getLogger("bot.store")


class MigrationError(SQLAlchemyError):
    """A migration failed; it was rolled back."""


def cause(error: BaseException) -> str:
    """The first line of the driver's own message, without the statement and its values."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def revision_of(connection: Connection) -> str:
    """The database's revision; "" if no migration has run there."""
    if not inspect(connection).has_table("askpy_version"):
        return ""
    return str(connection.execute(text("SELECT version_num FROM askpy_version")).scalar() or "")


def is_current(connection: Connection) -> bool:
    """Whether there is nothing to migrate. An unknown revision is a newer release's; migrations only add to the tables."""
    found = revision_of(connection)
    if found and found not in OURS:
        logger.warning("The database was made by a newer AskPy (revision %s, this one knows %s).", found, HEAD)
    return found == HEAD or (found != "" and found not in OURS)


def guard(connection: Connection, seconds: float) -> None:
    """PostgreSQL: take the migration lock for this transaction, waiting at most `seconds` for another process.

    SQLite needs none: BEGIN IMMEDIATE is the lock.
    """
    if connection.dialect.name != "postgresql":
        return
    connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": f"{int(seconds * 1000)}ms"})
    connection.execute(text("SELECT set_config('statement_timeout', '0', true)"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": GUARD})


def migrate(connection: Connection) -> None:
    """Bring the database to HEAD inside the connection's transaction."""
    from alembic import command  # noqa: PLC0415  it takes longer to import than a start without it
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _alembic_lock:
        try:
            command.upgrade(config, HEAD)
        except (CommandError, SQLAlchemyError) as error:
            raise MigrationError(f"its tables can't be brought to this release's: {cause(error)}") from error
