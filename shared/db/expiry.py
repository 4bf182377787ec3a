"""What is kept for a while only."""

from shared.db.database import Transaction


def forget_old(transaction: Transaction) -> int:
    """Delete expired idempotency keys, old key tests and rate limits that are full again; returns how many rows."""
    forgotten = 0
    for statement in (
        "delete from private.idempotency_keys where expires_at <= now()",
        "delete from private.tts_key_tests where tested_at <= now() - interval '15 minutes'",
        "delete from private.rate_limits where updated_at <= now() - interval '1 hour'",
    ):
        forgotten += transaction.execute(statement).rowcount
    return forgotten
