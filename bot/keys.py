"""ASKPY_SECRET_KEY: encrypts the tokens of installed workspaces, and keys the ids under which people are stored.

The setting is one key, or several with commas between: the first one encrypts, the others only decrypt what they have encrypted.
From each key two are derived (HKDF-SHA-256), one for each purpose.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.model import AskPyError

MIN_LENGTH = 32
"""Characters of a key. `python -m bot keys new` prints one of 43, with 256 bits."""
_ENCRYPTING, _NAMING = b"askpy: encrypts tokens", b"askpy: keys ids"


class SecretKeyError(AskPyError):
    """A key that can't be used, or a token that none of the keys has encrypted."""


class SecretKeys:
    """The keys of the setting. Its repr shows none."""

    def __init__(self, setting: str) -> None:
        """Raises SecretKeyError for a key that is too short."""
        keys = [key.strip().encode() for key in setting.split(",") if key.strip()]
        if not keys or any(len(key) < MIN_LENGTH for key in keys):
            raise SecretKeyError(
                f"ASKPY_SECRET_KEY: each key has to have {MIN_LENGTH} characters or more; python -m bot keys new makes one."
            )
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, _ENCRYPTING))) for key in keys])
        self._naming = [_derive(key, _NAMING) for key in keys]

    def encrypt(self, text: str) -> str:
        """The text, encrypted with the first key."""
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, encrypted: str) -> str:
        """The text, whichever key has encrypted it. Raises SecretKeyError."""
        return _read(self._fernet.decrypt, encrypted)

    def rotate(self, encrypted: str) -> str:
        """What was encrypted with any key, encrypted with the first one. Raises SecretKeyError."""
        return _read(self._fernet.rotate, encrypted)

    def hmac_id(self, text: str) -> str:
        """HMAC-SHA-256 of a text that begins with its workspace, in hexadecimal, under the first key."""
        return self.hmac_ids(text)[0]

    def hmac_ids(self, text: str) -> Sequence[str]:
        """The same under each key: what was stored before a rotation has another id."""
        return [hmac.new(key, text.encode("utf-8", "replace"), sha256).hexdigest() for key in self._naming]

    def __repr__(self) -> str:
        return "SecretKeys('**********')"


def new_key() -> str:
    """A key of 256 random bits."""
    return Fernet.generate_key().decode().rstrip("=")


def _read(work: Callable[[bytes], bytes], encrypted: str) -> str:
    """What a method of the cipher makes of an encrypted text. Raises SecretKeyError, with what is missing."""
    try:
        return work(encrypted.encode()).decode()
    except InvalidToken:
        raise SecretKeyError("A stored token can't be decrypted: its key is missing in ASKPY_SECRET_KEY.") from None


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(key)
