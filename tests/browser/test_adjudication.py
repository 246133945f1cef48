"""Adjudication in a real browser: two readers' vessels of real fundus images, judged by keys alone."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import SLOW_MS, own_page, sign_in
from tests.browser.serving import PASSWORD, Fovea

pytestmark = pytest.mark.browser
NAMES = ("Image_01L", "Image_02L", "Image_03L")
JUDGE, FIRST, SECOND = "vessel-judge", "vessels-1", "vessels-2"
READ_TWICE = """
import json
from pathlib import Path
import numpy as np
from PIL import Image
from django.core.management import call_command
from django.utils import timezone
from accounts.models import User
from annotation.projects.masks import written
from annotation.projects.protocols import document_of
from annotation.projects.services import set_membership, start_project
from annotation.queue.agreement import fuse_again
from annotation.readings.adjudication_models import Dispute
from tests import factories

source = Path({source!r})
yes_no = [{{"value": "good", "label": "Good"}}, {{"value": "poor", "label": "Poor"}}]
document = document_of({{
    "questions": [
        {{"key": "quality", "prompt": "Is the image good enough?", "kind": "single", "choices": yes_no}},
        {{"key": "vessels", "prompt": "Where are the vessels?", "kind": "segmentation",
          "classes": [{{"value": "vessel", "label": "Vessel"}}]}},
    ],
    "settings": {{"readers": 2, "adjudicated": True, "least_dice": 0.9}},
}})
now = timezone.now()
project = start_project(name="Two readers' vessels", document=document, now=now)
people = {{}}
for name in {names!r}:
    people[name] = User.objects.create_user(name, password={password!r})
    set_membership(project=project, user=people[name], role="reader", adjudicates=name == {judge!r})
call_command("import", str(source), project=project.name, modality="OP")
cases = list(project.cases.order_by("number").prefetch_related("series__instances"))
for case, name in zip(cases, {images!r}, strict=True):
    uid = case.series.instances.all()[0].sop_instance_uid
    said = ({first!r}, "masks_reader1", "good"), ({second!r}, "masks_reader2", "poor")
    for reader, folder, quality in said:
        with Image.open(Path({masks!r}) / folder / f"{{name}}.png") as picture:
            drawn = np.asarray(picture.convert("L"))[None] > 0
        mask = written(drawn.shape, [uid], {{"vessel": drawn}})
        factories.a_reading(people[reader], case, {{"quality": quality, "vessels": mask}})
fuse_again(project.pk, now)
print(json.dumps([str(project.pk), [case.number for case in cases]]))
"""
STANDARDS = """
import json
from annotation.readings.models import ReferenceStandard, Revision
found = {{}}
for one in ReferenceStandard.objects.filter(case__project={project!r}).order_by("case__number"):
    mine = Revision.objects.filter(reading__case=one.case_id, answers__vessels=one.answers["vessels"])
    readers = sorted(mine.values_list("reader__username", flat=True))
    found[one.case.number] = [one.provenance, one.answers["quality"], readers]
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Vessels:
    """A project whose two readers drew the vessels of three images; numbers: of its cases."""

    project: str
    numbers: list[int]
    dice: list[str]


