"""A process begins with room for the files of several imports, whatever soft limit it was started under."""

import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOLD = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"


def limits_in(code: str, limits: tuple[int, int]) -> list[int]:
    """The limits that a process has which was started under others."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}", "DJANGO_SETTINGS_MODULE": "config.settings.test"},
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_NOFILE, limits),
    )
    return [int(one) for one in done.stdout.split()]


@pytest.mark.parametrize("hard", [300, 2000])
def test_the_soft_limit_is_raised_to_the_hard_one(hard: int) -> None:
    code = f"from config.descriptors import raise_open_files; raise_open_files(); {TOLD}"
    assert limits_in(code, (256, hard)) == [hard, hard]


def test_one_that_is_high_enough_stays() -> None:
    code = f"import config.descriptors as d; d.ENOUGH = 100; d.raise_open_files(); {TOLD}"
    assert limits_in(code, (256, 300)) == [256, 300]


@pytest.mark.parametrize(
    "start",
    [
        "import config.asgi",
        "import django; django.setup()",
        "from config.celery import app; app.loader.import_default_modules()",
    ],
)
def test_the_web_process_and_commands_and_workers_begin_with_it(start: str) -> None:
    assert limits_in(f"{start}; {TOLD}", (256, 2000)) == [2000, 2000]
