"""The account and the health of the system."""

from dataclasses import dataclass

from shared.auth import User
from shared.clients.supabase_accounts import SupabaseAccounts
from shared.db import users
from shared.db.database import Database
from shared.dto.account import Account, Health
from shared.dto.schema import utc_now


@dataclass(frozen=True)
class Accounts:
    """What a learner may ask about themselves, and anyone about the system."""

    database: Database
    accounts: SupabaseAccounts

    def health(self) -> Health:
        """Whether Postgres answers."""
        if self.database.is_reachable():
            return Health(status="ok", db="ok", time=utc_now())
        return Health(status="degraded", db="unreachable", time=utc_now())

    def me(self, user: User) -> Account:
        """The learner's account."""
        with self.database.as_user(user, "read") as transaction:
            return users.get(transaction, user.id)

    def delete(self, user: User) -> None:
        """Delete the account; raises AccountsUnavailable.

        With the account its rows go, since they refer to it, and what they say of audio becomes garbage, which is
        collected once no signed URL can name it any more.
        """
        with self.database.as_user(user, "write"):
            pass  # the account is there and the token is spent; no transaction waits for Supabase Auth
        self.accounts.delete(user.id)
