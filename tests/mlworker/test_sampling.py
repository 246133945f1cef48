"""What a run's processes take, and the lines of its log: kept as it goes, few enough, nobody's data."""

import os
import subprocess
import sys
import time
import uuid

import pytest
from django.utils import timezone

from annotation.learning import runs
from annotation.learning.judged_models import RunLine
from annotation.learning.models import TrainingRun
from annotation.learning.runs import MOST_SAMPLES
from mlworker import sampling
from mlworker.sampling import MEGABYTE, resident_bytes, sample, sampled
from tests.factories import a_project

HELD_MB = 64
HOLD = f"import sys, time; held = bytearray({HELD_MB} * 1024 * 1024); print(1, flush=True); time.sleep(600)"


def test_memory_is_that_of_all_processes_of_the_session() -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, start_new_session=True)
    assert child.stdout is not None
    child.stdout.readline()
    found = resident_bytes(os.getsid(child.pid)) / MEGABYTE
    child.kill()
    child.wait()
    child.stdout.close()
    assert HELD_MB <= found < HELD_MB + 200
    assert sample()["memory_mb"] > 0


@pytest.fixture
def run(transactional_db: None) -> TrainingRun:
    """A run that has begun."""
    new = runs.NewRun(kind="train", project_id=a_project().pk, settings={"mode": "lora"})
    return runs.start_run(job_id=uuid.uuid4(), new=new, now=timezone.now())


def test_samples_are_taken_while_a_job_runs(run: TrainingRun) -> None:
    with sampled(run.job_id, every=0.05):
        deadline = time.monotonic() + 60.0
        while not TrainingRun.objects.get(pk=run.pk).samples and time.monotonic() < deadline:
            time.sleep(0.05)
    kept = TrainingRun.objects.get(pk=run.pk).samples
    assert kept
    assert {"seconds", "memory_mb"} <= kept[0].keys()


def test_samples_go_on_after_one_that_failed_and_the_log_says_so_once(
    run: TrainingRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calls = iter(range(1_000_000))

    def failing() -> dict[str, float]:
        if next(calls) < 3:
            raise RuntimeError("device lost")
        return {"memory_mb": 1.0}

    monkeypatch.setattr(sampling, "sample", failing)
    with sampled(run.job_id, every=0.05):
        deadline = time.monotonic() + 60.0
        while not TrainingRun.objects.get(pk=run.pk).samples and time.monotonic() < deadline:
            time.sleep(0.05)
    assert TrainingRun.objects.get(pk=run.pk).samples
    assert caplog.text.count("could not be measured") == 1


def test_long_runs_keep_every_second_sample(run: TrainingRun) -> None:
    for second in range(MOST_SAMPLES + 1):
        runs.append_sample(job_id=run.pk, sample={"seconds": float(second), "memory_mb": 1.0})
    run.refresh_from_db()
    assert len(run.samples) == MOST_SAMPLES // 2 + 1
    assert [run.samples[0]["seconds"], run.samples[-1]["seconds"]] == [0.0, float(MOST_SAMPLES)]


@pytest.mark.django_db
def test_a_job_without_a_run_keeps_no_sample() -> None:
    assert not runs.append_sample(job_id=uuid.uuid4(), sample={"seconds": 1.0})


def test_the_log_tells_begin_epochs_and_end_once_each(run: TrainingRun) -> None:
    new = runs.NewRun(kind="train", settings={"mode": "lora", "nested": {"not": "kept"}})
    point = {"epoch": 1, "loss": 0.5}
    runs.append_history(job_id=run.pk, point=point)
    runs.start_run(job_id=run.pk, new=new, now=timezone.now())
    runs.append_history(job_id=run.pk, point=point)
    runs.finish_run(job_id=run.pk, result={"promoted": False, "verdict": "not better"})
    lines = list(RunLine.objects.filter(run=run).values_list("event", "values"))
    assert lines == [
        ("started", {"mode": "lora"}),
        ("epoch", point),
        ("resumed", {"mode": "lora"}),
        ("finished", {"promoted": False, "verdict": "not better"}),
    ]
