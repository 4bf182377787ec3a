"""The learner's Google key, encrypted."""

from uuid import UUID

from psycopg.rows import class_row

from shared.db.database import Transaction
from shared.dto.tts_credentials import TtsCredentialsState

NOT_CONFIGURED = TtsCredentialsState(is_configured=False, last_validated_at=None, key_fingerprint=None)


def state(transaction: Transaction) -> TtsCredentialsState:
    """Whether the learner has stored a key."""
    cursor = transaction.cursor(row_factory=class_row(TtsCredentialsState))
    cursor.execute("select is_configured, last_validated_at, key_fingerprint from public.tts_credentials")
    return cursor.fetchone() or NOT_CONFIGURED


def record_test(transaction: Transaction, key_hmac: bytes) -> None:
    """Remember for 15 minutes that the learner tested the key with this HMAC."""
    transaction.execute("select private.record_key_test(%s)", [key_hmac])


def store(transaction: Transaction, key_hmac: bytes, encrypted_key: bytes, fingerprint: str) -> None:
    """Store a key; raises ValidationFailed unless the learner tested it within 15 minutes."""
    transaction.execute("select private.store_key(%s, %s, %s)", [key_hmac, encrypted_key, fingerprint])


def delete(transaction: Transaction) -> None:
    """Forget the key and its tests."""
    transaction.execute("select private.delete_key()")


def encrypted_key(transaction: Transaction) -> bytes | None:
    """The learner's encrypted key, if there is one."""
    row = transaction.execute("select private.read_encrypted_key() as encrypted_key").fetchone()
    return row["encrypted_key"] if row else None


def replace(transaction: Transaction, old: bytes, new: bytes) -> None:
    """Store the learner's key as encrypted anew, unless another has been stored meanwhile."""
    transaction.execute("select private.replace_encrypted_key(%s, %s)", [old, new])


def replace_of(transaction: Transaction, user_id: UUID, old: bytes, new: bytes) -> None:
    """The same for a worker, which works for every learner."""
    transaction.execute(
        """
        update public.tts_credentials
        set encrypted_key = %(new)s
        where user_id = %(user_id)s
          and encrypted_key = %(old)s
        """,
        {"user_id": user_id, "old": old, "new": new},
    )
