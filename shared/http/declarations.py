"""What a view declares of itself beside its parameters and its answer: who may call it, how it refuses, what it sends.

Only `public` changes what happens; the others are read by `shared.http.document`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, TypeVar

from shared.errors import AppError

P = ParamSpec("P")
R = TypeVar("R")

MP3: dict[str, Any] = {
    "description": "The clip: MP3, mono.",
    "content": {"audio/mpeg": {"schema": {"type": "string", "format": "binary"}}},
}
"""An answer that is no JSON, as a decorator's `responses` takes it."""


@dataclass(frozen=True)
class Declared:
    """What a view declares."""

    is_public: bool = False
    errors: tuple[type[AppError], ...] = ()
    headers: tuple[str, ...] = ()


def declared(view: Callable[..., Any]) -> Declared:
    """What a view, or what wraps it, declares."""
    declaration: Declared = getattr(view, "declared", Declared())
    return declaration


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view of a user API that needs no token."""
    return _declare(view, is_public=True)


def refuses(*errors: type[AppError]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare errors that only this view answers with; those that all views have in common go without saying."""
    return lambda view: _declare(view, errors=errors)


def sends(*headers: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare headers of the view's answer, beside those that all answers have."""
    return lambda view: _declare(view, headers=headers)


def _declare(view: Callable[P, R], **changes: Any) -> Callable[P, R]:
    view.declared = replace(declared(view), **changes)  # type: ignore[attr-defined]
    return view
