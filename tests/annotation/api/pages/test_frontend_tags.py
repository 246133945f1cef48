"""The built front end in a page, and how values read."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import RequestFactory
from django.utils import timezone
from pytest_django import Settings

from annotation.api.templatetags import frontend

MANIFEST = {
    "src/read/main.ts": {"file": "a/main-1.js", "imports": ["_shared.js"], "css": ["a/main-1.css"]},
    "_shared.js": {"file": "a/shared-2.js", "css": ["a/shared-2.css"]},
}


@pytest.fixture
def manifest(tmp_path: Path, settings: Settings) -> Path:
    settings.FRONTEND_MANIFEST = tmp_path / "manifest.json"
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    return tmp_path / "manifest.json"


@pytest.mark.usefixtures("manifest")
def test_an_entry_loads_its_script_once_with_what_it_imports() -> None:
    loaded = str(frontend.vite("src/read/main.ts"))
    assert loaded.count("/static/app/a/main-1.js") == 1
    assert '<link rel="modulepreload" href="/static/app/a/shared-2.js">' in loaded
    assert loaded.count("stylesheet") == 2


def test_a_build_that_is_not_there_is_told_with_what_to_do(tmp_path: Path, settings: Settings) -> None:
    settings.FRONTEND_MANIFEST = tmp_path / "nowhere.json"
    assert "make run" in frontend.vite("src/read/main.ts")


@pytest.mark.usefixtures("manifest")
def test_an_entry_that_was_not_built_is_told_too() -> None:
    assert "not built" in frontend.vite("src/other.ts")


def test_a_new_build_is_noticed_without_a_restart(manifest: Path) -> None:
    frontend.vite("src/read/main.ts")
    changed = {"src/read/main.ts": {"file": "a/main-9.js"}}
    manifest.write_text(json.dumps(changed))
    manifest.touch()
    assert "main-9" in frontend.vite("src/read/main.ts")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0.423, "0.42 s"), (38.2, "38 s"), (310, "5 min 10 s"), (7440, "2 h 04 min")],
)
def test_a_duration_reads_as_people_say_it(seconds: float | None, words: str) -> None:
    assert frontend.lasting(seconds) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "just now"), (61, "1 min ago"), (7300, "2 h ago"), (200_000, "2 d ago")]
)
def test_a_moment_reads_as_time_ago(seconds: int, words: str) -> None:
    assert frontend.ago(timezone.now() - timedelta(seconds=seconds)) == words


def test_shares_and_metrics_read_as_numbers_or_a_dash() -> None:
    assert (frontend.percent(0.125), frontend.percent(None)) == ("12 %", "–")
    assert (frontend.three(0.81249), frontend.three(None)) == ("0.812", "–")
    assert frontend.points(-0.004) == "-0.4 points"


def test_the_page_of_an_error_of_ours_needs_nothing_that_could_fail(rf: RequestFactory) -> None:
    from django.views.defaults import server_error

    page = server_error(rf.get("/")).content.decode()
    assert "Something went wrong on our side" in page
    assert "<script type" not in page
