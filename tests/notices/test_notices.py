"""People are told once, in the transaction of what they are told of; mail goes out once."""

from datetime import UTC, datetime, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as outbox
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.services import set_preferences
from annotation.projects.members import set_workload
from annotation.projects.models import Membership
from annotation.projects.workload import Plan
from annotation.queue.remarks import Said, add_remark, reply
from annotation.queue.services import lease_next
from annotation.queue.telling import tell_due
from annotation.readings.effort_models import Effort
from jobs.models import Job, Lane, State
from jobs.services import ask, claim, fail, finish, give_up_exhausted
from mlworker.mailing import ask_mails
from mlworker.tasks import sweep
from notices.kinds import KINDS, sentence_of
from notices.mailing import due, send_due
from notices.models import Mail, Notice
from notices.rules import due_before, wait_after
from notices.services import forget_old, mark_read, notify, set_wishes
from tests import factories
from tests.notices.smtp import running_smtp

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
FACTS: dict[str, Any] = {"who": "a.meyer", "number": 4, "project": "Chest"}


@pytest.fixture
def person() -> User:
    """Somebody with an address who wants mail at once."""
    made = factories.a_user("l.okafor")
    User.objects.filter(pk=made.pk).update(email="l.okafor@hospital.example")
    set_wishes(made, rhythm="at_once", mailed=["question", "job_failed"], unwanted=["answered"])
    made.refresh_from_db()
    return made


def test_the_same_is_told_once_and_what_is_not_wanted_never(person: User) -> None:
    for _ in range(3):
        notify("question", [person, person.pk], now=NOON, key="one", **FACTS)
    notify("answered", [person], now=NOON, **FACTS)
    assert list(Notice.objects.values_list("person", "kind")) == [(person.pk, "question")]


