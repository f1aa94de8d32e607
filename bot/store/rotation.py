"""A rotation of keys: all stored tokens are encrypted anew, with the first key of ASKPY_SECRET_KEY, while the bot runs."""

from __future__ import annotations

from dataclasses import dataclass

from bot.keys import SecretKeyError, SecretKeys
from bot.store.installations import Installations, StoredInstallation


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many installations were encrypted anew, and those of which no key decrypts a token."""

    done: int
    failed: tuple[StoredInstallation, ...]


def encrypt_anew(installations: Installations, keys: SecretKeys) -> Rotation:
    """Encrypt the tokens of each installation with the first key.

    Each is saved by itself, so that an interrupted rotation can be begun again, and only if nobody has saved others since it was
    read: then it is read again. Raises StoreError while the database is unavailable.
    """
    done, failed, pending = 0, [], installations.all()
    while pending:
        changed = set()
        for each in pending:
            try:
                refresh_token = keys.rotate(each.refresh_token) if each.refresh_token else ""
                is_saved = installations.encrypt_anew(each, keys.rotate(each.bot_token), refresh_token)
            except SecretKeyError:
                failed.append(each)
                continue
            done += is_saved
            if not is_saved:
                changed.add(each.team)
        pending = [each for each in installations.all() if each.team in changed] if changed else []
    return Rotation(done, tuple(failed))
