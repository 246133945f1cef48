"""The audit log: searched, exported after the password, its chain checked by a job."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from annotation.projects.models import Project
from audit import selectors
from audit.models import ChainCheck, Event, Head
from audit.rules import link_hash
from audit.services import FACTS, Act, record, record_all
from audit.triggers import CREATE, DROP
from jobs.models import Job
from mlworker.runtime import run
from tests.factories import a_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def found(admin: Client, **query: str) -> list[str]:
    rows = admin.get(reverse("audit"), query).context["rows"]
    return [row.event.action for row in rows]


def test_the_log_is_searched_by_person_action_object_and_outcome(
    admin: Client, reader: Client, project: Project
) -> None:
    reader.get(reverse("ml", kwargs={"project_id": project.pk}))
    record(actor="system", action="erase", object_type="erasure", object_id="77")
    assert found(admin, who="R.OD") == found(admin, outcome="denied") == ["access.denied"]
    assert found(admin, action="denied") == ["access.denied"]
    assert set(found(admin, object="chest")) >= {"access.denied", "membership.set"}
    assert found(admin, object="77") == found(admin, who="syst", action="erase") == ["erase"]
    assert found(admin, who="zebra") == found(admin, action="zebra") == found(admin, object="zebra") == []
    assert "Nothing found" in admin.get(reverse("audit"), {"who": "zebra"}).content.decode()
    me = str(User.objects.get(username="r.ode").pk)
    assert found(admin, who=me) == ["access.denied"]


def test_the_log_is_searched_by_day(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    for day, hour in ((3, 23), (4, 0), (4, 23), (5, 0)):
        now = datetime(2031, 5, day, hour, 59 if hour else 0, tzinfo=UTC)
        monkeypatch.setattr("audit.services.timezone.now", lambda now=now: now)
        record(actor="system", action=f"at.{day}.{hour}", object_type="site", object_id="")
    monkeypatch.undo()
    assert found(admin, since="2031-05-04", until="2031-05-04") == ["at.4.23", "at.4.0"]
    assert found(admin, since="2031-05-05") == ["at.5.0"]
    assert len(found(admin, since="no day")) == 4


def test_older_events_are_reached_page_by_page(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("annotation.api.pages.audit_log.PAGE_LENGTH", 2)
    record_all([Act("system", f"act.{number}", "site", "") for number in range(5)])
    seen, before = list[str](), ""
    while before is not None:
        context = admin.get(reverse("audit"), {"before": str(before)}).context
        seen += [row.event.action for row in context["rows"]]
        before = context["older"]
    assert seen == [f"act.{number}" for number in (4, 3, 2, 1, 0)]


def test_the_page_asks_the_same_number_of_queries_for_many_events(admin: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            admin.get(reverse("audit"))
        return len(asked)

    first = str(a_user().pk)
    record(actor=first, action="a", object_type="user", object_id=first)
    queries()
    few = queries()
    people = [a_user() for _ in range(5)]
    record_all([Act(str(one.pk), f"b.{one.pk}", "user", str(one.pk)) for one in people])
    assert queries() == few


def test_every_action_is_named_once() -> None:
    assert selectors.actions() == []
    record_all([Act("system", name, "site", "") for name in ("b", "a", "b", "c", "a")])
    assert selectors.actions() == ["a", "b", "c"]


def exported(admin: Client, kind: str, **query: str) -> bytes:
    answer = admin.get(reverse("export-audit"), {"format": kind, **query})
    assert answer["Content-Disposition"].endswith(f'.{kind}"')
    assert isinstance(answer, StreamingHttpResponse)
    return b"".join(answer.streaming_content)


def test_json_lines_hold_all_that_the_chain_hashes(
    admin: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "BLOCK", 3)
    record_all([Act("system", "act", "project", str(project.pk), details={"n": n}) for n in range(7)])
    lines = [json.loads(line) for line in exported(admin, "jsonl").splitlines()]
    assert len(lines) == Event.objects.count()
    previous = "0" * 64
    for line in lines:
        facts = {name: line[name] for name in FACTS}
        assert link_hash(previous, datetime.fromisoformat(line["at"]), facts) == line["hash"]
        previous = line["hash"]
    assert lines[-2]["object_name"] == project.name


def test_an_export_holds_what_was_searched_for_and_is_audited(admin: Client) -> None:
    record_all([Act("system", "one", "site", ""), Act("system", "two", "site", "")])
    rows = list(csv.DictReader(io.StringIO(exported(admin, "csv", action="two").decode())))
    assert [(row["action"], row["actor"]) for row in rows] == [("two", "system")]
    event = Event.objects.latest("sequence")
    assert (event.action, event.details) == ("audit.export", {"format": "csv", "action": "two"})


def test_of_the_words_of_a_search_an_export_leaves_numbers_in_the_chain(admin: Client) -> None:
    doe = a_user("doe.john")

    def kept(**query: str) -> dict[str, object]:
        exported(admin, "csv", **query)
        details = Event.objects.latest("sequence").details
        return {name: value for name, value in details.items() if name != "format"}

    record(actor="system", action="one", object_type="site", object_id="")
    assert kept(who="doe") == {"actor_ids": 1}
    assert kept(object="Doe^John", action="Doe") == {"object_ids": 1, "actions": 0}
    assert kept(who=str(doe.pk), object=str(doe.pk)) == {"actor": str(doe.pk), "object": str(doe.pk)}
    days = {"outcome": "ok", "since": "2031-05-04", "until": "2031-05-05"}
    assert kept(action="ON", **days) == {"action": "on", **days}


def test_no_cell_of_the_table_is_a_formula(admin: Client) -> None:
    mean = a_user("@SUM(1+1)")
    record(actor=str(mean.pk), action="=1+1", object_type="site", object_id="")
    table = exported(admin, "csv").decode()
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    assert "'@SUM(1+1)" in cells
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_an_export_asks_for_the_password_and_then_leads_back_to_the_search(
    signed_in: Callable[[User], Client],
) -> None:
    forgetful = signed_in(a_user(is_admin=True))
    answer = forgetful.get(reverse("export-audit"), {"format": "csv", "who": "system"})
    assert answer["Location"].startswith("/confirm?next=%2Faudit%3F")
    assert not Event.objects.filter(action="audit.export").exists()


def checked(admin: Client) -> str:
    """Press the button, let the job run, look again."""
    admin.post(reverse("verify-audit"))
    waiting = admin.get(reverse("audit")).content.decode()
    assert "is being checked" in waiting
    run(Job.objects.get(name="verify_audit_chain", state="queued").pk)
    return admin.get(reverse("audit")).content.decode()


def behind_the_triggers(statement: str) -> None:
    with connection.cursor() as cursor:
        for change in (*DROP[connection.vendor], statement, *CREATE[connection.vendor]):
            cursor.execute(change)


@pytest.mark.django_db(transaction=True)
def test_the_chain_is_checked_by_a_job_and_the_page_says_what_was_found(admin: Client) -> None:
    record_all([Act("system", f"act.{number}", "site", "") for number in range(4)])
    page = checked(admin)
    assert "The chain of 5 events was intact" in page
    assert "checked for a.berg" in page
    behind_the_triggers("UPDATE audit_event SET actor = 'me' WHERE sequence = 2")
    assert "Event 2 was edited" in checked(admin)


@pytest.mark.django_db(transaction=True)
def test_a_chain_that_was_cut_off_with_its_head_is_found_by_the_check_before(admin: Client) -> None:
    record_all([Act("system", f"act.{number}", "site", "") for number in range(4)])
    assert "was intact" in checked(admin)
    behind_the_triggers("DELETE FROM audit_event WHERE sequence > 2")
    Head.objects.update(sequence=2, hash=Event.objects.get(sequence=2).hash)
    assert "No event matches the head that was kept" in checked(admin)


@pytest.mark.django_db(transaction=True)
def test_the_job_that_runs_twice_leaves_one_row(admin: Client) -> None:
    admin.post(reverse("verify-audit"))
    job = Job.objects.get(name="verify_audit_chain")
    run(job.pk)
    Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None)
    run(job.pk)
    assert ChainCheck.objects.count() == 1
