"""Encrypts data that Redis must not hold in plain text: workspaces' tokens and people's addresses."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.domain.errors import ConfigurationError

SHORTEST = 16
"""Minimum length of a key: a shorter one could be guessed."""
STORED = "seal"
"""The purpose of encrypted data in Redis and of links in mails."""
HOW = "python -c 'import secrets; print(secrets.token_urlsafe(32))' makes one"


class Encryptor:
    """Encrypts with the first key, and decrypts with any of them.

    To rotate keys, put the new one first and leave the old one until everything has been encrypted again.
    """

    def __init__(self, keys: Sequence[str], purpose: str = STORED) -> None:
        """Data can only be decrypted by an encryptor for the same purpose.

        Raises ConfigurationError if there is no key, or one that could be guessed.
        """
        if not keys or min(map(len, keys)) < SHORTEST:
            raise ConfigurationError(
                f"PAPERBOY_SECRET_KEY must be set, to at least {SHORTEST} characters: {HOW}"
            )
        self.rotating = len(keys) > 1
        """Whether some data may still be encrypted with an old key."""
        self._keys = tuple(keys)
        self._fernet = MultiFernet([Fernet(_derived(key, purpose)) for key in keys])

    @classmethod
    def of(cls, setting: str | None) -> "Encryptor":
        """Return the encryptor for the value of PAPERBOY_SECRET_KEY. Raises ConfigurationError."""
        return cls([key.strip() for key in (setting or "").split(",") if key.strip()])

    def for_purpose(self, purpose: str) -> "Encryptor":
        """Return an encryptor with the same keys for tokens that strangers get: one kind must never pass as another."""
        return Encryptor(self._keys, purpose)

    def seal(self, text: str) -> str:
        """Encrypt `text`; `unseal` decrypts it."""
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Decrypt the output of `seal`. Raises ConfigurationError if no key fits.

        Only its exact spelling is accepted: Fernet skips characters that aren't Base64, so a single-use token could be
        used again in another spelling.
        """
        try:
            return self._fernet.decrypt(_canonical(sealed)).decode()
        except (InvalidToken, ValueError) as error:
            raise ConfigurationError(
                "no key in PAPERBOY_SECRET_KEY decrypts the data in Redis: add the old key after the new one"
            ) from error

    def reseal(self, sealed: str) -> str:
        """Encrypt the same text again, with the first key."""
        return self.seal(self.unseal(sealed))


def _canonical(sealed: str) -> bytes:
    """Raises InvalidToken for any other spelling of the same bytes, ValueError if it isn't Base64."""
    if urlsafe_b64encode(urlsafe_b64decode(sealed)) != sealed.encode():
        raise InvalidToken
    return sealed.encode()


def _derived(key: str, purpose: str) -> bytes:
    """Derive a Fernet key (32 bytes) from any text, so that a passphrase from a password manager works."""
    kdf = HKDF(SHA256(), 32, salt=None, info=f"paperboy {purpose}".encode())
    return urlsafe_b64encode(kdf.derive(key.encode()))
