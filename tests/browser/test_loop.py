"""The whole loop on the whole running system: real X-rays, a reader at the keyboard, a model, a new queue."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator

from tests.browser.consoles import new_project
from tests.browser.reading import Room, new_context, open_room, prepare, sign_in_here, small_delivery
from tests.browser.serving import Fovea
from tests.servers import until

pytestmark = pytest.mark.browser
PROJECT = "The loop"
SLOW_SECONDS = 180
DRAW_FEW_AUDITS = """
from annotation.learning.services import set_policy
from annotation.projects.models import Project
made = Project.objects.get(name={project!r})
set_policy(project=made, strategy="power_margin", refit_every=10, audit_share=0.1, by=None)
"""
RANKINGS = """
from annotation.queue.models import Ranking
rankings = Ranking.objects.filter(project={project!r}).order_by("created_at")
print([(str(one.pk), one.model is not None, one.label_count) for one in rankings])
"""
ORDER = """
from annotation.queue.models import Entry, UNRANKED
waiting = Entry.objects.filter(project={project!r}, state="waiting", rank__lt=UNRANKED).order_by("rank")
print([str(pk) for pk in waiting.values_list("pk", flat=True)[:20]])
"""
READ_MORE = """
import uuid
from django.utils import timezone
from accounts.models import User
from annotation.projects.models import Project
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered
project = Project.objects.get(pk={project!r})
reader = User.objects.get(username="loop-reader")
question = project.protocols.get().questions[0]
for turn in range({count}):
    held = lease_next(reader=reader, project_id=project.pk, now=timezone.now()).cases[0]
    choice = question["choices"][turn % 3]["value"]
    answered = Answered({{question["key"]: choice}}, 1.0, 1, uuid.uuid4())
    submit(reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, answered=answered, now=timezone.now())
"""
REVISIONS = """
from annotation.readings.models import Revision
print(Revision.objects.filter(reading__case__project={project!r}).count())
"""


def more_rankings_than(count: int, system: Fovea, project: str) -> None:
    """Wait for one more ranking."""
    ranked = f"Ranking.objects.filter(project={project!r}).count() > {count}"
    system.wait_for("from annotation.queue.models import Ranking", ranked, seconds=SLOW_SECONDS)


@pytest.fixture(scope="module")
def delivery(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take real chest X-rays of all classes."""
    return small_delivery(real_data / "chest_xray", tmp_path_factory.mktemp("delivery"), 90)


@pytest.fixture(scope="module")
def project_id(whole_system: Fovea, delivery: Path) -> str:
    """Import the X-rays; wait until the first ranking stands."""
    policy = {"strategy": "power_margin", "refit_every": 10, "audit_share": 0.4}
    new_project(whole_system, PROJECT, "loop-staff", **policy)
    made = prepare(whole_system, delivery, PROJECT, ["loop-reader"], modality="DX")
    whole_system.run(DRAW_FEW_AUDITS.format(project=PROJECT))
    more_rankings_than(0, whole_system, made)
    return made


@pytest.fixture
def room(chromium: Browser, whole_system: Fovea, project_id: str) -> Iterator[Room]:
    """Open the reading room to the reader."""
    context = new_context(chromium)
    opened = open_room(context, whole_system, project_id, "loop-reader")
    opened.enter()
    yield opened
    opened.leave()
    context.close()


def rankings(system: Fovea, project: str) -> list[tuple[str, bool, int]]:
    """Every ranking so far: its id, whether a model made it, the labels that it knew."""
    return list(eval(system.run(RANKINGS.format(project=project))))


def answer_evenly(room: Room, counts: list[int]) -> None:
    """Answer the case on screen so that the pool has as many of each class; audit cases count for none."""
    digit = counts.index(min(counts)) + 1
    current = room.mine()["cases"][0]
    counts[digit - 1] += current["why"]["stream"] == "pool"
    room.answer(digit)


def test_twelve_x_rays_by_keyboard_alone_refit_the_model_and_change_the_queue(
    room: Room, whole_system: Fovea, project_id: str
) -> None:
    first_order = whole_system.run(ORDER.format(project=project_id))
    cold = rankings(whole_system, project_id)
    counts = [0, 0, 0]
    for _ in range(5):
        answer_evenly(room, counts)
    halfway = room.shown()
    room.press("3")
    chosen = room.chosen()
    room.saving("Draft saved")
    room.page.reload()
    assert (room.shown(), room.chosen()) == (halfway, chosen)
    for _ in range(7):
        answer_evenly(room, counts)
    room.saving("All saved")

    assert room.read_by_me() == 12
    assert int(whole_system.run(REVISIONS.format(project=project_id))) == 12
    more_rankings_than(len(cold), whole_system, project_id)
    _, by_model, labels = rankings(whole_system, project_id)[-1]
    assert by_model
    assert labels >= 10
    assert whole_system.run(ORDER.format(project=project_id)) != first_order


def ranked_again(system: Fovea, project: str, than: int) -> bool:
    return len(rankings(system, project)) > than


def more_rows(table: Locator, than: int) -> bool:
    return table.get_by_role("row").count() > than


def test_ml_staff_see_the_curve_move_with_more_readings(
    chromium: Browser, whole_system: Fovea, project_id: str
) -> None:
    page = new_context(chromium).new_page()
    page.goto(f"{whole_system.url}/sign-in")
    sign_in_here(page, "loop-staff")
    page.goto(f"{whole_system.url}/projects/{project_id}/learning")
    page.get_by_label("Share of patients for the audit stream").fill("50")
    page.get_by_role("button", name="Save the policy").click()
    page.get_by_text("The policy is saved").first.wait_for()
    table = page.get_by_role("table", name="Balanced accuracy on the audit stream")
    more = READ_MORE.format(project=project_id, count=30)
    seen = [table.get_by_role("row").count()]
    for _ in range(2):
        known = len(rankings(whole_system, project_id))
        page.get_by_role("button", name="Retrain now").click()
        until(partial(ranked_again, whole_system, project_id, known), seconds=SLOW_SECONDS)
        whole_system.run(more)
        page.get_by_role("button", name="Retrain now").click()
        until(partial(more_rows, table, max(seen[-1], 1)), seconds=SLOW_SECONDS)
        seen.append(table.get_by_role("row").count())
    page.context.close()

    assert seen == sorted(set(seen))
