"""What tests of the consoles share: a project of chest X-rays, its staff, labels, and a watched page."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.serving import PASSWORD, Fovea

ANSWER_MS, SLOW_MS = 20_000, 120_000
NEW_PROJECT = """
from django.utils import timezone
from accounts.models import User
from annotation.learning.services import set_policy
from annotation.projects.services import create_project, set_membership
choices = [("no_finding", "No finding"), ("pneumonia", "Pneumonia"), ("covid19", "Covid-19")]
made = create_project(name={name!r}, choices=choices, prompt="What does it show?", now=timezone.now())
known = User.objects.filter(username={staff!r}).first()
staff = known or User.objects.create_user({staff!r}, password={password!r})
set_membership(project=made, user=staff, role="ml_staff")
set_policy(project=made, by=None, **{policy!r})
print(made.pk)
"""
ADMINISTRATOR = """
from accounts.models import User
made = User.objects.create_user({name!r}, password={password!r}, is_admin=True)
"""
IMPORT_AND_READ = """
import uuid
from pathlib import Path
from django.core.management import call_command
from django.utils import timezone
from accounts.models import User
from annotation.projects.models import Project
from annotation.projects.selectors import question_learned
from annotation.projects.services import set_membership
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.services import Answered
from mlworker.simulation.truth import answers_of, table_of
call_command("import", {source!r}, project={name!r}, modality="DX")
project = Project.objects.get(name={name!r})
reader = User.objects.create_user({reader!r}, password={password!r})
set_membership(project=project, user=reader, role="reader")
question = question_learned(project.pk)
truth = answers_of(project, table_of(Path({source!r}) / "labels.csv", question))
work = lease_next(reader=reader, project_id=project.pk, now=timezone.now())
while work.cases:
    held = work.cases[0]
    answered = Answered({{question.key: truth[held.case.pk]}}, 1.0, 1, uuid.uuid4())
    work = submit(
        reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, answered=answered, now=timezone.now()
    ).workload
"""


def an_administrator(fovea: Fovea, name: str) -> str:
    """Make somebody who administers; gives the name."""
    fovea.run(ADMINISTRATOR.format(name=name, password=PASSWORD))
    return name


def new_project(system: Fovea, name: str, staff: str, **policy: object) -> str:
    """Make a project that asks of chest X-rays, and its ML staff; returns the project's id."""
    return system.run(NEW_PROJECT.format(name=name, staff=staff, password=PASSWORD, policy=policy))


def import_and_read(system: Fovea, name: str, source: Path, reader: str) -> None:
    """Import a delivery into a project; a new reader answers every case as the delivery's table does."""
    system.run(IMPORT_AND_READ.format(name=name, source=str(source), reader=reader, password=PASSWORD))


@contextmanager
def watched_page(context: BrowserContext) -> Iterator[Page]:
    """Open a page; at the end no error and no breach of the content security policy."""
    page, errors = context.new_page(), list[str]()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: errors.append(line.text) if "Content Security" in line.text else None)
    yield page
    assert errors == []


@contextmanager
def own_page(chromium: Browser, system: Fovea) -> Iterator[Page]:
    """Open a watched page in a profile of its own."""
    with (
        chromium.new_context(viewport={"width": 1280, "height": 800}, base_url=system.url) as context,
        watched_page(context) as page,
    ):
        yield page


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    """Sign in by keyboard alone: the name has the focus already."""
    page.goto("/sign-in")
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    with page.expect_navigation():
        page.keyboard.press("Enter")
