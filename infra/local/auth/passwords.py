"""Passwords are kept as scrypt hashes (RFC 7914), and checked in the same time whether or not there is one."""

import secrets
from functools import cache

from werkzeug.security import check_password_hash, generate_password_hash

from infra.local.auth.errors import ValidationFailed, WeakPassword

MIN_LENGTH = 8
MAX_LENGTH = 72


def hash_password(password: str) -> str:
    """The hash to keep; raises WeakPassword or ValidationFailed where the length does not fit."""
    if len(password) < MIN_LENGTH:
        raise WeakPassword(f"Password should be at least {MIN_LENGTH} characters.")
    if len(password) > MAX_LENGTH:
        raise ValidationFailed(f"Password cannot be longer than {MAX_LENGTH} characters")
    return generate_password_hash(password, method="scrypt")


def is_password(password: str, hashed: str | None) -> bool:
    """Whether it is the password of the hash; without a hash it takes as long to say no."""
    return check_password_hash(hashed or _hash_of_nobody(), password) and bool(hashed)


@cache
def _hash_of_nobody() -> str:
    return generate_password_hash(secrets.token_hex(), method="scrypt")
