"""People who are signed in, each with a browser of their own."""

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import Role, User
from annotation.projects.models import Project
from tests.factories import a_member, a_project, a_reader, a_user, typed


@pytest.fixture
def project(db: None) -> Project:
    """A project that asks one question."""
    return a_project("Chest X-rays")


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """Sign somebody in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return sign_in


@pytest.fixture
def reader(project: Project, signed_in: Callable[[User], Client]) -> Client:
    """A reader of the project."""
    return signed_in(a_reader(project, "r.ode"))


@pytest.fixture
def ml_staff(project: Project, signed_in: Callable[[User], Client]) -> Client:
    """ML staff of the project."""
    return signed_in(a_member(project, Role.ML_STAFF, "m.lind"))


@pytest.fixture
def admin(db: None, signed_in: Callable[[User], Client]) -> Client:
    """An administrator who typed the password a moment ago."""
    return typed(signed_in(a_user("a.berg", is_admin=True)))


@pytest.fixture
def stranger(db: None, signed_in: Callable[[User], Client]) -> Client:
    """Somebody who is a member of nothing."""
    return signed_in(a_user("n.new"))
