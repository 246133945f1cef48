"""Patients who are everywhere, for the tests of their end."""

import shutil
from pathlib import Path

import pytest
from django.conf import settings

from tests.annotation.exchange.lifecycle.patients import Scene, a_scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Two patients who are everywhere, in a data directory without what other tests left."""
    for folder in (settings.HOME.files, settings.HOME.embeddings, settings.HOME.spool):
        shutil.rmtree(folder, ignore_errors=True)
    return a_scene(tmp_path)
