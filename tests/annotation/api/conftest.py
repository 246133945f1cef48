"""Fixtures of the API's tests."""

import pytest

from accounts.models import User
from annotation.projects.models import Project
from tests import factories


@pytest.fixture
def project(db: None) -> Project:
    """A project of six waiting cases."""
    project = factories.a_project()
    factories.some_cases(project, 6)
    return project


@pytest.fixture
def reader(project: Project) -> User:
    return factories.a_reader(project)
