"""What readers say of cases beside their answers, and cases that nobody can read."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from accounts.models import Role, User
from annotation.projects.models import Case, Project
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.projects.services import set_membership
from annotation.queue.models import Entry, Remark
from annotation.queue.remarks import Said, add_remark, notes_for, remark_for, remarks_for, reply
from annotation.queue.services import lease_next
from annotation.queue.skips import Passed
from annotation.queue.submissions import skip
from annotation.readings.models import Skip
from annotation.readings.rules import IdempotencyConflictError
from audit.models import Event
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague(project: Project) -> User:
    return factories.a_reader(project)


@pytest.fixture
def case(project: Project, reader: User, now: datetime) -> Case:
    """The case that the reader holds."""
    return lease_next(reader=reader, project_id=project.pk, now=now).cases[0].case


def flag(text: str = "tube too deep") -> Said:
    return Said("flag", "important", text, None, uuid4())


def question(to: User) -> Said:
    return Said("question", "", "Is this a nodule?", to.pk, uuid4())


def test_a_flag_is_kept_once_and_audited_without_its_words(case: Case, reader: User, now: datetime) -> None:
    said = flag()
    first = add_remark(author=reader, case_id=case.pk, said=said, now=now)
    assert add_remark(author=reader, case_id=case.pk, said=said, now=now) == first
    event = Event.objects.get(action="case.flag")
    assert (event.object_id, event.details) == (
        str(case.pk),
        {"remark": str(first.pk), "reason": "important"},
    )


def test_a_key_that_says_something_else_is_refused(case: Case, reader: User, now: datetime) -> None:
    said = flag()
    add_remark(author=reader, case_id=case.pk, said=said, now=now)
    with pytest.raises(IdempotencyConflictError):
        add_remark(author=reader, case_id=case.pk, said=replace(said, text="other"), now=now)


def test_nobody_remarks_on_a_case_that_was_never_theirs(case: Case, colleague: User, now: datetime) -> None:
    with pytest.raises(Case.DoesNotExist):
        add_remark(author=colleague, case_id=case.pk, said=flag(), now=now)


def test_a_question_waits_for_the_colleague_and_its_reply_comes_back(
    project: Project, case: Case, reader: User, colleague: User, now: datetime
) -> None:
    asked = add_remark(author=reader, case_id=case.pk, said=question(colleague), now=now)
    assert [one.pk for one in remarks_for(colleague, project.pk).asked] == [asked.pk]
    assert remarks_for(reader, project.pk).colleagues == [colleague]
    assert remark_for(colleague, asked.pk).case == case

    reply(reader=colleague, remark_id=asked.pk, text="A vessel.", now=now)

    assert remarks_for(colleague, project.pk).asked == []
    assert [one.reply for one in remarks_for(reader, project.pk).replied] == ["A vessel."]


def test_only_readers_of_the_project_are_asked_and_only_the_one_asked_replies(
    project: Project, case: Case, reader: User, colleague: User, now: datetime
) -> None:
    with pytest.raises(RefusedError, match="only readers of the project"):
        add_remark(author=reader, case_id=case.pk, said=question(factories.a_user()), now=now)
    asked = add_remark(author=reader, case_id=case.pk, said=question(colleague), now=now)
    third = factories.a_reader(project)
    with pytest.raises(Remark.DoesNotExist):
        reply(reader=third, remark_id=asked.pk, text="I say", now=now)
    with pytest.raises(Remark.DoesNotExist):
        remark_for(third, asked.pk)


def test_who_reads_here_no_more_sees_no_questions(
    project: Project, case: Case, reader: User, colleague: User, now: datetime
) -> None:
    asked = add_remark(author=reader, case_id=case.pk, said=question(colleague), now=now)
    set_membership(project=project, user=colleague, role="ml_staff")
    with pytest.raises(ForbiddenError):
        remarks_for(colleague, project.pk)
    with pytest.raises(ForbiddenError):
        reply(reader=colleague, remark_id=asked.pk, text="late", now=now)


def test_who_manages_the_project_sees_what_readers_say_and_readers_do_not(
    project: Project, case: Case, reader: User, now: datetime
) -> None:
    add_remark(author=reader, case_id=case.pk, said=flag(), now=now)
    held = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    passed = Passed("incomplete", "half of it", uuid4(), is_final=True)
    later = now + timedelta(minutes=1)
    skip(reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, passed=passed, now=later)
    staff = factories.a_member(project, Role.ML_STAFF)
    assert [(note.what, note.text) for note in notes_for(staff, project.pk)] == [
        ("Images are missing", "half of it"),
        ("Somebody should act on a finding", "tube too deep"),
    ]
    assert notes_for(reader, project.pk) == []
    page = factories.a_client(staff).get(f"/projects/{project.pk}").content.decode()
    assert "tube too deep" in page
    assert "tube too deep" not in factories.a_client(reader).get(f"/projects/{project.pk}").content.decode()


def test_a_case_that_cannot_be_read_is_set_aside_for_all(
    project: Project, reader: User, colleague: User, now: datetime
) -> None:
    held = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    passed = Passed("incomplete", "half the lung is missing", uuid4(), is_final=True)
    for _ in range(2):
        skip(reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, passed=passed, now=now)
    assert Entry.objects.get(case=held.case).state == Entry.State.SET_ASIDE
    assert Skip.objects.get(case=held.case).is_final
    assert Event.objects.get(action="case.skip").details == {"reason": "incomplete", "final": True}
