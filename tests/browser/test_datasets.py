"""A project's data, organised in a real browser on the whole running system: real brain MRI."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations_in_both_themes
from tests.browser.consoles import SLOW_MS, an_administrator, own_page, sign_in
from tests.browser.reading import new_context, open_room, prepare
from tests.browser.serving import PASSWORD, Fovea
from tests.real import contradicting_delivery

pytestmark = pytest.mark.browser
PROJECT, STAFF, SLOW_SECONDS = "Brain MRI", "data-staff", 240
LABELLED = """
from pathlib import Path
from django.utils import timezone
from accounts.models import User
from annotation.projects.models import Project
from annotation.projects.selectors import question_learned
from annotation.projects.services import set_membership
from annotation.queue.models import Entry
from annotation.readings.models import ReferenceStandard
from mlworker.simulation.truth import answers_of, table_of
project = Project.objects.get(name={project!r})
staff = User.objects.create_user({staff!r}, password={password!r})
set_membership(project=project, user=staff, role="ml_staff")
question = question_learned(project.pk)
truth = answers_of(project, table_of(Path({source!r}) / "labels.csv", question))
now = timezone.now()
ReferenceStandard.objects.bulk_create(
    ReferenceStandard(case_id=case, answers={{question.key: said}}, readings=1, updated_at=now)
    for case, said in truth.items()
)
Entry.objects.filter(project=project, case__stream="pool").update(state="done")
"""
ENCODED = "from jobs.models import Job", 'Job.objects.filter(name="embed", state="done").exists()'


@pytest.fixture(scope="module")
def project_id(whole_system: Fovea, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Import brain MRI with its labels, two groups of which contradict; wait until it is encoded."""
    assert real_data
    delivery = contradicting_delivery(tmp_path_factory.mktemp("brain"), every=40)
    made = prepare(whole_system, delivery, PROJECT, ["data-reader"], modality="MR")
    filled = {"project": PROJECT, "staff": STAFF, "source": str(delivery), "password": PASSWORD}
    whole_system.run(LABELLED.format(**filled))
    whole_system.wait_for(*ENCODED, seconds=SLOW_SECONDS)
    return made


@pytest.fixture
def page(chromium: Browser, whole_system: Fovea) -> Iterator[Page]:
    """ML staff, signed in; at the end no error and no breach of the content security policy."""
    with own_page(chromium, whole_system) as opened:
        sign_in(opened, STAFF)
        yield opened


def can_be_used_by_everybody(page: Page, state: str) -> None:
    """No rule of axe is broken in either theme."""
    assert violations_in_both_themes(page) == {}, state


def test_cases_are_filtered_and_paged_by_keyboard_and_the_address_says_so(
    page: Page, project_id: str
) -> None:
    page.goto(f"/projects/{project_id}/data")
    expect(page.get_by_role("heading", name="Data", exact=True)).to_be_visible()
    can_be_used_by_everybody(page, "cases")
    everything = page.locator(".data-count").inner_text()
    page.get_by_label("Class", exact=True).focus()
    page.keyboard.type("Glioma")
    page.keyboard.press("Tab")
    page.get_by_label("Status", exact=True).select_option("done")
    page.get_by_role("button", name="Filter").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**label=glioma*")
    assert "status=done" in page.url
    assert page.locator(".data-count").inner_text() != everything
    assert set(page.locator(".data-table tbody tr td:nth-child(5)").all_inner_texts()) == {"Glioma"}
    picture = page.locator(".data-table img").first
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 20
    page.get_by_role("link", name="All cases").click()
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**after=60")
    page.get_by_role("link", name="Previous").click()
    expect(page.locator(".data-table tbody tr")).to_have_count(60)
    page.goto(f"/projects/{project_id}/data?label=glioma&part=test")
    expect(page.get_by_role("heading", name="No case fits")).to_be_visible()


