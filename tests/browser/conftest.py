"""The running system and a real browser, for every browser test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.consoles import ANSWER_MS
from tests.browser.desk import CHEST, ask
from tests.browser.reading import Room, new_context, open_room, small_delivery
from tests.browser.serving import Fovea, build_front_end, running_chromium, serving, whole_system_in
from tests.browser.staging import build_stage

expect.set_options(timeout=ANSWER_MS)


@pytest.fixture(scope="session")
def front_end() -> Path:
    """Build the front end where it is not built."""
    return build_front_end()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the page that holds a stage alone."""
    return build_stage(tmp_path_factory.mktemp("stage"))


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


@pytest.fixture(scope="module")
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """Share what the browser has cached; each test signs another reader in."""
    profile = new_context(chromium)
    yield profile
    profile.close()


@pytest.fixture(scope="session")
def delivery(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy some real chest X-rays."""
    return small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("delivery"), 60)


@pytest.fixture(scope="module")
def project_id(request: pytest.FixtureRequest, fovea: Fovea, delivery: Path) -> str:
    """Ask about them in every way that a form can; each module has a project of its own."""
    module = request.module
    return ask(fovea, delivery, module.__name__.rpartition(".")[2], module.READERS, CHEST, modality="DX")


@pytest.fixture(scope="module")
def names(request: pytest.FixtureRequest) -> Iterator[str]:
    """Name a reader of each test's own, of the module's READERS."""
    return iter(request.module.READERS)


@pytest.fixture
def room(context: BrowserContext, fovea: Fovea, project_id: str, names: Iterator[str]) -> Iterator[Room]:
    """Open the room of the module's project; at the end no error and no breach of the policy."""
    opened = open_room(context, fovea, project_id, next(names))
    opened.enter()
    yield opened
    opened.leave()
