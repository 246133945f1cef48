"""Fixtures of the API's tests."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from django.core.cache import cache

from accounts.models import User
from annotation.api.again import Again
from annotation.projects.models import Project
from config.changes import asked_of, watched
from tests import factories
from tests.annotation.api.counting import Counting


@pytest.fixture
def project(db: None) -> Project:
    """A project of six waiting cases."""
    project = factories.a_project()
    factories.some_cases(project, 6)
    return project


@pytest.fixture
def reader(project: Project) -> User:
    return factories.a_reader(project)


@pytest.fixture
def django() -> Counting:
    """Django itself, with nothing counted or noted yet."""
    cache.clear()
    return Counting()


@pytest.fixture
def again(django: Counting) -> Iterator[Again]:
    """What sends frames again, in front of Django; it lets go of the database."""
    with closing(watched()) as changes:
        yield Again(django, asked_of(changes))
