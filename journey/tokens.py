"""Secrets that we hand out once and keep only as a hash: tokens of tablets and sessions, keys of machines."""

from __future__ import annotations

import hashlib
import secrets

# Crockford's alphabet without I, L, O and U: read aloud and typed without mistakes
CODE_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8


def new_token(prefix: str = "") -> str:
    """A secret of 256 random bits, safe in URLs, cookies and headers."""
    return prefix + secrets.token_urlsafe(32)


def new_code() -> str:
    """A code of 40 random bits for a person to type: ``ABCD-EFGH``."""
    letters = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def plain_code(typed: str) -> str:
    """A code as typed → as made: upper case, no spaces or hyphens, letters that look like digits read as such."""
    letters = "".join(letter for letter in typed.upper() if letter.isalnum())
    return letters.translate(str.maketrans("ILO", "110"))


def hashed(secret: str) -> str:
    """What is stored of a secret. A plain SHA-256 does: with so many random bits there is nothing to guess, and
    looking a hash up in an index tells an attacker's clock nothing about the secret."""
    return hashlib.sha256(secret.encode()).hexdigest()
