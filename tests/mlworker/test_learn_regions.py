"""The job that learns what readers draw, on stored images and readings."""

from typing import Any

import pytest
from django.utils import timezone

from annotation.learning import drawn
from annotation.learning.drawn_models import PixelHead, RegionSuggestion
from annotation.learning.files import content_of
from annotation.learning.services import request_retrain
from annotation.projects.models import Case, Project
from annotation.projects.selectors import protocol_in_force
from annotation.queue.models import Entry, Lease
from annotation.queue.services import give_back, lease_next
from annotation.readings.agreement.drawn import masks_agree, regions_agree
from annotation.readings.models import Reading
from jobs.models import Job
from mlworker.regions.artefact import unpacked
from mlworker.runtime import run
from tests.disks import BOXED, PAINTED, a_disk_project, answer_to, read_some
from tests.factories import a_reader, an_untested

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do the job here: a process of its own would not see this test's database."""
    monkeypatch.setattr("mlworker.runtime.run_spawned", here)


def here(claim: Any, stale: Any) -> None:
    from mlworker.registry import lookup
    from mlworker.runtime import Work, perform

    perform(lookup(claim.name), Work(claim, stale=stale))


def stage(question: dict[str, Any], *, read: int = 5) -> tuple[Project, Job | None]:
    """A project of ten phantoms of which some are read, and the job that was asked for."""
    project, _ = a_disk_project(question, 10)
    reader = a_reader(project)
    read_some(question, project, reader, read, timezone.now())
    for lease in Lease.objects.filter(reader=reader, ended_at=None):
        give_back(reader=reader, lease_id=lease.pk, now=timezone.now())
    return project, drawn.ask_regions(project_id=project.pk)


@pytest.mark.parametrize("question", [PAINTED, BOXED], ids=["mask", "boxes"])
def test_readings_teach_what_is_proposed_for_the_next_cases(question: dict[str, Any]) -> None:
    project, job = stage(question)
    assert job is not None
    run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == ("done", "")
    head = PixelHead.objects.get()
    assert (head.number, head.kind, head.case_count, head.quality["images"]) == (1, question["kind"], 5, 5)
    unread = Case.objects.filter(project=project, entry__state=Entry.State.WAITING)
    assert unread.count() == RegionSuggestion.objects.count() == 5
    agree = masks_agree if question is PAINTED else regions_agree
    for row in RegionSuggestion.objects.select_related("case"):
        assert agree(row.answer, answer_to(question, row.case)) > 0.85
        assert 0.5 < row.score <= 1.0
    restored = unpacked(content_of(head.artefact_name, digest=head.artefact_digest))
    assert restored.threshold == head.quality["threshold"]


def test_what_is_proposed_is_a_valid_answer_of_the_protocol() -> None:
    project, job = stage(BOXED)
    assert job is not None
    run(job.pk)
    from annotation.projects.answers import problems_in
    from annotation.projects.questions import questions_of

    questions = questions_of(project.protocols.get().questions)
    for row in RegionSuggestion.objects.all():
        assert problems_in(questions, {"disks": row.answer}) == []
        assert {one["origin"] for one in row.answer} == {"suggestion"}


def test_the_job_done_twice_leaves_the_same_rows() -> None:
    _, job = stage(PAINTED)
    assert job is not None
    run(job.pk)
    before = list(RegionSuggestion.objects.order_by("pk").values())
    Job.objects.filter(pk=job.pk).update(state="queued", lease_until=None)
    run(job.pk)
    assert list(RegionSuggestion.objects.order_by("pk").values()) == before
    assert PixelHead.objects.count() == 1


def test_two_readings_are_too_few_to_ask_for() -> None:
    _, job = stage(PAINTED, read=2)
    assert job is None


def test_retraining_by_hand_learns_what_readers_drew_too() -> None:
    project, _ = stage(PAINTED)
    Job.objects.all().delete()
    assert request_retrain(project=project).name == "refit"
    assert set(Job.objects.values_list("name", flat=True)) == {"refit", "learn_regions"}


def test_a_newer_head_replaces_what_is_not_being_read_and_leaves_what_is() -> None:
    project, job = stage(BOXED)
    assert job is not None
    run(job.pk)
    held = lease_next(reader=a_reader(project), project_id=project.pk, now=timezone.now()).cases
    again = drawn.ask_regions(project_id=project.pk)
    assert again is not None
    run(again.pk)
    assert PixelHead.objects.count() == 2
    kept = set(RegionSuggestion.objects.filter(head__number=1).values_list("case", flat=True))
    assert kept == {one.case.pk for one in held}


def test_suggestions_are_erased_with_their_case() -> None:
    project, job = stage(BOXED)
    assert job is not None
    run(job.pk)
    case = RegionSuggestion.objects.latest("pk").case
    case.delete()
    assert not RegionSuggestion.objects.filter(case=case.pk).exists()
    assert PixelHead.objects.filter(project=project).count() == 1


def test_readers_who_do_not_count_yet_teach_no_head() -> None:
    project, _ = stage(BOXED, read=2)
    newcomer = a_reader(project)
    read_some(BOXED, project, newcomer, 2, timezone.now())
    assert drawn.is_learnable(project.pk)
    an_untested(newcomer, project)
    assert not drawn.is_learnable(project.pk)
    (question,) = drawn.drawn_questions(protocol_in_force(project.pk))
    taught = {one.case.pk for one in drawn.drawings(project.pk, question)}
    assert taught == set(Reading.objects.exclude(reader=newcomer).values_list("case", flat=True))
