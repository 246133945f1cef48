"""Several readers in a real browser: agreement is measured, and disputed and doubted cases are read again."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import SLOW_MS, own_page, sign_in
from tests.browser.serving import PASSWORD, Fovea

pytestmark = pytest.mark.browser
STAFF = "several-readers"
READ = """
import json, uuid
from django.utils import timezone
from accounts.models import User
from annotation.projects.selectors import protocol_in_force
from annotation.projects.services import set_membership
from annotation.queue.models import Entry
from annotation.readings.services import Answered, add_reading, examine
from tests import factories
now, project = timezone.now(), factories.a_project("Second opinions")
staff = User.objects.create_user({staff!r}, password={password!r})
set_membership(project=project, user=staff, role="ml_staff")
readers = [factories.a_reader(project, f"opinion-{{place}}") for place in range(3)]
cases = factories.some_cases(project, 12, audit_share=0.0)
protocol = protocol_in_force(project.pk)
for place, case in enumerate(cases):
    for number, reader in enumerate(readers[:2]):
        value = "pneumonia" if place % 2 and not (number and place > 8) else "normal"
        said = Answered({{"finding": value}}, 5.0, 1, uuid.uuid4())
        examined = examine(case=case, protocol=protocol, answered=said)
        add_reading(reader=reader, case=case, examined=examined, answered=said, now=now)
Entry.objects.filter(project=project).update(state="done")
print(json.dumps([str(project.pk), [case.number for case in cases if case.number % 2 == 0][-2:]]))
"""


@pytest.fixture(scope="module")
def read_twice(whole_system: Fovea) -> tuple[str, list[int]]:
    """A project of which two readers have read every case, and the cases on which they differ."""
    project, disputed = json.loads(whole_system.run(READ.format(staff=STAFF, password=PASSWORD)))
    return project, disputed


@pytest.fixture
def page(chromium: Browser, whole_system: Fovea, read_twice: tuple[str, list[int]]) -> Iterator[Page]:
    """ML staff, signed in; at the end no error and no breach of the content security policy."""
    assert read_twice
    with own_page(chromium, whole_system) as opened:
        sign_in(opened, STAFF)
        yield opened


def test_agreement_is_measured_and_disputed_cases_are_read_again(
    page: Page, whole_system: Fovea, read_twice: tuple[str, list[int]]
) -> None:
    project, disputed = read_twice
    page.goto(f"{whole_system.url}/projects/{project}/learning")
    page.get_by_role("link", name="Agreement").click()
    expect(page.get_by_role("heading", name="Nobody has measured yet")).to_be_visible()
    page.get_by_role("button", name="Measure now").click()
    expect(page.get_by_role("heading", name="Between readers")).to_be_visible(timeout=SLOW_MS)
    assert violations_in_both_themes(page) == {}
    row = page.get_by_role("row").filter(has=page.get_by_role("button", name="read again"))
    for number in disputed:
        expect(row.get_by_role("link", name=str(number), exact=True)).to_be_visible()
    row.get_by_role("button", name="read again").click()
    expect(page.get_by_text("at the front of the queue until read")).to_be_visible()


def test_labels_are_checked(page: Page, whole_system: Fovea, read_twice: tuple[str, list[int]]) -> None:
    page.goto(f"{whole_system.url}/projects/{read_twice[0]}/learning/labels")
    page.get_by_role("button", name="Check now").click()
    expect(page.get_by_role("heading", name="Likely wrong")).to_be_visible(timeout=SLOW_MS)
    assert violations_in_both_themes(page) == {}
