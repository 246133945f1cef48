"""Accounts of simulated readers: named sim-…, with passwords that are never written down."""

import secrets

from accounts.models import Role, User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from annotation.readings.models import Reading

PREFIX = "sim-"


def simulated_readers(project: Project, count: int) -> list[tuple[str, str]]:
    """Make (or give new passwords to) a project's simulated readers: name and password of each."""
    names = [f"{PREFIX}{project.pk.hex[:8]}-{number}" for number in range(1, count + 1)]
    return [(name, _account(project, name)) for name in names]


def _account(project: Project, name: str) -> str:
    password = secrets.token_urlsafe(24)
    user, _ = User.objects.get_or_create(username=name)
    user.set_password(password)
    user.is_active = True
    user.save()
    set_membership(project=project, user=user, role=Role.READER)
    return password


def dismiss(project: Project) -> None:
    """Close the accounts: nobody can sign in as a simulated reader afterwards."""
    for user in User.objects.filter(username__startswith=f"{PREFIX}{project.pk.hex[:8]}-"):
        user.set_unusable_password()
        user.is_active = False
        user.save()


def read_by_people(project: Project) -> int:
    """Count readings that real people made."""
    readings = Reading.objects.filter(case__project=project)
    return readings.exclude(reader__username__startswith=PREFIX).count()


def read_in_all(project: Project) -> int:
    """Count all readings."""
    return Reading.objects.filter(case__project=project).count()
