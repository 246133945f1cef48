"""Readers: workloads are kept and told; progress and time sheets cost the same however many there are."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from annotation.projects.models import Membership, Project
from annotation.queue.staffing import readers_of, rows_of, shares_in, time_sheet
from annotation.readings.effort import Worker, median_seconds, note_decision, time_class
from annotation.readings.effort_models import Effort
from annotation.readings.models import Agreement
from audit.models import Event
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def page_of(name: str, project: Project, **more: object) -> str:
    return reverse(name, kwargs={"project_id": project.pk, **more})


def a_day(project: Project, reader: User, back: int, readings: int = 10, seconds: float = 600.0) -> Effort:
    """A day of a reader, so many days ago."""
    now = timezone.now() - timedelta(days=back)
    return Effort.objects.create(
        project=project,
        reader=reader,
        day=now.date(),
        readings=readings,
        second_readings=2,
        revisions=1,
        seconds=seconds,
        times={str(time_class(seconds / readings)): readings},
        last_at=now,
    )


def test_a_workload_is_kept_and_audited(admin: Client, project: Project) -> None:
    reader = factories.a_reader(project)
    url = page_of("workload", project, person_id=reader.pk)
    answer = admin.post(
        url,
        {
            "target_cases": "500",
            "due_on": "2026-12-24",
            "weekly_cases": "80",
            "weekly_hours": "7.5",
            "away_from": "2026-12-01",
            "away_until": "2026-12-05",
            "skills": "Chest, paediatric",
            "paused": "on",
        },
    )
    assert answer["Location"] == page_of("readers", project)
    kept = Membership.objects.get(user=reader)
    assert (kept.target_cases, kept.due_on, kept.weekly_hours) == (500, date(2026, 12, 24), 7.5)
    assert (kept.skills, kept.paused_at is None) == (["chest", "paediatric"], False)
    assert Event.objects.get(action="workload.set").details["weekly_cases"] == 80
    content = admin.get(url).content.decode()
    assert 'value="2026-12-24"' in content
    admin.post(url, {})
    kept.refresh_from_db()
    assert (kept.target_cases, kept.paused_at, kept.skills) == (None, None, [])


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"away_from": "2026-12-05"}, "Give both the first and the last day away"),
        ({"weekly_hours": "200"}, "a week has 168 hours"),
        ({"due_on": "Christmas"}, "give a day as 2026-12-31"),
        ({"open_cases": "-1"}, "give a number of cases"),
        ({"skills": "=1+1"}, "is no tag"),
    ],
)
def test_a_workload_that_cannot_be_comes_back_with_what_was_typed(
    admin: Client, project: Project, said: dict[str, str], words: str
) -> None:
    reader = factories.a_reader(project)
    answer = admin.post(page_of("workload", project, person_id=reader.pk), said | {"target_cases": "77"})
    content = answer.content.decode()
    assert answer.status_code == 422
    assert words in content
    assert 'value="77"' in content


def test_who_is_paused_away_or_lacks_a_tag_is_told_so(admin: Client, project: Project) -> None:
    today = timezone.now().date()
    for name, said in (
        ("p.aused", {"paused_at": timezone.now()}),
        ("a.way", {"away_from": today, "away_until": today}),
        ("r.eads", {"skills": ["chest"]}),
        ("l.acks", {}),
    ):
        reader = factories.a_reader(project, name)
        Membership.objects.filter(user=reader).update(**said)
    admin.post(page_of("skills", project), {"skills": "Chest"})
    content = admin.get(page_of("readers", project)).content.decode()
    assert [words in content for words in ("Paused", "On leave", "Lacks chest", ">Reading<")] == [True] * 4


def test_pace_median_agreement_and_forecast_are_told(project: Project) -> None:
    reader, colleague = factories.a_reader(project, "a.one"), factories.a_reader(project, "b.two")
    for back in range(10):
        a_day(project, reader, back)
    a_day(project, reader, 60, readings=100)
    Membership.objects.filter(user=reader).update(
        target_cases=300, due_on=timezone.now().date() + timedelta(days=5)
    )
    share = {"value": 0.8, "cases": 10, "low": 0.5, "high": 0.9}
    pairs = [{"one": str(reader.pk), "other": str(colleague.pk), "share": share}]
    Agreement.objects.create(
        project=project,
        figures={"finding": {"pairs": pairs}},
        readings=20,
        job_id=project.pk,
        seconds=1.0,
        created_at=timezone.now(),
    )
    row, other = rows_of([project], timezone.now())
    assert (row.readings, row.recent.readings, row.cases_an_hour) == (200, 100, 60.0)
    assert row.recent.median_seconds == pytest.approx(60.0, rel=0.05)
    assert (row.agreement, other.agreement) == (0.8, 0.8)
    assert row.gap == 200 + 50 - 300
    assert (other.readings, other.gap, other.cases_an_hour) == (0, None, None)


@pytest.fixture
def judge(project: Project) -> User:
    """ML staff who adjudicates: 30 decisions, each in two minutes, half of them more than four weeks ago."""
    judge = factories.a_member(project, Role.ML_STAFF, "j.udge")
    Membership.objects.filter(user=judge).update(adjudicates=True)
    for back in (3, 60):
        for _ in range(15):
            note_decision(Worker(project.pk, judge.pk), 120.0, timezone.now() - timedelta(days=back))
    return judge


def test_decisions_are_told_beside_readings_and_their_time_slows_no_pace(
    admin: Client, project: Project, judge: User
) -> None:
    reader = factories.a_reader(project, "b.oth")
    Membership.objects.filter(user=reader).update(adjudicates=True)
    a_day(project, reader, 1, readings=10, seconds=600.0)
    note_decision(Worker(project.pk, reader.pk), 300.0, timezone.now())
    both, row = rows_of([project], timezone.now())
    assert (both.membership.user, row.membership.user) == (reader, judge)
    assert (both.readings, both.decisions, both.seconds, both.decision_seconds) == (10, 1, 900.0, 300.0)
    assert (both.cases_an_hour, both.decisions_an_hour) == (60.0, 12.0)
    assert (row.readings, row.decisions, row.seconds, row.decision_seconds) == (0, 30, 3600.0, 3600.0)
    assert (row.cases_an_hour, row.decisions_an_hour, row.recent.decisions) == (None, 30.0, 15)


def test_an_adjudicator_who_reads_nothing_is_on_the_page_and_given_to_programs(
    admin: Client, project: Project, judge: User
) -> None:
    admin.post(page_of("skills", project), {"skills": "Chest"})
    content = admin.get(page_of("readers", project)).content.decode()
    assert "j.udge" in content
    assert ">Adjudicating<" in content
    assert "30 / h" in content
    assert page_of("workload", project, person_id=judge.pk) not in content
    assert "Decisions" in admin.get(reverse("readers-everywhere")).content.decode()
    [row] = admin.get(f"/api/v1/projects/{project.pk}/readers").json()
    assert (row["role"], row["adjudicates"], row["halt"]) == ("ml_staff", True, None)
    assert (row["decisions"], row["decision_seconds"], row["decisions_an_hour"]) == (30, 3600.0, 30.0)


def test_nothing_is_said_of_decisions_where_nobody_adjudicates(admin: Client, project: Project) -> None:
    a_day(project, factories.a_reader(project), 1)
    assert "Decisions" not in admin.get(page_of("readers", project)).content.decode()


def test_the_time_sheet_pays_adjudicators(admin: Client, project: Project, judge: User) -> None:
    month = timezone.now() - timedelta(days=3)
    answer = admin.get(reverse("time-sheet"), {"month": f"{month:%Y-%m}"})
    head, row = csv.reader(io.StringIO(answer.content.decode()))
    told = dict(zip(head, row, strict=True))
    kept = {name: told[name] for name in ("reader", "readings", "decisions", "decision_seconds")}
    assert kept == {"reader": "j.udge", "readings": "0", "decisions": "15", "decision_seconds": "1800"}
    day = month.date().isoformat()
    [seen] = admin.get("/api/v1/timesheet", {"first": day, "last": day}).json()
    assert (seen["decisions"], seen["seconds"], seen["decision_seconds"]) == (15, 1800.0, 1800.0)


def test_agreement_is_weighted_by_cases_over_questions() -> None:
    def pair(value: float | None, cases: int) -> dict[str, object]:
        return {"one": "a", "other": "b", "share": {"value": value, "cases": cases}}

    figures = {"x": {"pairs": [pair(1.0, 30), pair(None, 0)]}, "y": {"pairs": [pair(0.5, 10)]}, "z": {}}
    assert dict(shares_in(figures)) == {"a": 0.875, "b": 0.875}


def test_a_median_by_time_classes_is_near_and_none_of_nothing() -> None:
    times = [3.0, 40.0, 41.0, 45.0, 900.0]
    counts = {time_class(one): 0 for one in times}
    for one in times:
        counts[time_class(one)] += 1
    assert median_seconds(counts) == pytest.approx(41.0, rel=0.05)
    assert median_seconds({}) is None


def test_lists_of_readers_cost_the_same_for_many_as_for_one(admin: Client, project: Project) -> None:
    def queries(url: str) -> int:
        admin.get(url)  # the first one notes that the session is used
        with CaptureQueriesContext(connection) as counted:
            assert admin.get(url).status_code == 200
        return len(counted)

    a_day(project, factories.a_reader(project), 1)
    urls = [page_of("readers", project), reverse("readers-everywhere")]
    few = [queries(url) for url in urls]
    for other in (project, factories.a_project(), factories.a_project()):
        for _ in range(4):
            a_day(other, factories.a_reader(other), 2)
    assert [queries(url) for url in urls] == few


def test_a_time_sheet_sums_a_month_by_reader_and_project(admin: Client, project: Project) -> None:
    reader, other = factories.a_reader(project, "r.eader"), factories.a_project("=cmd()")
    for name, at, seconds in (
        (project, date(2026, 10, 1), 3600.0),
        (project, date(2026, 10, 31), 1800.0),
        (other, date(2026, 10, 15), 60.0),
        (project, date(2026, 11, 1), 999.0),
    ):
        Effort.objects.create(
            project=name, reader=reader, day=at, readings=3, seconds=seconds, last_at=timezone.now()
        )
    answer = admin.get(reverse("time-sheet"), {"month": "2026-10"})
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert rows[1:] == [
        ["2026-10", "r.eader", "'=cmd()", "3", "0", "0", "0", "0.02", "60", "0"],
        ["2026-10", "r.eader", "Chest X-rays", "6", "0", "0", "0", "1.50", "5400", "0"],
    ]
    of_one = admin.get(reverse("time-sheet"), {"month": "2026-10", "project": str(other.pk)})
    assert len(of_one.content.decode().splitlines()) == 2
    assert Event.objects.filter(action="timesheet.export").count() == 2
    assert len(admin.get("/api/v1/timesheet", {"first": "2026-10-01", "last": "2026-10-31"}).json()) == 2
    told = Event.objects.filter(action="timesheet.export").latest("sequence")
    assert (told.object_type, told.details) == ("site", {"first": "2026-10-01", "last": "2026-10-31"})
    assert "2026-10" in admin.get(reverse("readers-everywhere")).content.decode()


@pytest.mark.parametrize("month", ["", "2026-13", "x", "0000-01"])
def test_a_month_that_is_none_is_not_found(admin: Client, month: str) -> None:
    assert admin.get(reverse("time-sheet"), {"month": month}).status_code == 404


def test_hours_of_a_project_that_is_gone_are_still_paid(admin: Client) -> None:
    reader = factories.a_user("r.eader")
    Effort.objects.create(reader=reader, day=date(2026, 10, 1), seconds=60, last_at=timezone.now())
    [row] = time_sheet(User.objects.get(username="a.berg"), first=date(2026, 10, 1), last=date(2026, 10, 2))
    assert (row.project, row.seconds) == ("a project that was removed", 60.0)


def test_ml_staff_see_readers_and_no_workload_form_and_no_time_sheet(
    ml_staff: Client, project: Project
) -> None:
    reader = factories.a_reader(project, "r.eader")
    content = ml_staff.get(page_of("readers", project)).content.decode()
    assert "r.eader" in content
    assert page_of("workload", project, person_id=reader.pk) not in content
    assert "Time sheet" not in ml_staff.get(reverse("readers-everywhere")).content.decode()


def test_readers_of_others_are_not_listed(project: Project) -> None:
    other = factories.a_project()
    factories.a_reader(other, "e.lse")
    staff = factories.a_member(project, Role.ML_STAFF)
    assert readers_of(staff, project.pk, timezone.now()) == []


def test_programs_set_a_workload_and_read_it_back(admin: Client, project: Project) -> None:
    reader = factories.a_reader(project)
    url = f"/api/v1/projects/{project.pk}/readers"
    body = {"weekly_cases": 9, "skills": ["Neuro"], "paused": True}
    answer = admin.put(f"{url}/{reader.pk}", body, content_type="application/json")
    assert answer.json()["skills"] == ["neuro"]
    [row] = admin.get(url).json()
    assert (row["workload"]["weekly_cases"], row["halt"]["code"]) == (9, "paused")
    wrong = admin.put(f"{url}/{reader.pk}", {"away_from": "2026-01-01"}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "workload_refused")
    skills = admin.put(
        f"/api/v1/projects/{project.pk}/skills", {"skills": ["a", "b"]}, content_type="application/json"
    )
    assert skills.json() == {"skills": ["a", "b"]}
    nobody = admin.put(f"{url}/{project.pk}", body, content_type="application/json")
    assert nobody.status_code == 404


def test_the_reading_room_is_told_why_no_case_comes(admin: Client, project: Project) -> None:
    factories.some_cases(project, 2)
    reader = factories.a_reader(project)
    admin.post(page_of("skills", project), {"skills": "Neuro"})
    told = factories.a_client(reader).post(f"/api/v1/projects/{project.pk}/leases").json()
    assert told["cases"] == []
    assert told["halt"] == {"code": "skills", "back_on": None, "skills": ["neuro"]}
