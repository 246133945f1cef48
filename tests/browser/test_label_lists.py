"""Lists of label quality in a real browser: each becomes a batch that is read again, by one click."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import SLOW_MS, own_page, sign_in
from tests.browser.serving import PASSWORD, Fovea

pytestmark = pytest.mark.browser
STAFF = "label-lists"
# Five readers. The first answers as the next three do for a month, then not any more, and has read five cases
# alone since; the second read two cases in a second; the last has read nothing.
DRIFTING = """
import json, uuid
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from annotation.projects.selectors import protocol_in_force
from annotation.projects.services import set_membership
from annotation.queue.models import Entry
from annotation.readings.models import Revision
from annotation.readings.services import Answered, add_reading, examine
from tests import factories
now, project = timezone.now(), factories.a_project("Labels to look at")
staff = User.objects.create_user({staff!r}, password={password!r})
set_membership(project=project, user=staff, role="ml_staff")
changed, *others, _fresh = [factories.a_reader(project, f"lists-{{place}}") for place in range(5)]
cases = factories.some_cases(project, 65, audit_share=0.0)
protocol = protocol_in_force(project.pk)

def read(reader, case, value, weeks, seconds=20.0):
    said = Answered({{"finding": value}}, seconds, 1, uuid.uuid4())
    examined = examine(case=case, protocol=protocol, answered=said)
    at = now - timedelta(weeks=weeks)
    add_reading(reader=reader, case=case, examined=examined, answered=said, now=at)

for place, case in enumerate(cases):
    truth = "pneumonia" if place % 2 else "normal"
    wrong = "normal" if place % 2 else "pneumonia"
    is_old = place < 30
    read(changed, case, truth if is_old else wrong, 8 - place // 10 if is_old else 3 - (place - 30) // 15)
    for number, reader in enumerate(others if place < 60 else []):
        read(reader, case, truth, 1, 1.0 if number == 0 and place in (3, 4) else 20.0)
Entry.objects.filter(project=project).update(state="done")

led = factories.a_project("Who is led")
set_membership(project=led, user=staff, role="ml_staff")
reader = factories.a_reader(led, "lists-led")
factories.a_reader(led, "lists-other")
said = {{"question": "finding", "probabilities": {{"normal": 0.9, "pneumonia": 0.1}}, "shown": ""}}
for place, case in enumerate(factories.some_cases(led, 24, audit_share=0.0)):
    is_shown = place < 12
    made = factories.a_reading(reader, case, {{"finding": "normal" if is_shown else "pneumonia"}})
    side = {{"shown": "before_answer", "withheld": ""}} if is_shown else {{"withheld": "control"}}
    Revision.objects.filter(pk=made.pk).update(suggestion=said | side)

print(json.dumps({{
    "project": str(project.pk), "led": str(led.pk),
    "alone": [one.number for one in cases[60:]], "hasty": [one.number for one in cases[3:5]],
}}))
"""
FRONT = """
import json
from annotation.queue.models import Entry
waiting = Entry.objects.filter(project={project!r}, state="waiting", batch__isnull=False)
print(json.dumps(sorted(waiting.values_list("case__number", flat=True))))
"""


@dataclass(frozen=True)
class Made:
    """Two projects, and the numbers of cases that lists name."""

    project: str
    led: str
    alone: list[int]
    hasty: list[int]


@pytest.fixture(scope="module")
def made(whole_system: Fovea) -> Made:
    return Made(**json.loads(whole_system.run(DRIFTING.format(staff=STAFF, password=PASSWORD))))


@pytest.fixture
def page(chromium: Browser, whole_system: Fovea, made: Made) -> Iterator[Page]:
    """ML staff, signed in; at the end no error and no breach of the content security policy."""
    assert made
    with own_page(chromium, whole_system) as opened:
        sign_in(opened, STAFF)
        yield opened


def at_the_front(system: Fovea, project: str) -> list[int]:
    """Numbers of the cases that wait in a query batch."""
    numbers: list[int] = json.loads(system.run(FRONT.format(project=project)))
    return numbers


def test_a_reader_who_changed_and_hasty_readings_are_read_again(
    page: Page, whole_system: Fovea, made: Made
) -> None:
    page.goto(f"{whole_system.url}/projects/{made.project}/learning")
    page.get_by_role("link", name="Label quality").click()
    page.get_by_role("button", name="Check now").click()
    drifts = page.get_by_role("region", name="Readers over time")
    expect(drifts).to_be_visible(timeout=SLOW_MS)
    assert violations_in_both_themes(page) == {}
    row = drifts.get_by_role("row").filter(has=page.get_by_role("button", name="read again"))
    expect(row).to_have_count(1)
    expect(row.get_by_text("100 % → 0 %", exact=True)).to_be_visible()
    row.get_by_text("Reader", exact=False).first.click()
    expect(row.get_by_role("columnheader", name="Week of")).to_be_visible()
    row.get_by_role("button", name="Have 5 read again", exact=True).click()
    expect(page.get_by_text("at the front of the queue until read")).to_be_visible()
    assert at_the_front(whole_system, made.project) == made.alone

    hasty = page.get_by_role("region", name="Too fast")
    for number in made.hasty:
        expect(hasty.get_by_role("link", name=f"Case {number}", exact=True)).to_be_visible()
    hasty.get_by_role("button", name="Have 2 read again", exact=True).click()
    expect(page.get_by_text("at the front of the queue until read")).to_be_visible()
    assert at_the_front(whole_system, made.project) == [*made.hasty, *made.alone]


def test_what_who_is_led_sent_as_suggested_is_read_again(page: Page, whole_system: Fovea, made: Made) -> None:
    where = f"{whole_system.url}/projects/{made.led}/learning/anchoring"
    page.goto(where)
    heading = page.get_by_role("heading", name="Sent as suggested, by readers whom suggestions lead")
    expect(heading).to_be_visible()
    assert violations_in_both_themes(page) == {}
    page.get_by_role("button", name="Have 12 read again", exact=True).click()
    expect(page.get_by_text("at the front of the queue until read")).to_be_visible()
    expect(page).to_have_url(where)
    assert len(at_the_front(whole_system, made.led)) == 12
