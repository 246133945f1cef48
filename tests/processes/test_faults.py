"""Workers killed with -9 at every stage, brokers lost, messages sent ten times: each job is done once."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from celery import current_app

from accounts.models import User
from jobs import broker as job_broker
from jobs import services
from jobs.models import OPEN, Job, Lane, State
from tests.processes.workers import Workers, workers
from tests.servers import Redis, until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.alone,
    pytest.mark.django_db(transaction=True),
]
WAIT_SECONDS = 120
STAGES = ("claimed", "computed", "committing", "committed")


@pytest.fixture
def crew(broker: Redis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    """Run both workers and beat, with this process asking through the same broker."""
    monkeypatch.setattr(current_app.conf, "broker_url", broker.url)
    monkeypatch.setattr(current_app.conf, "broker_write_url", broker.url)
    with workers(broker, "light", "training", "beat") as crew:
        yield crew


def ask(name: str, lane: Lane, **arguments: str) -> Job:
    return services.ask(name=name, lane=lane, arguments=arguments)


def ended(jobs: list[Job]) -> bool:
    rows = Job.objects.filter(pk__in=[job.pk for job in jobs])
    return not rows.filter(state__in=OPEN).exists()


def assert_done_once(jobs: list[Job]) -> None:
    until(lambda: ended(jobs), seconds=WAIT_SECONDS)
    states = Job.objects.filter(pk__in=[job.pk for job in jobs]).values_list("state", "error")
    assert set(states) == {(State.DONE, "")}
    results = sorted(User.objects.filter(username__startswith="result").values_list("username", flat=True))
    assert results == sorted(f"result {job.pk}" for job in jobs)


def kill_at(mark: Path) -> None:
    """Kill the process that left its id at a stage."""
    until(lambda: mark.exists() and mark.read_text() != "", seconds=WAIT_SECONDS)
    os.kill(int(mark.read_text()), signal.SIGKILL)


@pytest.mark.postgresql
def test_a_pool_child_killed_at_any_stage_loses_nothing(crew: Workers, tmp_path: Path) -> None:
    jobs = []
    for stage in STAGES:
        folder = tmp_path / stage
        folder.mkdir()
        jobs.append(ask("test_light", Lane.LIGHT, folder=str(folder), stage=stage))
        kill_at(folder / stage)
    assert_done_once(jobs)


def test_a_spawned_job_killed_at_any_stage_loses_nothing(crew: Workers, tmp_path: Path) -> None:
    jobs = []
    for stage in STAGES:
        folder = tmp_path / stage
        folder.mkdir()
        jobs.append(ask("test_spawned", Lane.TRAINING, folder=str(folder), stage=stage))
    for stage in STAGES:
        kill_at(tmp_path / stage / stage)
    assert_done_once(jobs)


@pytest.mark.parametrize(("name", "lane"), [("test_light", Lane.LIGHT), ("test_spawned", Lane.TRAINING)])
def test_a_whole_worker_killed_in_a_job_loses_nothing(
    crew: Workers, tmp_path: Path, name: str, lane: Lane
) -> None:
    job = ask(name, lane, folder=str(tmp_path), stage="computed")
    until((tmp_path / "computed").exists, seconds=WAIT_SECONDS)
    crew.kill(lane)
    crew.start(lane)
    assert_done_once([job])


@pytest.mark.postgresql
def test_a_message_delivered_ten_times_is_one_run(crew: Workers, tmp_path: Path) -> None:
    jobs = [ask("test_light", Lane.LIGHT, folder=str(tmp_path), stage="none") for _ in range(20)]
    for job in jobs:
        for _ in range(9):
            job_broker.send(Lane.LIGHT, job.pk)
    assert_done_once(jobs)
    asked = Job.objects.filter(pk__in=[job.pk for job in jobs])
    assert set(asked.values_list("attempts", flat=True)) == {1}


def test_a_redis_killed_and_one_flushed_lose_no_job(crew: Workers, tmp_path: Path) -> None:
    crew.broker.kill()
    asked_without = [ask("test_light", Lane.LIGHT, folder=str(tmp_path), stage="none") for _ in range(5)]
    crew.broker.start()
    assert_done_once(asked_without)
    crew.kill("light")
    asked_with = [ask("test_light", Lane.LIGHT, folder=str(tmp_path), stage="none") for _ in range(5)]
    with crew.broker.client() as client:
        client.flushall()
    crew.start("light")
    assert_done_once([*asked_without, *asked_with])


def test_a_cancelled_job_stops_and_the_next_one_runs(crew: Workers, tmp_path: Path) -> None:
    long = ask("test_long", Lane.LIGHT, folder=str(tmp_path))
    until((tmp_path / "started").exists, seconds=WAIT_SECONDS)
    services.cancel(long.pk)
    jobs = [ask("test_light", Lane.LIGHT, folder=str(tmp_path), stage="none") for _ in range(2)]
    assert_done_once(jobs)
    long.refresh_from_db()
    assert long.state == State.CANCELLED


def test_a_faulty_job_ends_with_its_error_and_a_fault_of_the_surroundings_is_tried_again(
    crew: Workers,
) -> None:
    own = [ask("test_failing", Lane.LIGHT, error=error) for error in ("value", "file")]
    again = ask("test_failing", Lane.LIGHT, error="os")
    until(lambda: ended(own), seconds=WAIT_SECONDS)
    assert set(Job.objects.filter(pk__in=[job.pk for job in own]).values_list("state", "error")) == {
        (State.FAILED, "ValueError: the cause"),
        (State.FAILED, "FileNotFoundError: the cause"),
    }
    until(
        lambda: Job.objects.get(pk=again.pk).error == "ConnectionResetError: the cause", seconds=WAIT_SECONDS
    )
    assert Job.objects.get(pk=again.pk).state == State.RUNNING


def written_to(path: Path) -> bool:
    return "sys" in path.read_text()


def test_workers_and_spawned_children_know_pythons_own_platform_and_pool_processes_no_torch(
    crew: Workers, tmp_path: Path
) -> None:
    light, spawned = tmp_path / "light", tmp_path / "spawned"
    ask("test_modules", Lane.LIGHT, path=str(light))
    ask("test_spawned_modules", Lane.TRAINING, path=str(spawned))
    until(lambda: light.exists() and spawned.exists(), seconds=WAIT_SECONDS)
    for path in (light, spawned):
        until(partial(written_to, path), seconds=WAIT_SECONDS)
        first, *imported = path.read_text().splitlines()
        assert Path(first).name == "platform.py"
        assert not {"torch", "monai"} & set(imported)
