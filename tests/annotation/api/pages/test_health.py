"""The health page, a sign of life, and what Prometheus scrapes: for whom, and what it never says."""

import json
import logging
import re
import sys
from datetime import timedelta
from uuid import uuid4

import pytest
from celery import current_app
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from accounts.models import User
from accounts.scopes import Scope
from accounts.tokens import Wish, make_token
from audit.models import Event
from config.logs import JsonLines
from jobs import health
from jobs.models import Job, Lane, Outbox, State
from tests.factories import a_user
from tests.servers import Redis

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
AGO = timedelta(minutes=10)
GIB = 1024**3


def a_job(state: State = State.QUEUED, lane: Lane = Lane.LIGHT, **facts: object) -> Job:
    return Job.objects.create(
        name="refit", lane=lane, state=state, **({"created_at": timezone.now() - AGO} | facts)
    )


def test_lanes_count_what_waits_runs_and_failed_today() -> None:
    now = timezone.now()
    a_job()
    a_job(created_at=now)
    a_job(State.RUNNING, Lane.TRAINING)
    a_job(State.FAILED, finished_at=now)
    a_job(State.FAILED, finished_at=now - timedelta(days=2))
    a_job(State.DONE, finished_at=now)
    light, transfer, training = health.lanes(now)
    assert (light.waiting, light.running, light.failed_today, light.is_stuck) == (2, 0, 1, True)
    assert light.waits_seconds == pytest.approx(600, abs=30)
    assert (transfer.waiting, transfer.waits_seconds, transfer.is_stuck) == (0, None, False)
    assert (training.running, training.is_stuck) == (1, False)


def test_a_message_that_was_not_sent_is_counted_once_it_should_have_been() -> None:
    Outbox.objects.create(job=a_job())
    Outbox.objects.create(job=a_job(created_at=timezone.now()))
    Outbox.objects.create(job=a_job(), sent_at=timezone.now())
    assert health.unsent(timezone.now()) == 1


def test_the_database_says_which_it_is_and_lacks_nothing() -> None:
    told = health.database()
    assert told.vendor.lower() == connection.vendor
    assert told.size > 0
    assert health.unapplied() == []


def with_disk(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Let the disk have so many hundredths free."""
    monkeypatch.setattr(health, "disk", lambda: health.Disk(100 * GIB, free * GIB))


@pytest.mark.parametrize(("free", "said"), [(9, "Nearly full"), (2, "Full")])
def test_the_page_shows_a_disk_with_little_room(
    admin: Client, monkeypatch: pytest.MonkeyPatch, free: int, said: str
) -> None:
    with_disk(monkeypatch, free)
    ill = admin.get(reverse("health")).content.decode()
    assert f">{said}<" in ill
    assert "Something here needs you" in ill


def test_the_page_shows_work_that_nobody_takes_up(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with_disk(monkeypatch, 50)
    well = admin.get(reverse("health")).content.decode()
    assert "Nothing here needs you" in well
    assert "Idle" in well
    a_job(lane=Lane.TRANSFER)
    ill = admin.get(reverse("health")).content.decode()
    assert "Nobody takes it up" in ill
    assert "Something here needs you" in ill


def test_the_page_asks_the_same_number_of_queries_however_much_work_there_is(admin: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            admin.get(reverse("health"))
        return len(asked)

    queries()
    few = queries()
    for lane in Lane:
        a_job(lane=lane)
        a_job(State.FAILED, lane, finished_at=timezone.now())
    assert queries() == few


def test_a_broker_that_is_away_is_said(admin: Client) -> None:
    assert "The broker does not answer" in admin.get(reverse("health-workers")).content.decode()


def test_without_workers_nobody_answers(
    admin: Client, broker: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_app.conf, "broker_write_url", broker.url)
    assert "No worker answers" in admin.get(reverse("health-workers")).content.decode()


def test_a_late_backup_is_told(admin: Client, settings: Settings) -> None:
    settings.BACKUP_FOLDER = "/backups"
    assert "Late" in admin.get(reverse("health")).content.decode()
    Job.objects.create(
        name="backup",
        lane=Lane.LIGHT,
        state=State.DONE,
        created_at=timezone.now(),
        finished_at=timezone.now(),
    )
    assert "Late" not in admin.get(reverse("health")).content.decode()


def test_a_proxy_sees_that_the_process_lives_and_no_more(client: Client) -> None:
    assert client.get(reverse("alive")).content == b"ok\n"


def scraped(client: Client, owner: User, *scopes: Scope) -> tuple[int, str]:
    _, key = make_token(user=owner, wish=Wish("prometheus", scopes, 1), now=timezone.now())
    answer = client.get(reverse("metrics"), headers={"Authorization": f"Bearer {key}"})
    return answer.status_code, answer.content.decode()


def test_metrics_are_for_an_administrator_s_token_that_is_made_for_them(client: Client) -> None:
    administrator = a_user(is_admin=True)
    assert client.get(reverse("metrics")).status_code == 401
    wrong = client.get(reverse("metrics"), headers={"Authorization": "Bearer fovea_guess"})
    assert wrong.status_code == 401
    assert scraped(client, administrator, Scope.EXPORT)[0] == 403
    assert scraped(client, a_user(), Scope.METRICS)[0] == 403
    assert scraped(client, administrator, Scope.METRICS)[0] == 200


def test_a_token_that_is_refused_for_metrics_is_audited(client: Client) -> None:
    user = a_user()
    client.get(reverse("metrics"))
    client.get(reverse("metrics"), headers={"Authorization": "Bearer fovea_guess"})
    scraped(client, user, Scope.METRICS)
    refused = Event.objects.filter(outcome="denied").order_by("sequence")
    assert [(one.action, one.actor, one.remote_address) for one in refused] == [
        ("token.use", "anonymous", "127.0.0.1"),
        ("access.denied", str(user.pk), "127.0.0.1"),
    ]
    assert refused[1].details == {"route": "metrics", "method": "GET"}


def test_metrics_count_jobs_and_requests_by_route_and_name_nobody(client: Client) -> None:
    a_job()
    unknown = uuid4()
    client.get(f"/projects/{unknown}")
    client.get("/no/such/Doe-John")
    _, text = scraped(client, a_user("m.etrics", is_admin=True), Scope.METRICS)
    found = {family.name: family for family in text_string_to_metric_families(text)}
    jobs = {(one.labels["lane"], one.labels["state"]): one.value for one in found["fovea_jobs"].samples}
    assert jobs["light", "waiting"] == 1
    routes = {one.labels["route"] for one in found["fovea_http_requests"].samples}
    assert {"projects/<uuid:project_id>", "none"} <= routes
    assert found["fovea_disk_free_bytes"].samples[0].value > 0
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}|Doe|m\.etrics", text)


def test_a_log_line_is_one_json_object_without_what_broke_it() -> None:
    try:
        raise ValueError("Doe^John")
    except ValueError:
        record = logging.LogRecord("fovea", logging.ERROR, __file__, 1, "job %s", ("x",), sys.exc_info())
    line = JsonLines().format(record)
    told = json.loads(line)
    assert (told["level"], told["message"], told["error"]) == ("ERROR", "job x", "ValueError")
    assert "test_health.py" in told["where"][-1]
    assert "Doe" not in line
    assert "\n" not in line
