"""What the auth server refuses, with the statuses and codes of Supabase Auth.

https://supabase.com/docs/guides/auth/debugging/error-codes
A class's docstring is its default message.
"""

from typing import Any, ClassVar


class AuthError(Exception):
    """Unexpected failure, please check server logs for more information"""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "unexpected_failure"

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").strip()
        super().__init__(self.message)

    @property
    def details(self) -> dict[str, Any]:
        """What the answer says beyond code and message."""
        return {}


class BadJson(AuthError):
    """Could not parse request body as JSON"""

    status, code = 400, "bad_json"


class ValidationFailed(AuthError):
    """The request does not fit"""

    status, code = 400, "validation_failed"


class InvalidCredentials(AuthError):
    """Invalid login credentials"""

    status, code = 400, "invalid_credentials"


class EmailNotConfirmed(AuthError):
    """Email not confirmed"""

    status, code = 400, "email_not_confirmed"


class RefreshTokenNotFound(AuthError):
    """Invalid Refresh Token: Refresh Token Not Found"""

    status, code = 400, "refresh_token_not_found"


class RefreshTokenAlreadyUsed(AuthError):
    """Invalid Refresh Token: Already Used"""

    status, code = 400, "refresh_token_already_used"


class NoAuthorization(AuthError):
    """This endpoint requires a Bearer token"""

    status, code = 401, "no_authorization"


class BadJwt(AuthError):
    """invalid JWT: unable to parse or verify signature"""

    status, code = 403, "bad_jwt"


class NotAdmin(AuthError):
    """User not allowed"""

    status, code = 403, "not_admin"


class CallerNotFound(AuthError):
    """User from sub claim in JWT does not exist"""

    status, code = 403, "user_not_found"


class SessionNotFound(AuthError):
    """Session from session_id claim in JWT does not exist"""

    status, code = 403, "session_not_found"


class UserNotFound(AuthError):
    """User not found"""

    status, code = 404, "user_not_found"


class UserAlreadyExists(AuthError):
    """User already registered"""

    status, code = 422, "user_already_exists"


class EmailExists(AuthError):
    """A user with this email address has already been registered"""

    status, code = 422, "email_exists"


class SamePassword(AuthError):
    """New password should be different from the old password."""

    status, code = 422, "same_password"


class AnonymousSignInsDisabled(AuthError):
    """Anonymous sign-ins are disabled"""

    status, code = 422, "anonymous_provider_disabled"


class WeakPassword(AuthError):
    """Password is too short"""

    status, code = 422, "weak_password"

    @property
    def details(self) -> dict[str, Any]:
        return {"weak_password": {"reasons": ["length"]}}


class DatabaseUnreachable(AuthError):
    """The database does not answer; try again"""

    status, code = 503, "unexpected_failure"
