"""Fixtures of the queue's tests."""

from datetime import datetime

import pytest
from django.utils import timezone

from accounts.models import User
from annotation.projects.models import Project
from tests import factories


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def project(db: None) -> Project:
    """A project of eight waiting cases."""
    project = factories.a_project()
    factories.some_cases(project, 8)
    return project


@pytest.fixture
def reader(project: Project) -> User:
    return factories.a_reader(project)
