"""Accounts at Supabase Auth, through the admin API of the `supabase` package."""

from uuid import UUID

import structlog

from shared.config import AccountDeletionSettings
from shared.errors import AccountsUnavailable

log = structlog.get_logger()


class SupabaseAccounts:
    """Deletes accounts. The package is imported when it is first needed: it takes half a second."""

    def __init__(self, settings: AccountDeletionSettings) -> None:
        self._settings = settings

    def delete(self, user_id: UUID) -> None:
        """Delete an account; one that is gone already counts as deleted. Raises AccountsUnavailable."""
        import httpx
        from supabase import create_client
        from supabase_auth.errors import AuthApiError, AuthError

        key = self._settings.supabase_service_key.get_secret_value()
        try:
            create_client(self._settings.supabase_url, key).auth.admin.delete_user(str(user_id))
        except AuthApiError as error:
            if error.status == 404:
                return
            log.error("account was not deleted", status=error.status, auth_code=error.code)
            raise AccountsUnavailable from None
        except (AuthError, httpx.HTTPError) as error:
            log.error("Supabase Auth is out of reach", reason=type(error).__name__)
            raise AccountsUnavailable from None
