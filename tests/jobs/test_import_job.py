"""The job behind the upload page."""

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image

from accounts.models import User
from annotation.exchange import uploads
from annotation.exchange.imports import DEFAULT_CHOICES, open_delivery
from annotation.exchange.peers.models import Peer
from annotation.exchange.peers.pulls import ask_pull
from annotation.projects.models import Case
from annotation.projects.services import create_project
from annotation.studies.models import Import
from jobs import services
from jobs.models import Job, Lane, State
from mlworker import imports, runtime
from tests.factories import a_project, a_user, some_series

pytestmark = pytest.mark.django_db(transaction=True)


def uploaded(folder: Path, *, count: int) -> Import:
    """Announce a delivery and put its files where a complete upload lies."""
    now = timezone.now()
    project = create_project(name="Uploads", choices=DEFAULT_CHOICES, prompt="What?", now=now)
    delivery = open_delivery(project=project, source_name="folder", requested_by=None, now=now)
    target = uploads.source_of(folder, delivery.pk)
    target.mkdir(parents=True)
    for number in range(count):
        pixels = np.full((32, 32), number * 10, np.uint8)
        Image.fromarray(pixels).save(target / f"{number}.png")
    return delivery


def test_an_upload_becomes_cases_once_however_often_the_job_is_asked_for() -> None:
    delivery = uploaded(settings.HOME.spool, count=3)
    arguments = {"import_id": str(delivery.pk)}
    first = services.ask(name="import_delivery", lane=Lane.LIGHT, arguments=arguments)
    for _ in range(3):
        runtime.run(first.pk)
    delivery.refresh_from_db()
    first.refresh_from_db()
    assert (first.state, first.error, delivery.state) == (State.DONE, "", Import.State.DONE)
    assert (delivery.stored, Case.objects.count()) == (3, 3)
    assert not (settings.HOME.spool / str(delivery.pk)).exists()
    assert Job.objects.filter(name="embed", state=State.QUEUED).count() == 1


def test_an_upload_that_is_gone_fails_with_what_to_do() -> None:
    delivery = uploaded(settings.HOME.spool, count=1)
    uploads.remove(settings.HOME.spool, delivery.pk)
    job = services.ask(name="import_delivery", lane=Lane.LIGHT, arguments={"import_id": str(delivery.pk)})
    runtime.run(job.pk)
    job.refresh_from_db()
    delivery.refresh_from_db()
    assert (job.state, delivery.state) == (State.FAILED, Import.State.FAILED)
    assert "check the path" in job.error


@pytest.mark.parametrize("change", ["is_admin", "is_active"])
def test_what_one_asked_for_who_is_no_administrator_any_more_is_not_taken_in(change: str) -> None:
    delivery, admin = uploaded(settings.HOME.spool, count=1), a_user(is_admin=True)
    Import.objects.filter(pk=delivery.pk).update(requested_by=admin)
    job = services.ask(name="import_delivery", lane=Lane.LIGHT, arguments={"import_id": str(delivery.pk)})
    User.objects.filter(pk=admin.pk).update(**{change: False})
    runtime.run(job.pk)
    job.refresh_from_db()
    delivery.refresh_from_db()
    assert (job.state, delivery.state) == (State.FAILED, Import.State.FAILED)
    assert "no administrator any more" in job.error
    assert "no administrator any more" in delivery.error
    assert not Case.objects.exists()


def test_nothing_is_fetched_from_a_peer_for_one_who_is_no_administrator_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project, admin, now = a_project(), a_user(is_admin=True), timezone.now()
    peer = Peer.objects.create(name="PACS", dicomweb_url="https://pacs.example/", created_at=now)
    delivery = ask_pull(project=project, peer=peer, studies=["1.2.3"], by=admin, now=now)
    fetched: list[object] = []
    monkeypatch.setattr(imports, "fetch_studies", lambda *told, **_more: fetched.append(told))
    User.objects.filter(pk=admin.pk).update(is_admin=False)
    job = Job.objects.get(name="pull_studies")
    runtime.run(job.pk)
    job.refresh_from_db()
    delivery.refresh_from_db()
    assert (job.state, delivery.state, fetched) == (State.FAILED, Import.State.FAILED, [])
    assert "no administrator any more" in delivery.error


def test_cases_of_a_data_set_are_not_made_for_one_who_manages_no_project_any_more() -> None:
    project, admin = a_project(), a_user(is_admin=True)
    some_series(project.dataset)
    arguments = {"project_id": str(project.pk)}
    job = services.ask(name="take_cases", lane=Lane.LIGHT, arguments=arguments, requested_by=admin)
    User.objects.filter(pk=admin.pk).update(is_admin=False)
    runtime.run(job.pk)
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert not Case.objects.exists()
