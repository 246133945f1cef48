"""What a sweep costs where nothing is due: it comes every few seconds."""

from datetime import datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Role
from annotation.learning import services
from annotation.projects.models import Project
from annotation.queue.services import lease_next
from jobs.models import Job, Lane, State
from mlworker import tasks
from notices.models import Notice
from notices.services import notify
from tests import factories

pytestmark = pytest.mark.django_db
QUESTIONS = 14


@pytest.fixture(autouse=True)
def backups_and_mail(settings: Settings) -> None:
    """Everything that a sweep asks for is switched on, and was done a moment ago."""
    cache.clear()
    settings.BACKUP_FOLDER, settings.EMAIL_HOST = "backups", "mail.example"
    for name in ("backup", "clean_up"):
        Job.objects.create(name=name, lane=Lane.LIGHT, state=State.DONE, created_at=timezone.now())


def busy_project() -> Project:
    """A project with leases, readings, notices, done jobs and a trigger of trainings that has not come."""
    project, now = factories.a_project(), timezone.now()
    for case in factories.some_cases(project, 4)[:2]:
        factories.a_reading(factories.a_reader(project), case, {"finding": "normal"})
    lease_next(reader=factories.a_reader(project), project_id=project.pk, now=now)
    services.set_policy(project=project, by=None, train_labels=1_000)
    notify("job_failed", [factories.a_member(project, Role.ML_STAFF)], now=now, job="refit")
    Notice.objects.update(wants_mail=False)
    done = {"name": "train", "lane": Lane.TRAINING, "state": State.DONE, "scope_id": project.pk}
    Job.objects.create(**done, created_at=now - timedelta(days=1))
    Job.objects.exclude(state=State.DONE).update(state=State.DONE)
    return project


def questions_of_a_sweep() -> int:
    """Count what a sweep reads and writes; transactions begin and end beside that."""
    with CaptureQueriesContext(connection) as asked:
        tasks.sweep()
    return sum(
        one["sql"].startswith(("SELECT", "INSERT", "UPDATE", "DELETE")) for one in asked.captured_queries
    )


def test_where_nothing_is_due_a_sweep_asks_the_same_few_questions_however_much_there_is() -> None:
    busy_project()
    tasks.sweep()
    before = Job.objects.count()
    assert questions_of_a_sweep() <= QUESTIONS
    for _ in range(3):
        busy_project()
    assert questions_of_a_sweep() <= QUESTIONS
    assert Job.objects.filter(state=State.QUEUED).count() == 0
    assert Job.objects.count() > before


def test_triggers_of_trainings_are_looked_at_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[datetime] = []
    monkeypatch.setattr("annotation.learning.drifts.ask_trainings", looked.append)
    tasks.sweep()
    tasks.sweep()
    assert len(looked) == 1
    cache.delete(tasks.TRAININGS_ASKED)
    tasks.sweep()
    assert len(looked) == 2
