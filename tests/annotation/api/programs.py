"""An administrator's program for tests: what it sends, where to, and how it is refused."""

import json
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from annotation.projects.models import Project
from tests import factories

API = "/api/v1/"


@pytest.fixture
def me() -> User:
    """An administrator."""
    return factories.a_user("a.berg", is_admin=True)


@pytest.fixture
def client(me: User) -> Client:
    """The administrator's program, whose password was typed a moment ago."""
    cache.clear()
    return factories.typed(factories.a_client(me))


def at(project: Project, path: str) -> str:
    return f"projects/{project.pk}/{path}"


def send(client: Client, verb: str, path: str, body: Any = None, **headers: str) -> Any:
    """Send JSON."""
    return client.generic(
        verb, API + path, json.dumps(body or {}), content_type="application/json", headers=headers
    )


def refusal(response: Any) -> tuple[int, str]:
    """Read a problem's status and detail."""
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["detail"]
