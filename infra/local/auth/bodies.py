"""The bodies of requests. Fields that are not read here, as captcha tokens, are ignored, as Supabase Auth does."""

import re
from typing import Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from infra.local.auth.errors import BadJson, ValidationFailed

EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}")

Body = TypeVar("Body", bound=BaseModel)


class Credentials(BaseModel):
    """Of `POST /token?grant_type=password`."""

    email: str = ""
    password: str = ""


class SignUp(Credentials):
    """Of `POST /signup`."""

    data: dict[str, Any] | None = None


class Refresh(BaseModel):
    """Of `POST /token?grant_type=refresh_token`."""

    refresh_token: str = ""


class UserChange(BaseModel):
    """Of `PUT /user`."""

    email: str | None = None
    password: str | None = None
    data: dict[str, Any] | None = None


class NewUser(BaseModel):
    """Of `POST /admin/users`."""

    id: UUID | None = None
    email: str = ""
    password: str | None = None
    email_confirm: bool = False
    user_metadata: dict[str, Any] | None = None
    app_metadata: dict[str, Any] | None = None


class UserDeletion(BaseModel):
    """Of `DELETE /admin/users/{id}`."""

    should_soft_delete: bool = False


def parse(model: type[Body], body: bytes) -> Body:
    """The body; raises BadJson."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadJson(f"Could not parse request body as JSON: {where} {first['msg']}") from None


def email_address(text: str) -> str:
    """The address in lower case, as it is kept; raises ValidationFailed."""
    if not EMAIL.fullmatch(text):
        raise ValidationFailed("Unable to validate email address: invalid format")
    return text.lower()
