"""docker-compose.yml, without an engine: it parses, pins, and its commands run on PostgreSQL and Redis."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from config.supervisor import redis
from tests.servers import ROOT, start_postgresql, until

pytestmark = pytest.mark.processes
START_SECONDS = 240
STARTED = ("web", "worker-light", "worker-transfer", "worker-training", "beat")
ASK = """
from jobs.services import ask
for lane in ("light", "training"):
    ask(name="unheard_of", lane=lane, arguments={})
"""
STATES = """
from jobs.models import Job
print("states", *Job.objects.filter(name="unheard_of").values_list("lane", "state").order_by("lane"))
"""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "docker-compose.yml").read_text()))


def test_every_part_of_the_system_is_a_service_with_a_pinned_image(compose: dict[str, Any]) -> None:
    assert {*STARTED, "migrate", "database", "broker", "store"} <= set(compose["services"])
    for service in compose["services"].values():
        assert re.search(r":(local|[\w.-]*\d[\w.-]*)$", service["image"]), service["image"]


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            secret = re.search("SECRET|PASSWORD|ACCESS_KEY", name) is not None
            assert not secret or ":?" in value, f"{name} must come from outside"


def test_our_own_processes_run_unprivileged(compose: dict[str, Any]) -> None:
    for name in STARTED:
        service = compose["services"][name]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert re.search(r"^USER fovea$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


def test_the_training_worker_takes_one_job_at_a_time(compose: dict[str, Any]) -> None:
    command = compose["services"]["worker-training"]["command"]
    assert command[command.index("-c") + 1] == "1"
    assert command[command.index("-Q") + 1] == "training"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Start a PostgreSQL and a Redis, and give the production settings that name them."""
    folder, port = start_postgresql(), free_port()
    broker = subprocess.Popen(
        [
            redis.executable(),
            "--port",
            str(port),
            "--dir",
            str(tmp_path),
            "--appendonly",
            "yes",
            "--loglevel",
            "warning",
        ]
    )
    yield {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "FOVEA_HOME": str(tmp_path / "home"),
        "FOVEA_HOSTS": "localhost",
        "FOVEA_SECRET_KEY": secrets.token_hex(32),
        "FOVEA_DEIDENTIFICATION_SECRET": secrets.token_hex(32),
        "FOVEA_DATABASE_URL": f"postgresql://postgres@/postgres?host={folder}",
        "FOVEA_REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "FOVEA_S3_BUCKET": "fovea",
        "FOVEA_S3_ACCESS_KEY": "test",
        "FOVEA_S3_SECRET_KEY": "test",
        "FOVEA_JOB_SWEEP_SECONDS": "1",
    }
    broker.kill()
    broker.wait()


def run(environment: dict[str, str], *words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "manage.py", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_start_commands_serve_and_work_on_postgresql_and_redis(
    compose: dict[str, Any], environment: dict[str, str], tmp_path: Path
) -> None:
    services, port = compose["services"], str(free_port())
    local = {"8000": port, "0.0.0.0": "127.0.0.1", "/tmp/beat": str(tmp_path / "beat")}
    run(environment, *services["migrate"]["command"][2:])
    running = [
        subprocess.Popen(
            [local.get(word, word) for word in services[name]["command"]],
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
        for name in STARTED
    ]
    try:
        until(lambda: status_of(f"http://127.0.0.1:{port}/") == 302, seconds=START_SECONDS)
        run(environment, "shell", "-c", ASK)
        both_failed = "('light', 'failed') ('training', 'failed')"
        until(lambda: both_failed in run(environment, "shell", "-c", STATES), seconds=START_SECONDS)
        assert all(process.poll() is None for process in running)
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def status_of(url: str) -> int:
    """Ask as the proxy in front would."""
    try:
        return httpx.get(url, headers={"Host": "localhost", "X-Forwarded-Proto": "https"}).status_code
    except httpx.HTTPError:
        return 0
