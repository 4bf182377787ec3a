"""The account and the health of the system."""

from dataclasses import dataclass

from shared.auth import User
from shared.db import users
from shared.db.database import Database
from shared.dto.account import Account, Health
from shared.dto.schema import utc_now


@dataclass(frozen=True)
class Accounts:
    """What a learner may ask about themselves, and anyone about the system."""

    database: Database

    def health(self) -> Health:
        """Whether Postgres answers."""
        if self.database.is_reachable():
            return Health(status="ok", db="ok", time=utc_now())
        return Health(status="degraded", db="unreachable", time=utc_now())

    def me(self, user: User) -> Account:
        """The learner's account."""
        with self.database.as_user(user, "read") as transaction:
            return users.get(transaction, user.id)
