"""Whether who asked for machine work may still have it: looked up once more when the work begins."""

from uuid import UUID

from accounts.models import User
from annotation.projects.rules import ForbiddenError
from annotation.projects.selectors import projects_managed


def check_administrator(user_id: UUID | None) -> None:
    """Check that who asked is still an administrator; nobody: it was asked for on the machine itself.

    raises: ForbiddenError.
    """
    if user_id is None:
        return
    if not User.objects.filter(pk=user_id, is_active=True, is_admin=True).exists():
        raise ForbiddenError("who asked for this is no administrator any more: ask for it anew")


def check_manager(user_id: UUID | None, project_id: UUID) -> None:
    """Check that who asked is still ML staff of the project or an administrator; nobody: as above.

    raises: ForbiddenError.
    """
    if user_id is None:
        return
    by = User.objects.filter(pk=user_id, is_active=True).first()
    if by is None or not projects_managed(by).filter(pk=project_id).exists():
        raise ForbiddenError("who asked for this does not manage the project any more: ask for it anew")
