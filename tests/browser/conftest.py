"""The running system and a real browser, for every browser test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.serving import Fovea, build_front_end, running_chromium, serving, whole_system_in


@pytest.fixture(scope="session")
def front_end() -> Path:
    """Build the front end where it is not built."""
    return build_front_end()


@pytest.fixture(scope="session")
def fovea(tmp_path_factory: pytest.TempPathFactory, front_end: Path) -> Iterator[Fovea]:
    """Serve an empty system."""
    with serving(tmp_path_factory.mktemp("home")) as system:
        yield system


@pytest.fixture(scope="session")
def whole_system(tmp_path_factory: pytest.TempPathFactory, front_end: Path) -> Iterator[Fovea]:
    """Run the whole system, workers included, on an empty data directory."""
    with whole_system_in(tmp_path_factory.mktemp("home")) as system:
        yield system


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Start Chromium; stopped with the module, since its event loop would trouble Django's tests after it."""
    with running_chromium() as browser:
        yield browser