def test_nobody_who_is_disabled_is_told(person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert notify("question", [person], now=NOON, **FACTS) == 0


def test_what_is_rolled_back_is_told_to_nobody(person: User) -> None:
    with transaction.atomic():
        notify("question", [person], now=NOON, **FACTS)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()


@pytest.mark.parametrize(("kind", "facts"), [("nothing", FACTS), ("question", {"who": "x"})])
def test_a_kind_or_a_fact_that_is_missing_is_an_error_of_who_tells(
    person: User, kind: str, facts: dict[str, Any]
) -> None:
    with pytest.raises(KeyError):
        notify(kind, [person], now=NOON, **facts)


def test_every_kind_has_its_sentence_in_both_languages(person: User) -> None:
    facts = dict.fromkeys(("who", "number", "project", "left", "day", "job", "count"), "7")
    for kind in KINDS:
        english = sentence_of(kind, facts)
        set_preferences(user=person, language="zh-hans", keys={})
        assert english.endswith((".", "again."))


def test_a_burst_goes_out_as_one_mail_and_once(person: User) -> None:
    for number in range(3):
        notify("question", [person], now=NOON, link="/jobs", **FACTS | {"number": number})
    assert due(NOON + timedelta(seconds=59)) == []
    later = NOON + timedelta(seconds=61)
    assert due(later) == [person.pk]
    assert send_due(person.pk, now=later)
    assert not send_due(person.pk, now=later)
    assert due(later + timedelta(days=2)) == []
    [sent] = outbox.outbox
    assert (sent.to, sent.subject) == (["l.okafor@hospital.example"], "Fovea: 3 news")
    assert str(sent.body).count("a.meyer asks you about case") == 3


def test_a_mail_speaks_the_person_s_language_and_leads_here(person: User, settings: Settings) -> None:
    settings.PUBLIC_URL = "https://fovea.hospital.example/"
    set_preferences(user=person, language="zh-hans", keys={})
    notify("question", [person], now=NOON, link="/projects/x/read", **FACTS)
    send_due(person.pk, now=NOON)
    assert "https://fovea.hospital.example/projects/x/read" in str(outbox.outbox[0].body)
    assert "向您询问" in str(outbox.outbox[0].subject)


def test_once_a_day_means_in_the_morning() -> None:
    assert due_before("daily", NOON) == NOON.replace(hour=6)
    assert due_before("daily", NOON.replace(hour=5)) == NOON.replace(hour=6) - timedelta(days=1)
    assert due_before("never", NOON) is None


def test_what_was_read_in_the_application_is_not_mailed(person: User) -> None:
    notify("question", [person], now=NOON, **FACTS)
    assert mark_read(person, now=NOON) == 1
    assert due(NOON + timedelta(days=1)) == []


def test_whoever_wants_no_mail_any_more_gets_none(person: User) -> None:
    notify("question", [person], now=NOON, **FACTS)
    set_wishes(person, rhythm="never", mailed=["question"], unwanted=[])
    notify("question", [person], now=NOON, **FACTS)
    assert due(NOON + timedelta(days=2)) == []
    assert Notice.objects.filter(person=person).count() == 2


def test_nobody_without_an_address_and_no_site_without_a_server_mails(
    person: User, settings: Settings
) -> None:
    notify("question", [person], now=NOON, **FACTS)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert due(NOON + timedelta(days=1)) == []
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    User.objects.filter(pk=person.pk).update(email="")
    assert due(NOON + timedelta(days=1)) == []


def test_a_server_takes_mail_after_it_refused_it_under_the_same_id(person: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with running_smtp() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", server.port, False
        notify("question", [person], now=NOON, **FACTS)
        server.is_closed, later = True, NOON + timedelta(minutes=2)
        assert not send_due(person.pk, now=later)
        first = Mail.objects.get()
        assert (first.failures, first.retry_at, first.problem) == (
            1,
            later + wait_after(1),
            "SMTPSenderRefused",
        )
        assert due(later) == []
        notify("question", [person], now=later, **FACTS)
        server.is_closed, later = False, later + wait_after(1)
        assert due(later) == [person.pk]
        assert send_due(person.pk, now=later)
        assert due(later) == [person.pk]
        assert send_due(person.pk, now=later)
    ids = [message["Message-ID"] for message in server.messages]
    assert ids[0] == f"<{first.pk}@fovea>"
    assert len(set(ids)) == 2
    assert "a.meyer asks you about case 4" in server.messages[0].get_content()


def test_a_message_whose_fate_is_not_known_is_sent_again_under_its_id(
    person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    notify("question", [person], now=NOON, **FACTS)
    with monkeypatch.context() as broken:
        broken.setattr("notices.mailing.EmailMessage.send", lost)
        assert not send_due(person.pk, now=NOON)
    kept = Mail.objects.get()
    assert send_due(person.pk, now=NOON + timedelta(hours=1))
    assert outbox.outbox[0].extra_headers["Message-ID"] == f"<{kept.pk}@fovea>"


def lost(_message: object) -> int:
    """Break off as a connection does."""
    raise SMTPServerDisconnected


def test_an_address_that_no_mail_can_have_is_tried_later_and_seldom(person: User) -> None:
    User.objects.filter(pk=person.pk).update(email="l.okafor@hospital.example\nBcc: x@y.example")
    notify("question", [person], now=NOON, **FACTS)
    assert not send_due(person.pk, now=NOON)
    kept = Mail.objects.get()
    assert (kept.failures, kept.problem) == (1, "BadHeaderError")
    assert due(NOON) == []


def test_a_name_of_two_lines_is_one_subject(person: User) -> None:
    notify("question", [person], now=NOON, **FACTS | {"project": "Chest\nHands"})
    assert send_due(person.pk, now=NOON)
    assert "Chest Hands" in str(outbox.outbox[0].subject)


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": ""}])
def test_an_open_mail_to_who_left_is_not_asked_for(person: User, change: dict[str, Any]) -> None:
    Mail.objects.create(person=person, created_at=NOON)
    assert due(NOON) == [person.pk]
    User.objects.filter(pk=person.pk).update(**change)
    assert due(NOON) == []


def test_that_mail_failed_is_told_by_no_notice() -> None:
    factories.a_user(is_admin=True)
    job = ask(name="mail_notices", lane=Lane.LIGHT, arguments={})
    held = claim(job.pk, worker="w", now=timezone.now())
    assert held is not None
    fail(held, "no")
    assert not Notice.objects.exists()


def test_the_sweep_asks_for_one_job_a_person(person: User) -> None:
    notify("question", [person], now=NOON, **FACTS)
    later = NOON + timedelta(minutes=5)
    assert [job.arguments for job in ask_mails(now=later)] == [{"person_id": str(person.pk)}]
    ask_mails(now=later)
    assert Job.objects.filter(name="mail_notices").count() == 1


def test_who_asked_for_a_job_learns_that_it_failed_and_its_address_leads_there(person: User) -> None:
    job = ask(name="refit", lane=Lane.LIGHT, arguments={}, requested_by=person)
    held = claim(job.pk, worker="w", now=timezone.now())
    assert held is not None
    fail(held, "out of memory")
    [notice] = Notice.objects.filter(person=person)
    assert (notice.kind, resolve(notice.link).kwargs) == ("job_failed", {"job_id": job.pk})


def test_of_what_nobody_asked_for_administrators_learn_when_its_worker_died() -> None:
    admin = factories.a_user(is_admin=True)
    job = ask(name="refit", lane=Lane.LIGHT, arguments={})
    past = timezone.now() - timedelta(hours=1)
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, attempts=5, lease_until=past)
    assert (give_up_exhausted(timezone.now()), give_up_exhausted(timezone.now())) == (1, 0)
    assert Notice.objects.get().person == admin


def test_a_training_that_is_done_is_told_and_a_refit_is_not(person: User) -> None:
    for name in ("train", "refit"):
        held = claim(
            ask(name=name, lane=Lane.LIGHT, arguments={}, requested_by=person).pk,
            worker="w",
            now=timezone.now(),
        )
        assert held is not None
        finish(held)
    assert [one.kind for one in Notice.objects.all()] == ["training_finished"]


def test_a_question_and_its_answer_are_told_without_their_words() -> None:
    project = factories.a_project("Chest")
    factories.some_cases(project, 3)
    author, colleague = factories.a_reader(project, "a.meyer"), factories.a_reader(project, "l.okafor")
    now = timezone.now()
    case = lease_next(reader=author, project_id=project.pk, now=now).cases[0].case
    said = Said("question", "", "Is Mr Smith's nodule solid?", colleague.pk, uuid4())
    for _ in range(2):
        remark = add_remark(author=author, case_id=case.pk, said=said, now=now)
    reply(reader=colleague, remark_id=remark.pk, text="yes", now=now)
    told = {one.person.username: sentence_of(one.kind, one.facts) for one in Notice.objects.all()}
    assert told == {
        "l.okafor": f"a.meyer asks you about case {case.number} of “Chest”.",
        "a.meyer": f"l.okafor answered your question about case {case.number} of “Chest”.",
    }
    assert {resolve(one.link).url_name for one in Notice.objects.all()} == {"read"}


def test_readers_are_reminded_once_that_work_is_due() -> None:
    project = factories.a_project("Chest")
    reader, done = factories.a_reader(project), factories.a_reader(project)
    today = NOON.date()
    for who, target in ((reader, 5), (done, None)):
        set_workload(
            project_id=project.pk,
            person_id=who.pk,
            plan=Plan(target_cases=target, due_on=today + timedelta(days=3)),
            paused=False,
            by=reader,
            now=NOON,
        )
    tell_due(now=NOON - timedelta(days=1))
    assert not Notice.objects.exists()
    for _ in range(2):
        tell_due(now=NOON)
    [notice] = Notice.objects.all()
    assert sentence_of(notice.kind, notice.facts) == "Cases of “Chest” left to read until 2026-11-21: 5."


def test_processes_that_remember_nothing_of_each_other_remind_once() -> None:
    project = factories.a_project("Chest")
    reader = factories.a_reader(project)
    factories.some_cases(project, 2)
    Membership.objects.filter(user=reader).update(due_on=timezone.now().date() + timedelta(days=1))
    for _ in range(3):
        cache.clear()  # each process has its own
        sweep()
    notice = Notice.objects.get(kind="work_due")
    assert notice.key == f"work_due:{project.pk}:{timezone.now().date() + timedelta(days=1)}"


def test_who_has_a_day_and_no_target_is_told_what_waits_and_nobody_is_asked_about_twice() -> None:
    project = factories.a_project("Chest")
    factories.some_cases(project, 4)
    reader = factories.a_reader(project)
    Membership.objects.filter(user=reader).update(due_on=NOON.date())
    tell_due(now=NOON)
    [notice] = Notice.objects.all()
    assert (notice.person, notice.facts["left"]) == (reader, "4")
    with CaptureQueriesContext(connection) as again:
        tell_due(now=NOON)
    assert len(again) == 2


def test_what_was_read_is_summed_by_days() -> None:
    project = factories.a_project("Chest")
    reader = factories.a_reader(project)
    Membership.objects.filter(user=reader).update(due_on=NOON.date(), target_cases=5)
    day = Effort.objects.create(project=project, reader=reader, day=NOON.date(), readings=5, last_at=NOON)
    assert tell_due(now=NOON) == 0
    Effort.objects.filter(pk=day.pk).update(readings=3)
    assert tell_due(now=NOON) == 1
    assert Notice.objects.get().facts["left"] == "2"


def test_old_notices_that_were_read_are_forgotten(person: User) -> None:
    for _ in range(2):
        notify("question", [person], now=NOON, **FACTS)
    newest = Notice.objects.first()
    assert newest is not None
    mark_read(person, now=NOON, ids=[newest.pk])
    later = NOON + timedelta(days=100)
    forget_old(now=later, before=later - timedelta(days=90))
    assert Notice.objects.count() == 1
