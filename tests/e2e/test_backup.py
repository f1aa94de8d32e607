"""docs/deploy.md on backups: the commands as they stand there, while the bot's store is open, and what comes back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from time import time

import pytest

from bot.model import Change
from bot.store import Store
from support import postgres

EDIT = Change(
    id="c1", workspace="T1", kind="ask", text="where do i park", entry="flask", batch="b1", by="T1:U1", at=time()
)
LATER = Change(
    id="c2", workspace="T1", kind="ask", text="where do i eat", entry="flask", batch="b2", by="T1:U1", at=time()
)


def run(*command: str | Path) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


def texts(store: Store) -> list[str]:
    return [change.text for change in store.changes.active("T1")]


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 isn't installed here")
def test_a_sqlite_backup_comes_back(tmp_path: Path) -> None:
    live, kept = tmp_path / "askpy.db", tmp_path / "kept.db"
    store = Store(f"sqlite:///{live}")
    assert store.changes.save([EDIT]) is None
    run("sqlite3", live, f".backup '{kept}'")
    assert store.changes.save([LATER]) is None
    store.close()
    for left in ("-wal", "-shm"):
        (tmp_path / f"askpy.db{left}").unlink(missing_ok=True)
    shutil.copy(kept, live)
    again = Store(f"sqlite:///{live}")
    assert texts(again) == ["where do i park"]
    assert again.changes.save([LATER]) is None
    again.close()


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason=postgres.INSTALL)
def test_a_postgresql_backup_comes_back(tmp_path: Path) -> None:
    kept = tmp_path / "askpy.dump"
    with postgres.running() as url:
        store = Store(url)
        assert store.changes.save([EDIT]) is None
        run("pg_dump", "--format=custom", f"--file={kept}", url)
        assert store.changes.save([LATER]) is None
        store.close()
        run("pg_restore", "--clean", "--if-exists", f"--dbname={url}", kept)
        again = Store(url)
        assert texts(again) == ["where do i park"]
        assert again.changes.save([LATER]) is None
        again.close()
