"""What each process imports: Python's own platform everywhere, torch only in spawned children."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import ROOT

HEAVY = {"torch", "monai", "highdicom", "nibabel", "pyarrow"}
WEB = """
import platform, sys
sys.path[:0] = ["platform", "."]
import config.asgi
from django.urls import get_resolver
assert get_resolver().url_patterns
print(platform.__file__, *sorted(sys.modules), sep="\\n")
"""
WORKER = """
import platform, sys
sys.path[:0] = ["platform", "."]
import django
django.setup()
from config.celery import app
app.loader.import_default_modules()
from mlworker.runtime import registered
assert registered()
print(platform.__file__, *sorted(sys.modules), sep="\\n")
"""


def imported_by(program: str) -> tuple[str, set[str]]:
    """Run a program in a fresh interpreter: where its `platform` lies, and what it has imported."""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert ended.returncode == 0, ended.stderr
    where, *modules = ended.stdout.splitlines()
    return Path(where).name, set(modules)


def test_pytest_knows_pythons_own_platform() -> None:
    assert platform.system() == "Linux"
    assert not (ROOT / "platform" / "__init__.py").exists()


@pytest.mark.parametrize("program", [WEB, WORKER], ids=["web", "worker"])
def test_web_and_prefork_parents_import_neither_torch_nor_a_platform_of_ours(program: str) -> None:
    where, modules = imported_by(program)
    assert where == "platform.py"
    assert not HEAVY & modules


def test_the_web_imports_no_worker_code_and_no_scikit_learn() -> None:
    _, modules = imported_by(WEB)
    assert not {name for name in modules if name.startswith(("mlworker.runtime", "mlworker.jobs", "sklearn"))}
