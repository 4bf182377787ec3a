"""The account of the learner, and the health of the system."""

from flask import Response

from shared import http
from shared.clients.supabase_accounts import SupabaseAccounts
from shared.config import AccountDeletionSettings, load
from shared.db.database import database
from shared.dto.account import Account, Health
from shared.errors import AccountsUnavailable
from shared.services.account import Accounts

api = http.user_api("account", "The account of the learner, and the health of the system.")
accounts = Accounts(database(), SupabaseAccounts(load(AccountDeletionSettings)))


@api.get("/health", responses={200: Health, 500: Health}, security=[])
@http.public
def health() -> Response:
    """Whether the system can serve."""
    state = accounts.health()
    return http.answer(state, 200 if state.status == "ok" else 500)


@api.get("/users/me", responses={200: Account})
def me() -> Response:
    """The learner who is signed in."""
    return http.answer(accounts.me(http.caller()))


@api.delete("/users/me", responses={204: None})
@http.refuses(AccountsUnavailable)
def delete() -> Response:
    """Delete the account with everything that belongs to it."""
    accounts.delete(http.caller())
    return http.no_content()


account = http.serve(api)
