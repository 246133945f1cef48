"""Jobs as rows: asked for, claimed, fenced, swept."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import connections, transaction
from django.utils import timezone

from accounts.models import User
from jobs import services
from jobs.claims import Claim, StaleClaim
from jobs.models import Job, Outbox, State
from tests.servers import Redis

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]
LATER = timedelta(seconds=91)


def asked(key: str = "", attempts: int = 5) -> Job:
    return services.ask(
        name="refit", lane="light", arguments={"n": 1}, singleton_key=key, max_attempts=attempts
    )


def claimed(job: Job, worker: str = "one") -> Claim:
    claim = services.claim(job.pk, worker=worker, now=timezone.now())
    assert claim is not None
    return claim


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def test_a_job_and_its_message_are_written_with_what_asked_for_them() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError(asked())
    assert (Job.objects.count(), Outbox.objects.count()) == (0, 0)


def test_a_key_has_one_waiting_job() -> None:
    assert asked("refit:1") == asked("refit:1")
    assert asked("refit:2") != asked("refit:1")
    assert Job.objects.count() == 2


def test_while_one_job_of_a_key_runs_another_one_waits_and_does_not_start() -> None:
    first = asked("refit:1")
    claim = claimed(first)
    second = asked("refit:1")
    assert second != first
    assert services.claim(second.pk, worker="two", now=timezone.now()) is None
    services.finish(claim)
    assert claimed(second).job_id == second.pk


def test_a_held_job_is_not_claimed_again_until_its_lease_has_run_out() -> None:
    job = asked()
    first = claimed(job)
    assert services.claim(job.pk, worker="two", now=timezone.now()) is None
    second = services.claim(job.pk, worker="two", now=timezone.now() + LATER)
    assert second is not None
    assert (second.token, second.attempt) == (first.token + 1, 2)


def test_a_worker_whose_job_was_taken_over_can_write_nothing() -> None:
    job = asked()
    stale = claimed(job)
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    fresh = claimed(job, "two")
    for write in (services.finish, services.heartbeat, lambda claim: services.fail(claim, "x")):
        with pytest.raises(StaleClaim):
            write(stale)
    with pytest.raises(StaleClaim), services.fenced(stale):
        User.objects.create_user("zombie")
    services.finish(fresh)
    assert state_of(job) == State.DONE
    assert not User.objects.exists()


def commit_and_break(claim: Claim) -> None:
    with services.fenced(claim):
        User.objects.create_user("half")
        services.finish(claim)
        raise ZeroDivisionError


def test_results_and_the_end_of_a_job_are_one_transaction() -> None:
    job = asked()
    claim = claimed(job)
    with pytest.raises(ZeroDivisionError):
        commit_and_break(claim)
    assert (state_of(job), User.objects.count()) == (State.RUNNING, 0)


def test_a_heartbeat_extends_the_lease_and_says_how_far_the_work_is() -> None:
    job = asked()
    claim = claimed(job)
    before = Job.objects.get(pk=job.pk).lease_until
    services.heartbeat(claim, progress=0.5, message="half")
    job.refresh_from_db()
    assert (job.progress, job.message) == (0.5, "half")
    assert job.lease_until is not None
    assert before is not None
    assert job.lease_until > before


def test_a_cancelled_job_can_be_neither_claimed_nor_finished() -> None:
    job = asked()
    claim = claimed(job)
    assert services.cancel(job.pk)
    assert not services.cancel(job.pk)
    with pytest.raises(StaleClaim):
        services.finish(claim)
    assert services.claim(job.pk, worker="two", now=timezone.now() + LATER) is None
    assert state_of(job) == State.CANCELLED


def test_attempts_are_capped_and_the_sweep_says_so() -> None:
    job = asked(attempts=2)
    now = timezone.now()
    for attempt in range(2):
        assert services.claim(job.pk, worker="w", now=now + attempt * LATER) is not None
    assert services.claim(job.pk, worker="w", now=now + 2 * LATER) is None
    services.sweep(now + 2 * LATER)
    job.refresh_from_db()
    assert job.state == State.FAILED
    assert "every attempt" in job.error


def test_after_a_fault_of_its_surroundings_a_job_rests_and_is_tried_again() -> None:
    job = asked(attempts=2)
    services.give_back(claimed(job), "OperationalError: database is restarting")
    now = timezone.now()
    assert services.claim(job.pk, worker="w", now=now) is None
    second = services.claim(job.pk, worker="w", now=now + timedelta(seconds=6))
    assert second is not None
    services.give_back(second, "OperationalError: again")
    job.refresh_from_db()
    assert (job.state, job.error) == (State.FAILED, "OperationalError: again")


def test_an_unknown_job_is_no_error_for_a_worker() -> None:
    assert services.claim(uuid.uuid4(), worker="w", now=timezone.now()) is None


def test_after_a_start_running_jobs_are_free_and_the_attempt_cut_short_does_not_count() -> None:
    job = asked()
    claimed(job)
    assert services.release_all(timezone.now()) == 1
    assert claimed(job, "two").attempt == 1


def sent_to(broker: Redis) -> int:
    with broker.client() as client:
        return int(client.llen("light"))


@pytest.mark.django_db(transaction=True)
def test_the_sweep_rebuilds_a_flushed_broker(
    broker: Redis, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_celery_at(broker.url, monkeypatch)
    for _ in range(5):
        asked()
    assert sent_to(broker) == 5
    with broker.client() as client:
        client.flushall()
    assert services.sweep(timezone.now()) == 0
    assert services.sweep(timezone.now() + LATER) == 5
    assert sent_to(broker) == 5


@pytest.mark.django_db(transaction=True)
def test_asking_while_the_broker_is_dead_takes_no_second_and_the_sweep_sends(
    broker: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_celery_at(broker.url, monkeypatch)
    broker.kill()
    started = timezone.now()
    asked()
    assert timezone.now() - started < timedelta(seconds=1)
    broker.start()
    assert services.sweep(timezone.now()) == 1
    assert sent_to(broker) == 1


def point_celery_at(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from celery import current_app

    monkeypatch.setattr(current_app.conf, "broker_url", url)
    monkeypatch.setattr(current_app.conf, "broker_write_url", url)


@pytest.mark.django_db(transaction=True)
def test_of_eight_workers_that_want_a_job_at_once_one_gets_it() -> None:
    wanted = [asked() for _ in range(5)]
    won: list[Claim | None] = []
    ready = threading.Barrier(8)

    def want() -> None:
        ready.wait()
        won.extend(services.claim(job.pk, worker="w", now=timezone.now()) for job in wanted)
        connections.close_all()

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claim.job_id for claim in won if claim) == sorted(job.pk for job in wanted)


@pytest.mark.django_db(transaction=True)
def test_eight_askers_at_once_leave_one_waiting_job_a_key() -> None:
    ready = threading.Barrier(8)

    def ask_once() -> None:
        ready.wait()
        asked("refit:1")
        connections.close_all()

    threads = [threading.Thread(target=ask_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Job.objects.count() == 1