@pytest.fixture(scope="module")
def vessels(fovea: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Vessels:
    folder, masks = tmp_path_factory.mktemp("vessels"), real_data / "fundus_vessels"
    for name in NAMES:
        shutil.copy(masks / "images" / f"{name}.jpg", folder)
    with (masks / "labels.csv").open(newline="") as table:
        known = {Path(row["path"]).stem: row["reader_dice"] for row in csv.DictReader(table)}
    code = READ_TWICE.format(
        source=str(folder),
        masks=str(masks),
        images=list(NAMES),
        names=[JUDGE, FIRST, SECOND],
        judge=JUDGE,
        first=FIRST,
        second=SECOND,
        password=PASSWORD,
    )
    project, numbers = json.loads(fovea.run(code))
    return Vessels(project, numbers, [known[name] for name in NAMES])


@pytest.fixture
def page(chromium: Browser, fovea: Fovea, vessels: Vessels) -> Iterator[Page]:
    """The adjudicator, signed in; at the end no error and no breach of the content security policy."""
    assert vessels
    with own_page(chromium, fovea) as opened:
        sign_in(opened, JUDGE)
        yield opened


def shown(page: Page, number: int) -> None:
    """Wait until a case's image is there."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(f"Case {number}", timeout=SLOW_MS)
    page.locator(f"[data-adjudication][data-shown='{number}']").wait_for(timeout=SLOW_MS)


def opened(page: Page, vessels: Vessels, number: int, *, state: str = "open") -> None:
    """Open a case from the list."""
    page.goto(f"/projects/{vessels.project}/adjudication?show={state}")
    page.get_by_role("link", name=f"Case {number}", exact=True).click()
    shown(page, number)


def test_a_case_is_decided_by_keys_and_what_is_taken_is_the_reference_standard(
    page: Page, fovea: Fovea, vessels: Vessels
) -> None:
    first, second, _ = vessels.numbers
    page.goto(f"/projects/{vessels.project}")
    page.get_by_role("link", name="Adjudicate").click()
    expect(page.get_by_role("row")).to_have_count(4)
    assert violations_in_both_themes(page) == {}
    page.get_by_role("link", name="Decide the oldest").click()
    shown(page, first)
    expect(page.get_by_text(f"Dice of A and B: {float(vessels.dice[0]):.2f}")).to_be_visible()
    assert violations_in_both_themes(page) == {}
    for hidden in (FIRST, SECOND):
        assert hidden not in page.content()
    page.keyboard.press("1")
    page.keyboard.press("1")
    expect(page.locator(".judged-side[aria-pressed='true']")).to_have_count(2)
    page.keyboard.press("Enter")
    shown(page, second)
    provenance, quality, readers = json.loads(fovea.run(STANDARDS.format(project=vessels.project)))[
        str(first)
    ]
    assert (provenance, len(readers)) == ("adjudicated", 1)
    assert quality == {FIRST: "good", SECOND: "poor"}[readers[0]]


def test_what_is_shown_is_switched_by_keys_and_the_keys_are_told(page: Page, vessels: Vessels) -> None:
    opened(page, vessels, vessels.numbers[1])
    pressed = page.get_by_role("group", name="Whose drawings are shown").locator("[aria-pressed='true']")
    expect(pressed).to_have_count(2)
    for names in (["Reader A"], ["Reader B"], []):
        page.keyboard.press("v")
        expect(pressed).to_have_text(names)
    page.keyboard.press("m")
    expect(page.get_by_text("nothing is kept of it").first).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("cell", name="Pick whose answer stands")).to_be_visible()
    assert violations_in_both_themes(page) == {}


def test_a_case_is_answered_anew_in_the_reading_room(page: Page, fovea: Fovea, vessels: Vessels) -> None:
    third = vessels.numbers[2]
    opened(page, vessels, third)
    page.keyboard.press("e")
    page.locator(f".stage[data-shown='{third}']").wait_for(timeout=SLOW_MS)
    expect(page.get_by_text("Submitting it decides the case.")).to_be_visible()
    page.get_by_text("Poor").click()
    page.keyboard.press("Enter")
    expect(page.locator("[data-judged-state]")).to_have_text("Decided", timeout=SLOW_MS)
    expect(page.get_by_text("Answered anew")).to_be_visible()
    standards = json.loads(fovea.run(STANDARDS.format(project=vessels.project)))
    assert standards[str(third)][:2] == ["adjudicated", "poor"]


def test_a_case_that_is_sent_back_comes_to_its_readers_with_the_words(
    page: Page, chromium: Browser, fovea: Fovea, vessels: Vessels
) -> None:
    second = vessels.numbers[1]
    opened(page, vessels, second)
    page.keyboard.press("s")
    page.get_by_label("What should they look at?").fill("Look at the small branches.")
    assert violations_in_both_themes(page) == {}
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).not_to_contain_text(f"Case {second}", timeout=SLOW_MS)
    with own_page(chromium, fovea) as reader:
        sign_in(reader, FIRST)
        reader.goto(f"/projects/{vessels.project}/read")
        reader.get_by_role("button", name="1 sent back").click()
        reader.get_by_role("button", name=f"Case {second}", exact=True).click()
        expect(reader.get_by_text("Look at the small branches.")).to_be_visible()
        reader.locator(f".stage[data-shown='{second}']").wait_for(timeout=SLOW_MS)
        reader.keyboard.press("Enter")
        expect(reader.get_by_role("button", name="1 sent back")).to_have_count(0, timeout=SLOW_MS)
