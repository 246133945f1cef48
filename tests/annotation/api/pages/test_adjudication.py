"""The adjudication room's pages: who is shown the tab, what the list says, who is turned away."""

from datetime import datetime

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Membership, Project
from annotation.projects.services import set_membership
from annotation.queue.agreement import fuse_again
from annotation.readings.adjudication_models import Dispute
from audit.models import Event
from tests import factories
from tests.factories import typed

pytestmark = pytest.mark.django_db


@pytest.fixture
def now() -> datetime:
    return timezone.now()


@pytest.fixture
def project(db: None) -> Project:
    made = factories.a_project()
    made.protocols.update(settings={"readers": 2, "adjudicated": True})
    return made


@pytest.fixture
def judge(project: Project) -> User:
    judge = factories.a_user()
    set_membership(project=project, user=judge, role=Role.READER, adjudicates=True)
    return judge


def in_dispute(project: Project, count: int, now: datetime) -> list[Dispute]:
    """Cases that two readers read differently."""
    readers = [factories.a_reader(project), factories.a_reader(project)]
    for case in factories.some_cases(project, count):
        for reader, value in zip(readers, ("normal", "pneumonia"), strict=True):
            factories.a_reading(reader, case, {"finding": value})
    fuse_again(project.pk, now)
    return list(Dispute.objects.filter(project=project).order_by("case__number"))


def text_of(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_only_adjudicators_are_shown_the_tab(project: Project, judge: User) -> None:
    link = f'href="/projects/{project.pk}/adjudication"'
    overview = f"/projects/{project.pk}"
    assert link in text_of(factories.a_client(judge), overview)
    assert link not in text_of(factories.a_client(factories.a_reader(project)), overview)


def test_without_disputes_the_list_says_what_comes_there(project: Project, judge: User) -> None:
    assert "No case is in dispute" in text_of(
        factories.a_client(judge), f"/projects/{project.pk}/adjudication"
    )


def test_the_list_names_cases_and_what_differs_and_no_reader(
    project: Project, judge: User, now: datetime
) -> None:
    found = in_dispute(project, 2, now)
    page = text_of(factories.a_client(judge), f"/projects/{project.pk}/adjudication")
    for one in found:
        assert f"Case {one.case.number}</a>" in page
    assert "What do you see?" in page
    readers = Membership.objects.filter(project=project).exclude(user=judge)
    assert not [one for one in readers if one.user.username in page]


def test_a_long_list_goes_on_page_by_page(project: Project, judge: User, now: datetime) -> None:
    found = in_dispute(project, 52, now)
    client, path = factories.a_client(judge), f"/projects/{project.pk}/adjudication"
    assert f'after={found[49].pk}">More</a>' in text_of(client, path)
    rest = text_of(client, f"{path}?show=open&after={found[49].pk}")
    assert f"Case {found[50].case.number}</a>" in rest
    assert f"Case {found[49].case.number}</a>" not in rest
    assert ">More</a>" not in rest


def test_a_case_of_another_project_is_not_there(project: Project, judge: User, now: datetime) -> None:
    [found] = in_dispute(project, 1, now)
    other = factories.a_project()
    set_membership(project=other, user=judge, role=Role.READER, adjudicates=True)
    client = factories.a_client(judge)
    text_of(client, f"/projects/{other.pk}/adjudication/{found.pk}", 404)
    assert str(found.pk) in text_of(client, f"/projects/{project.pk}/adjudication/{found.pk}")
    room = text_of(client, f"/projects/{project.pk}/adjudication/{found.pk}/edit?side=B")
    assert f'data-dispute="{found.pk}" data-side="B"' in room


def test_who_is_turned_away_is_audited(project: Project, judge: User) -> None:
    outsider = factories.a_reader(project)
    text_of(factories.a_client(outsider), f"/projects/{project.pk}/adjudication", 403)
    assert Event.objects.filter(action="access.denied", actor=str(outsider.pk)).count() == 1


def test_an_administrator_marks_who_adjudicates(project: Project) -> None:
    admin, reader = factories.a_user(is_admin=True), factories.a_reader(project)
    client, path = typed(factories.a_client(admin)), f"/people/{reader.pk}/membership"
    form = {"project": str(project.pk), "role": "reader"}
    for told, expected in (({"adjudicates": "on"}, True), ({}, False)):
        client.post(path, form | told)
        assert Membership.objects.get(user=reader, project=project).adjudicates is expected
    assert "Adjudicates" in text_of(client, f"/people/{reader.pk}")
