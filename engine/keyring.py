"""The keys of secret fields, and what they do: AES-256-GCM, bound to the column that holds a value."""

import base64
import binascii
import hashlib
import hmac
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from engine.errors import BadInput, EngineError
from engine.sealed import Sealed, Unsealed

__all__ = ["KEY_FILE", "KeyMissing", "Keyring", "read_keys"]

KEY_FILE = "secret.key"
KEY_BYTES, NONCE_BYTES = 32, 12


class KeyMissing(EngineError):
    """A secret cannot be decrypted: its key is not among ours, or it was put where it does not belong."""

    code = "secret.key.missing"


class Keyring:
    """The first key encrypts, all of them decrypt."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self.first = id_of(keys[0])
        self.keys = {id_of(key): AESGCM(key) for key in keys}
        self._webhooks = [hmac.digest(key, b"fieldstone webhooks", "sha256") for key in keys]
        self._signing = {id_of(key): hmac.digest(key, b"fieldstone audit", "sha256") for key in keys}

    @classmethod
    def in_folder(cls, data: Path) -> "Keyring":
        """Of the key in the data folder, which is made when it is first asked for."""
        path = data / KEY_FILE
        if not path.exists():
            make_key(path)
        return cls(read_keys(path.read_text(encoding="ascii"), str(path)))

    def signing_key(self, key_id: str) -> bytes | None:
        """What the audit log is sealed with, made from one of the keys; None where that is not among ours."""
        return self._signing.get(key_id)

    def signing_keys(self) -> list[bytes]:
        return list(self._signing.values())

    def webhook_secrets(self, endpoint: str) -> list[bytes]:
        """What calls to an endpoint are signed with: by the first key, then by those before it."""
        return [hmac.digest(key, endpoint.encode(), "sha256") for key in self._webhooks]

    def seal(self, secret: Unsealed, place: str) -> Sealed:
        nonce = os.urandom(NONCE_BYTES)
        cipher = self.keys[self.first].encrypt(nonce, secret.plain.encode(), place.encode())
        return Sealed(self.first, base64.urlsafe_b64encode(nonce + cipher).decode(), secret.mask)

    def open(self, sealed: Sealed, place: str) -> str:
        """Raises KeyMissing."""
        key = self.keys.get(sealed.key_id)
        if key is None:
            message = f"a secret was encrypted with the key {sealed.key_id}, which is not there"
            raise KeyMissing(message, fix="name it in FIELDSTONE_SECRET_KEY, after the first")
        whole = base64.urlsafe_b64decode(sealed.cipher)
        try:
            return key.decrypt(whole[:NONCE_BYTES], whole[NONCE_BYTES:], place.encode()).decode()
        except InvalidTag as error:
            raise KeyMissing("a secret is not the one that was put into this field") from error

    def renewed(self, secret: Unsealed, old: object, place: str) -> Sealed:
        """Encrypted anew, unless `old` is the same secret."""
        if isinstance(old, Sealed):
            with suppress(KeyMissing):
                if self.open(old, place) == secret.plain:
                    return old
        return self.seal(secret, place)


def read_keys(text: str, where: str = "FIELDSTONE_SECRET_KEY") -> list[bytes]:
    """Keys of 32 bytes in base64, with commas between them. Raises BadInput, which does not quote them."""
    keys = []
    for number, part in enumerate(text.split(","), start=1):
        try:
            key = base64.b64decode(part.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            fix = 'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())" makes one'
            raise BadInput(f"{where}: key {number} is not 32 bytes in base64", code="secret.key", fix=fix)
        keys.append(key)
    return keys


def id_of(key: bytes) -> str:
    return hashlib.sha256(b"fieldstone key " + key).hexdigest()[:8]


def make_key(path: Path) -> None:
    """Whole or not at all, and never over one that is there: two processes may come at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent)  # readable by its owner only
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(base64.b64encode(os.urandom(KEY_BYTES)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