def test_a_study_shows_its_series_and_de_identified_tags_and_leads_to_the_case(
    page: Page, project_id: str
) -> None:
    page.goto(f"/projects/{project_id}/data")
    page.get_by_role("link", name="Study of case 1", exact=True).click()
    expect(page.get_by_role("heading", name="Study", exact=True)).to_be_visible()
    page.locator("summary").click()
    expect(page.get_by_role("row", name="Patient Identity Removed")).to_contain_text("YES")
    expect(page.get_by_role("row", name="(0010,0020)")).to_be_visible()
    can_be_used_by_everybody(page, "study")
    page.get_by_role("link", name="Open case 1", exact=True).click()
    expect(page.get_by_role("heading", name="Case 1", exact=True)).to_be_visible()


def test_both_contradictions_are_found_and_read_again_by_another_reader(
    page: Page, chromium: Browser, whole_system: Fovea, project_id: str
) -> None:
    page.goto(f"/projects/{project_id}/data/duplicates")
    expect(page.get_by_role("heading", name="Nobody has looked yet")).to_be_visible()
    page.get_by_role("button", name="Find near-duplicates").click()
    link = page.get_by_role("link", name="Contradicting labels, 2")
    expect(link).to_be_visible(timeout=SLOW_MS)
    link.click()
    expect(page.locator(".duplicates")).to_have_count(2)
    assert page.locator(".duplicates strong").all_inner_texts().count("Glioma") == 2
    can_be_used_by_everybody(page, "near-duplicates")
    page.get_by_role("button", name="Have them read again").first.click()
    expect(page.get_by_role("status").first).to_contain_text("at the front of the queue")
    room = open_room(new_context(chromium), whole_system, project_id, "data-reader")
    room.enter()
    room.wait_for(f"{STAFF} asked for this case: Read by a colleague too: please read it on your own")
    room.leave()


def test_patients_are_divided_and_the_parts_lead_to_their_cases(page: Page, project_id: str) -> None:
    page.goto(f"/projects/{project_id}/data/split")
    expect(page.get_by_role("heading", name="No split yet")).to_be_visible()
    can_be_used_by_everybody(page, "no split")
    page.get_by_label("Test, % of the patients").fill("95")
    page.get_by_role("button", name="Divide the patients").click()
    expect(page.get_by_text("Ensure this value is less than or equal to 90")).to_be_visible()
    page.get_by_label("Test, % of the patients").fill("20")
    page.get_by_role("button", name="Divide the patients").click()
    expect(page.get_by_text("placed", exact=False).first).to_be_visible()
    row = page.get_by_role("row", name="Test")
    expect(row.locator("td").nth(1)).not_to_have_text("0", timeout=SLOW_MS)
    can_be_used_by_everybody(page, "split")
    cases = row.locator("td").nth(3).inner_text()
    row.get_by_role("link").click()
    page.wait_for_url("**part=test")
    expect(page.locator(".data-count")).to_have_text(f"{cases} cases")


def test_coverage_marks_gaps_and_an_administrator_names_the_site(
    chromium: Browser, whole_system: Fovea, project_id: str
) -> None:
    with own_page(chromium, whole_system) as page:
        sign_in(page, an_administrator(whole_system, "data-admin"))
        page.goto(f"/projects/{project_id}/data/coverage")
        can_be_used_by_everybody(page, "coverage")
        page.get_by_label("Site of the delivery").fill("Teaching hospital")
        page.get_by_role("button", name="Name it").click()
        expect(page.locator(".coverage tbody tr")).to_contain_text("Teaching hospital")
        with page.expect_download() as fetched:
            page.get_by_role("link", name="Download as CSV").click()
        assert "Teaching hospital" in fetched.value.path().read_text()
        page.get_by_role("link", name="Device not told").click()
        expect(page.locator(".data-table tbody tr")).to_have_count(60)


def test_readers_do_not_see_the_data_pages(chromium: Browser, whole_system: Fovea, project_id: str) -> None:
    with own_page(chromium, whole_system) as page:
        sign_in(page, "data-reader")
        expect(page.get_by_role("link", name="Data", exact=True)).to_have_count(0)
        for place in ("", "/split", "/duplicates", "/coverage"):
            answer = page.goto(f"/projects/{project_id}/data{place}")
            assert answer is not None
            assert answer.status == 403
