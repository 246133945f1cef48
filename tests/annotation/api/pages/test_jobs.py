"""Machine work as people see and steer it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Project
from annotation.projects.services import set_membership
from audit.models import Event
from jobs.models import Job, Lane, State
from tests.factories import a_member, a_project


def a_job(project: Project, state: State = State.QUEUED, **more: object) -> Job:
    return Job.objects.create(
        name="refit",
        lane=Lane.LIGHT,
        arguments={"project_id": str(project.pk)},
        scope_id=project.pk,
        state=state,
        created_at=timezone.now(),
        **more,
    )


def test_jobs_of_foreign_projects_are_not_there(ml_staff: Client, project: Project) -> None:
    foreign = a_job(a_project())
    own = a_job(project)
    page = ml_staff.get(reverse("jobs")).content.decode()
    assert reverse("job", kwargs={"job_id": own.pk}) in page
    assert reverse("job", kwargs={"job_id": foreign.pk}) not in page
    assert ml_staff.get(reverse("job", kwargs={"job_id": foreign.pk})).status_code == 404
    assert ml_staff.post(reverse("cancel-job", kwargs={"job_id": foreign.pk})).status_code == 404
    foreign.refresh_from_db()
    assert foreign.state == State.QUEUED


def test_jobs_of_a_project_that_one_only_reads_are_not_there(
    project: Project, signed_in: Callable[[User], Client]
) -> None:
    user = a_member(project, Role.ML_STAFF)
    other = a_project()
    other.memberships.create(user=user, role=Role.READER)
    assert signed_in(user).get(reverse("job", kwargs={"job_id": a_job(other).pk})).status_code == 404


def test_a_reader_has_no_jobs_page(reader: Client, project: Project) -> None:
    assert reader.get(reverse("jobs")).status_code == 403
    assert reader.get(reverse("job", kwargs={"job_id": a_job(project).pk})).status_code == 403


def test_a_failed_job_says_why_and_is_tried_again_as_a_new_one(ml_staff: Client, project: Project) -> None:
    failed = a_job(project, State.FAILED, error="Encoder has no vectors for 3 cases.")
    url = reverse("job", kwargs={"job_id": failed.pk})
    assert "Encoder has no vectors for 3 cases." in ml_staff.get(url).content.decode()
    answer = ml_staff.post(reverse("retry-job", kwargs={"job_id": failed.pk}))
    again = Job.objects.exclude(pk=failed.pk).get()
    assert answer["Location"] == reverse("job", kwargs={"job_id": again.pk})
    assert (again.name, again.arguments, again.state) == ("refit", failed.arguments, State.QUEUED)
    assert Event.objects.latest("sequence").action == "job.retry"


def test_a_waiting_job_is_cancelled_once(ml_staff: Client, project: Project) -> None:
    job = a_job(project)
    url = reverse("cancel-job", kwargs={"job_id": job.pk})
    assert "The job is cancelled" in ml_staff.post(url, follow=True).content.decode()
    assert "nothing to cancel" in ml_staff.post(url, follow=True).content.decode()
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_a_job_that_is_done_is_not_done_again(ml_staff: Client, project: Project) -> None:
    job = a_job(project, State.DONE)
    page = ml_staff.post(reverse("retry-job", kwargs={"job_id": job.pk}), follow=True).content.decode()
    assert "Only a job that failed" in page
    assert Job.objects.count() == 1


@pytest.mark.parametrize(("state", "asks_again"), [(State.RUNNING, True), (State.DONE, False)])
def test_a_page_of_a_job_refreshes_itself_while_the_job_is_open(
    ml_staff: Client, project: Project, *, state: State, asks_again: bool
) -> None:
    url = reverse("job", kwargs={"job_id": a_job(project, state).pk})
    page = ml_staff.get(url, headers={"HX-Request": "true"}).content.decode()
    assert ("hx-get" in page) == asks_again
    assert "<html" not in page


def test_the_list_is_filtered_by_state(admin: Client, project: Project) -> None:
    done, failed = a_job(project, State.DONE), a_job(project, State.FAILED)
    page = admin.get(reverse("jobs"), {"state": "failed"}).content.decode()
    assert str(failed.pk) in page
    assert str(done.pk) not in page


def test_ml_staff_of_one_project_see_no_job_of_another_that_they_read_in(
    project: Project, signed_in: Callable[[User], Client]
) -> None:
    other = a_project()
    a_member(other, Role.ML_STAFF)
    user = a_member(project, Role.ML_STAFF)
    set_membership(project=other, user=user, role=Role.READER)
    hidden = a_job(other)
    client = signed_in(user)
    assert client.get(f"/jobs/{hidden.pk}").status_code == 404
    assert client.get("/api/v1/jobs").json()["jobs"] == []
    assert other.name not in client.get("/readers").content.decode()
