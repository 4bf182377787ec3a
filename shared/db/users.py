"""The learner's own row."""

from uuid import UUID

from psycopg.rows import class_row

from shared.db.database import Transaction
from shared.dto.account import Account
from shared.errors import Unauthorized


def get(transaction: Transaction, user_id: UUID) -> Account:
    """The account; raises Unauthorized where it is gone."""
    cursor = transaction.cursor(row_factory=class_row(Account))
    account = cursor.execute("select id, created_at from public.users where id = %s", [user_id]).fetchone()
    if account is None:
        raise Unauthorized
    return account
