"""The job behind the upload page."""

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image

from annotation.exchange import uploads
from annotation.exchange.imports import DEFAULT_CHOICES, open_delivery
from annotation.projects.models import Case
from annotation.projects.services import create_project
from annotation.studies.models import Import
from jobs import services
from jobs.models import Job, Lane, State
from mlworker import runtime

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
