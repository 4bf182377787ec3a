"""Who tries: as whom each of them is connected, which role they take on, and whose claims they carry."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Principal:
    """Somebody at the database; `claims_of` is the learner whose claims they carry, whether or not those count."""

    name: str
    login: str
    role: str | None = None
    claims_of: str | None = "owner"

    @property
    def acts_as(self) -> str:
        """The role whose privileges count."""
        return self.role or self.login


OWNER = Principal("owner", "api_login", "authenticated")
STRANGER = Principal("stranger", "api_login", "authenticated", claims_of="stranger")
NEWCOMER = Principal("newcomer", "api_login", "authenticated", claims_of="newcomer")
NOBODY = Principal("nobody", "api_login", "authenticated", claims_of=None)
WORKER = Principal("worker", "worker_login")
ANON = Principal("anon", "anon")
API_LOGIN = Principal("api_login", "api_login")
SERVICE_ROLE = Principal("service_role", "service_role")
# Owns the table that is tried, but may not bypass row-level security as the migrator may.
TABLE_OWNER = Principal("table_owner", "owner_of_the_table_that_is_tried")

PRINCIPALS = {who.name: who for who in (OWNER, STRANGER, NOBODY, WORKER, ANON, API_LOGIN, SERVICE_ROLE, TABLE_OWNER)}
