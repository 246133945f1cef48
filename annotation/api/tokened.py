"""Who may use an operation with a token of a scope, or with a session."""

from django.http import HttpRequest

from accounts.models import User
from accounts.scopes import Scope
from annotation.api.permissions import Session, UnauthenticatedError, token_of
from annotation.projects.rules import ForbiddenError


class TokenOrSession:
    """Signed in by a token of a scope, or by a session."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def __call__(self, request: HttpRequest) -> User | None:
        """Name the person, or None.

        raises: ForbiddenError for a token that is not for this.
        """
        try:
            token = token_of(request)
        except UnauthenticatedError:
            return None
        if token is None:
            return Session()(request)
        if self.scope not in token.scopes:
            raise ForbiddenError(f"the token is not for {self.scope.value}")
        request.user = token.user
        request.api_token = str(token.pk)  # type: ignore[attr-defined]
        return token.user


def token_used(request: HttpRequest) -> str:
    """Give the id of the token that let a request in; "" for a session."""
    return getattr(request, "api_token", "")
