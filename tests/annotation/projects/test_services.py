"""Projects, cases and memberships over a real database."""

import pytest
from django.utils import timezone

from accounts.models import Role
from annotation.projects.models import Case, Membership
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import case_for, project_overview, projects_for
from annotation.projects.services import NewCase, add_cases, set_membership
from annotation.queue.models import Entry
from audit.models import Event
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_a_project_starts_with_one_question_and_an_audit_event() -> None:
    project = factories.a_project()
    question = project.protocols.get().questions[0]
    assert [choice["value"] for choice in question["choices"]] == ["normal", "pneumonia"]
    assert Event.objects.filter(action="project.create", object_id=str(project.pk)).count() == 1


def test_cases_are_numbered_from_one_and_adding_them_again_changes_nothing() -> None:
    project = factories.a_project()
    series = factories.some_series(project.dataset, 3)
    items = [NewCase(series_id=one.pk, patient_id=one.study.patient_id) for one in series]
    first = add_cases(project=project, items=items, now=timezone.now())
    again = add_cases(project=project, items=items, now=timezone.now())
    assert [case.number for case in first] == [1, 2, 3]
    assert [case.pk for case in again] == [case.pk for case in first]


def test_all_cases_of_a_patient_share_one_stream_even_when_they_come_later_with_another_split() -> None:
    project = factories.a_project()
    one, other = factories.some_series(project.dataset, 2)
    patient = one.study.patient_id
    (first,) = add_cases(
        project=project, items=[NewCase(series_id=one.pk, patient_id=patient)], now=timezone.now()
    )
    (later,) = add_cases(
        project=project,
        items=[NewCase(series_id=other.pk, patient_id=patient, split="test")],
        now=timezone.now(),
    )
    assert later.stream == first.stream


def test_one_held_out_image_in_a_delivery_holds_out_the_whole_patient() -> None:
    project = factories.a_project()
    one, other = factories.some_series(project.dataset, 2)
    patient = one.study.patient_id
    items = [
        NewCase(series_id=one.pk, patient_id=patient, split="train"),
        NewCase(series_id=other.pk, patient_id=patient, split="test"),
    ]
    cases = add_cases(project=project, items=items, now=timezone.now())
    assert {case.stream for case in cases} == {Case.Stream.HELD_OUT}


def test_held_out_cases_never_enter_the_queue() -> None:
    project = factories.a_project()
    factories.some_cases(project, 3, split="test")
    read = factories.some_cases(project, 2, split="train")
    assert set(Entry.objects.values_list("case", flat=True)) == {case.pk for case in read}


def test_an_unknown_split_stops_the_whole_batch() -> None:
    project = factories.a_project()
    with pytest.raises(RefusedError, match='split is "dev"'):
        factories.some_cases(project, 2, split="dev")
    assert not project.cases.exists()


def test_a_role_can_be_given_changed_and_taken_and_each_is_audited() -> None:
    project, user = factories.a_project(), factories.a_user()
    set_membership(project=project, user=user, role=Role.READER)
    set_membership(project=project, user=user, role=Role.ML_STAFF)
    assert Membership.objects.get(user=user).role == Role.ML_STAFF
    set_membership(project=project, user=user, role=None)
    assert not Membership.objects.filter(user=user).exists()
    assert Event.objects.filter(action="membership.set").count() == 3


def test_people_see_their_own_projects_and_administrators_all() -> None:
    project, other = factories.a_project(), factories.a_project()
    reader, admin = factories.a_reader(project), factories.a_user(is_admin=True)
    assert set(projects_for(reader)) == {project}
    assert set(projects_for(admin)) == {project, other}
    (case,) = factories.some_cases(other)
    with pytest.raises(Case.DoesNotExist):
        case_for(reader, case.pk)


def test_the_overview_counts_cases_by_stream() -> None:
    project = factories.a_project()
    reader = factories.a_reader(project)
    factories.some_cases(project, 3)
    factories.some_cases(project, 2, split="val")
    overview = project_overview(reader, project.pk)
    assert (overview.cases, overview.pool, overview.held_out, overview.patients) == (5, 3, 2, 5)
    assert overview.role == Role.READER
