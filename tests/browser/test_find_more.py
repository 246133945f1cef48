"""From a point of the map to the reader's next case, in a real browser on the whole running system."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.consoles import SLOW_MS, new_project, watched_page
from tests.browser.reading import new_context, open_room, prepare, sign_in_here, small_delivery
from tests.browser.serving import Fovea

pytestmark = pytest.mark.browser
PROJECT, SLOW_SECONDS = "Find more", 180
RANKING = "from annotation.queue.models import Ranking"
STREAMS = """
from annotation.projects.models import Case
cases = Case.objects.filter(project={project!r})
print({{case.number: case.stream for case in cases}})
"""


@pytest.fixture(scope="module")
def project_id(whole_system: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Import real chest X-rays; wait until they are encoded and ranked."""
    delivery = small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("delivery"), 60)
    new_project(whole_system, PROJECT, "map-staff")
    made = prepare(whole_system, delivery, PROJECT, ["map-reader"], modality="DX")
    ranked = f"Ranking.objects.filter(project={made!r}).exists()"
    whole_system.wait_for(RANKING, ranked, seconds=SLOW_SECONDS)
    return made


@pytest.fixture
def context(chromium: Browser, whole_system: Fovea) -> Iterator[BrowserContext]:
    opened = chromium.new_context(viewport={"width": 1280, "height": 900}, base_url=whole_system.url)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """ML staff, signed in; at the end no error and no breach of the content security policy."""
    with watched_page(context) as opened:
        opened.goto("/sign-in")
        sign_in_here(opened, "map-staff")
        yield opened


def open_map(page: Page, project_id: str) -> None:
    page.goto(f"/projects/{project_id}/learning/map")
    if page.get_by_role("heading", name="No map yet").count():
        page.get_by_role("button", name="Draw the map").click()
    page.locator("[data-map-ready='60']").wait_for(timeout=SLOW_MS)
    page.locator("[data-map-list] a").first.wait_for()


def a_point(page: Page) -> tuple[float, float]:
    """Somewhere on the canvas that a pointer finds a case under."""
    box = page.locator("canvas").bounding_box()
    assert box is not None
    for step in range(4000):
        left = box["x"] + box["width"] * (0.3 + 0.4 * (step % 40) / 40)
        top = box["y"] + box["height"] * (0.2 + 0.6 * (step // 40) / 100)
        page.mouse.move(left, top)
        if page.locator("canvas").evaluate("canvas => canvas.style.cursor") == "pointer":
            return left, top
    raise AssertionError("no point of the map is found under the pointer")


def open_a_point(page: Page) -> None:
    """Hover over a case, see its thumbnail, click, and see the case."""
    left, top = a_point(page)
    card = page.locator("[data-map-card]")
    expect(card).to_be_visible()
    assert card.locator("img").evaluate("image => image.decode().then(() => image.naturalWidth)") > 20
    number = int(card.inner_text().split()[0])
    page.mouse.click(left, top)
    page.wait_for_url(f"**/cases/{number}")
    expect(page.get_by_role("heading", name=f"Case {number}", exact=True)).to_be_visible()
    expect(page.locator(".case-stage canvas").first).to_be_visible()
    expect(page.get_by_text("Nobody has read it yet")).to_be_visible()


def ask_for_two(page: Page) -> list[int]:
    """Find more like the case on the page, make the first two a query batch; returns all found."""
    page.get_by_role("button", name="Find more like this").click()
    expect(page.get_by_role("heading", name="Most alike")).to_be_visible(timeout=SLOW_MS)
    boxes = page.get_by_role("checkbox")
    numbers = [int(value) for value in boxes.evaluate_all("all => all.map(one => one.value)")]
    for place in range(2):
        boxes.nth(place).check()
    page.get_by_label("What readers are told").fill("more of a rare kind")
    page.get_by_role("button", name="Make these a query batch").click()
    expect(page.get_by_role("status").first).to_contain_text("2 cases are at the front of the queue")
    return numbers


def withdraw(page: Page) -> None:
    page.reload()
    expect(page.get_by_role("row", name="more of a rare kind")).to_contain_text("1 of 2")
    page.get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Withdraw it").click()
    expect(page.get_by_role("status").first).to_contain_text("1 case is back among all others")


def test_a_point_of_the_map_leads_to_a_query_batch_that_a_reader_gets_next(
    page: Page, chromium: Browser, whole_system: Fovea, project_id: str
) -> None:
    streams: dict[int, str] = eval(whole_system.run(STREAMS.format(project=project_id)))
    open_map(page, project_id)
    open_a_point(page)
    example = next(number for number, stream in streams.items() if stream == "pool")
    page.goto(f"/projects/{project_id}/cases/{example}")
    numbers = ask_for_two(page)
    assert {streams[one] for one in numbers} == {"pool"}

    room = open_room(new_context(chromium), whole_system, project_id, "map-reader")
    first = room.enter()
    room.wait_for("map-staff asked for this case: more of a rare kind")
    second = room.answer(1)
    assert {first, second} == set(numbers[:2])
    room.saving("All saved")
    room.leave()
    withdraw(page)


def test_the_map_is_used_by_keyboard_alone(page: Page, project_id: str) -> None:
    open_map(page, project_id)
    count = page.locator("[data-map-count]")
    expect(count).to_have_text("60 of 60 cases")
    page.locator("canvas").focus()
    for key in ("+", "+", "+", "+"):
        page.keyboard.press(key)
    expect(count).not_to_have_text("60 of 60 cases")
    page.keyboard.press("0")
    expect(count).to_have_text("60 of 60 cases")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cases/*")


def test_cases_chosen_in_the_list_start_a_search(page: Page, project_id: str, whole_system: Fovea) -> None:
    streams: dict[int, str] = eval(whole_system.run(STREAMS.format(project=project_id)))
    open_map(page, project_id)
    boxes = page.locator("[data-map-list] input")
    listed = [int(value) for value in boxes.evaluate_all("all => all.map(one => one.value)")]
    pool = [number for number in listed if streams[number] == "pool"][:2]
    for number in pool:
        page.get_by_label(f"Choose case {number}", exact=True).check()
    page.get_by_role("button", name="Find more like these").click()
    title = f"Cases like {', '.join(map(str, sorted(pool)))}"
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_nobody_without_the_role_gets_the_map(context: BrowserContext, project_id: str) -> None:
    page = context.new_page()
    page.goto("/sign-in")
    sign_in_here(page, "map-reader")
    answer = page.goto(f"/projects/{project_id}/learning/map")
    assert answer is not None
    assert answer.status == 403
    missing = page.goto(f"/projects/{uuid.uuid4()}/learning/map")
    assert missing is not None
    assert missing.status == 404
