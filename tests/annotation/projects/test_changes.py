"""What changed between two versions of a protocol, in words; and that saving keeps what is being read."""

import json
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from annotation.projects.changes import changes_between
from annotation.projects.models import Project
from annotation.projects.protocols import ProtocolStaleError, document_of
from annotation.projects.questions import Document
from annotation.projects.selectors import document_in, protocol_in_force
from annotation.projects.services import save_protocol
from annotation.projects.templates import template_called
from annotation.queue.models import Lease
from annotation.queue.services import lease_next
from annotation.queue.submissions import save_draft
from annotation.readings.models import Draft
from annotation.readings.services import Entered
from audit.models import Event
from tests import factories

CHOICES = [{"value": "no", "label": "No"}, {"value": "yes", "label": "Yes"}]
FINDING = {"key": "finding", "prompt": "What?", "kind": "single", "choices": CHOICES}
NOTE = {"key": "note", "prompt": "Why?", "kind": "text"}
BOX = {"key": "box", "prompt": "Where?", "kind": "box", "labels": CHOICES}


def asking(*questions: dict[str, Any], **settings: Any) -> Document:
    return document_of({"questions": list(questions), "settings": settings})


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (asking(FINDING, NOTE), []),
        (asking(FINDING | {"required": True, "help": ""}, NOTE), []),
        (asking(FINDING), ["Question “note” is gone."]),
        (asking(FINDING, NOTE, BOX), ["Question “box” is new: Where?"]),
        (asking(NOTE, FINDING), ["The order is now note, finding."]),
        (
            asking(FINDING | {"prompt": "Which?"}, NOTE),
            ["Question “finding”: prompt was “What?”, is “Which?”."],
        ),
        (asking(FINDING, NOTE | {"required": False}), ["Question “note”: required was yes, is no."]),
        (
            asking(FINDING | {"choices": [CHOICES[1], CHOICES[0]]}, NOTE),
            ["Question “finding”: choices stand in another order."],
        ),
        (
            asking(FINDING | {"choices": [CHOICES[0], {"value": "maybe", "label": "?"}]}, NOTE),
            ["Question “finding”: choice “yes” is gone.", "Question “finding”: choice “maybe” is new."],
        ),
        (
            asking(FINDING | {"choices": [CHOICES[0], {"value": "yes", "label": "Ja"}]}, NOTE),
            ["Question “finding”: choice “yes”: label was “Yes”, is “Ja”."],
        ),
        (
            asking(FINDING, NOTE | {"when": {"not": {"question": "finding", "in": ["yes", "no"]}}}),
            ["Question “note”: when was nothing, is not finding is “yes” or “no”."],
        ),
        (
            asking(FINDING, NOTE, auto_advance=True, control_share=0.25, daily_goal=80),
            [
                "Going on by itself after one key was no, is yes.",
                "Share of cases without a suggestion was 0.1, is 0.25.",
                "Goal of the day was nothing, is 80.",
            ],
        ),
    ],
)
def test_changes_are_told_in_words(after: Document, told: list[str]) -> None:
    assert changes_between(asking(FINDING, NOTE), after) == told


def test_an_attribute_that_changed_is_told_with_its_question() -> None:
    before, after = (asking(BOX | {"attributes": [NOTE | {"max_length": most}]}) for most in (20, 30))
    assert changes_between(before, after) == ["Question “box”: attribute “note”: max_length was 20, is 30."]


@pytest.fixture
def project(db: None) -> Project:
    return factories.a_project()


@pytest.fixture
def admin(db: None) -> User:
    return factories.a_user(is_admin=True)


def saved(project: Project, document: Document, by: User | None, base: int = 1) -> Any:
    return save_protocol(project=project, document=document, base_version=base, now=timezone.now(), by=by)


def test_a_change_is_a_new_version_with_its_words_and_an_audit_event(project: Project, admin: User) -> None:
    made = saved(project, asking(FINDING, NOTE, auto_advance=True), admin)
    assert (made.version, made.created_by) == (2, admin)
    assert "Question “note” is new: Why?" in made.changes.splitlines()
    assert made.questions == [FINDING, NOTE]
    assert made.settings == {"auto_advance": True}
    event = Event.objects.get(action="protocol.save")
    assert (event.object_id, event.details["version"]) == (str(project.pk), 2)


def test_saving_what_is_in_force_already_makes_no_version(project: Project, admin: User) -> None:
    current = protocol_in_force(project.pk)
    assert saved(project, document_in(current), admin) == current
    assert project.protocols.count() == 1


def test_two_who_edit_one_version_do_not_overwrite_each_other(project: Project, admin: User) -> None:
    saved(project, asking(FINDING, NOTE), admin)
    with pytest.raises(ProtocolStaleError, match="version 2 was saved since you opened version 1"):
        saved(project, asking(FINDING, BOX), admin)
    assert project.protocols.count() == 2


def test_leases_and_drafts_outlive_a_new_version(project: Project, admin: User) -> None:
    factories.some_cases(project, 3)
    reader, now = factories.a_reader(project), timezone.now()
    held = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    save_draft(
        reader=reader,
        lease_id=held.lease.pk,
        case_id=held.case.pk,
        entered=Entered(1, {"finding": "normal"}, 2.0, 1),
        now=now,
    )
    saved(project, asking(FINDING, NOTE), admin)
    again = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    assert again.lease == held.lease
    assert again.protocol.version == 2
    assert again.draft is not None
    assert (again.draft.protocol_version, again.draft.answers) == (1, {"finding": "normal"})
    assert Lease.objects.filter(ended_at=None).count() == 3
    assert Draft.objects.count() == 1


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("protocol", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_shows_sets_and_sets_nothing_twice(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "protocol.json"
    file.write_text(json.dumps({"questions": [FINDING, NOTE]}))
    assert "version 2 is in force" in run(project.name, str(file))
    assert json.loads(run(project.name, "--show")) == {"questions": [FINDING, NOTE]}
    assert "nothing changed" in run(project.name, str(file))
    assert "version 3 is in force" in run(str(project.pk), "--template", "glaucoma")
    assert document_in(protocol_in_force(project.pk)) == document_of(template_called("glaucoma").document)


def test_the_command_lists_templates_and_the_schema(db: None) -> None:
    assert "lung_nodule: Lung nodule on CT." in run("--templates")
    assert json.loads(run("--schema"))["title"] == "Document"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('{"questions": [{"key": "a"}]}', 'questions.0: question "a": kind is absent'),
        ("{", "protocol.json: Expecting"),
        (None, "No such file"),
    ],
)
def test_the_command_says_what_is_wrong_with_a_file(
    project: Project, tmp_path: Path, written: str | None, message: str
) -> None:
    file = tmp_path / "protocol.json"
    if written is not None:
        file.write_text(written)
    with pytest.raises(CommandError, match=message):
        run(project.name, str(file))


@pytest.mark.parametrize("arguments", [[], ["no such project", "--show"], ["PROJECT"]])
def test_the_command_says_what_it_needs(project: Project, arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"name a project|there is no project|give one of them"):
        run(*[project.name if one == "PROJECT" else one for one in arguments])


def test_a_project_is_imported_with_a_template(db: None, tmp_path: Path) -> None:
    name = f"eyes-{uuid4().hex[:6]}"
    with pytest.raises(CommandError):  # there is nothing to import, but the project is made
        call_command("import", str(tmp_path), "--project", name, "--template", "amd")
    assert protocol_in_force(Project.objects.get(name=name).pk).questions[0]["key"] == "category"
