"""The agreement of readers as a job: what is kept of it, and what it does to reference standards."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from accounts.models import User
from annotation.learning.duplicate_models import Duplicate, DuplicateSearch
from annotation.projects.masks import written
from annotation.projects.models import Case, Project, Protocol
from annotation.projects.selectors import protocol_in_force
from annotation.queue.agreement import ask_agreement, ask_where_weighed
from annotation.queue.models import Lease, Pick
from annotation.readings.models import Agreement, ReferenceStandard, Revision
from annotation.readings.repeat_models import Repeat, RepeatRevision
from annotation.readings.services import Answered, add_reading, examine
from jobs.models import Job, State
from mlworker.runtime import run
from tests.factories import a_project, a_reader, an_untested, some_cases
from tests.mlworker.stages import an_encoder

pytestmark = [pytest.mark.django_db]
CHOICES = [{"value": value, "label": value.capitalize()} for value in ("normal", "pneumonia")]
GRADES = [{"value": str(value), "label": f"Grade {value}"} for value in range(3)]
QUESTIONS: list[dict[str, Any]] = [
    {"key": "finding", "prompt": "What?", "kind": "single", "choices": CHOICES},
    {"key": "size", "prompt": "How large?", "kind": "number", "unit": "mm", "required": False},
    {"key": "grade", "prompt": "Grade?", "kind": "ordinal", "required": False, "choices": GRADES},
    {"key": "signs", "prompt": "Signs?", "kind": "multi", "required": False, "choices": GRADES},
    {"key": "lesions", "prompt": "Where?", "kind": "box", "required": False, "labels": CHOICES},
    {"key": "lung", "prompt": "Draw it", "kind": "segmentation", "required": False, "classes": CHOICES[:1]},
]


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def a_stage(count: int = 12, **settings: Any) -> tuple[Project, list[Case], list[User]]:
    """Cases of which each has two readers."""
    project = a_project()
    Protocol.objects.filter(project=project).update(questions=QUESTIONS, settings=settings)
    cases = some_cases(project, count)
    return project, cases, [a_reader(project) for _ in range(2)]


def read(case: Case, reader: User, now: datetime, **answers: Any) -> None:
    protocol = protocol_in_force(case.project_id)
    said = Answered(answers, 2.0, protocol.version, uuid.uuid4())
    examined = examine(case=case, protocol=protocol, answered=said)
    assert not examined.problems
    add_reading(reader=reader, case=case, examined=examined, answered=said, now=now)


def done(project: Project) -> dict[str, Any]:
    """What the job found; it runs twice and leaves the same."""
    job = ask_agreement(project.pk)
    run(job.pk)
    kept = Agreement.objects.filter(project=project).values().get()
    Job.objects.filter(pk=job.pk).update(state=State.QUEUED)
    run(job.pk)
    assert Agreement.objects.filter(project=project).values().get() == kept
    return dict(kept)


def box(case: Case, left: float) -> dict[str, Any]:
    image = case.series.instances.get().sop_instance_uid
    points = [[left, 0.0], [left + 4.0, 4.0]]
    return {"id": str(uuid.uuid4()), "label": "normal", "image": image, "points": points}


def mask(case: Case, columns: slice) -> dict[str, Any]:
    instance = case.series.instances.get()
    drawn = np.zeros((1, instance.attributes["Rows"], instance.attributes["Columns"]), dtype=bool)
    drawn[0, 2:6, columns] = True
    return written(drawn.shape, [instance.sop_instance_uid], {"normal": drawn})


def answers_of(values: Sequence[str]) -> list[dict[str, str]]:
    return [{"finding": value} for value in values]


def test_choices_and_numbers_of_two_readers_are_compared(now: datetime) -> None:
    project, cases, readers = a_stage()
    for place, case in enumerate(cases):
        truth = "pneumonia" if place % 2 else "normal"
        other = "normal" if place in (1, 3) else truth
        read(case, readers[0], now, finding=truth, size=10.0 + place)
        read(case, readers[1], now, finding=other, size=11.0 + place)
    kept = done(project)
    found = kept["figures"]["finding"]
    assert (kept["readings"], found["cases"]) == (24, 12)
    (pair,) = found["pairs"]
    assert {pair["one"], pair["other"]} == {str(one.pk) for one in readers}
    assert pair["share"]["value"] == pytest.approx(10 / 12)
    assert pair["kappa"]["value"] == pytest.approx(2 / 3)
    (confused,) = found["confusions"]
    assert (confused["one"], confused["other"]) == ("Normal", "Pneumonia")
    assert confused["cases"] == [cases[1].number, cases[3].number]
    assert [one["name"] for one in found["classes"]] == ["Normal", "Pneumonia"]
    sizes = kept["figures"]["size"]["pairs"][0]
    assert abs(sizes["bias"]["value"]) == pytest.approx(1.0)
    assert sizes["lower"]["value"] == pytest.approx(sizes["upper"]["value"])


def test_grades_that_are_written_as_numbers_stay_choices(now: datetime) -> None:
    project, cases, readers = a_stage(4)
    for place, case in enumerate(cases):
        grade = str(place % 3)
        read(case, readers[0], now, finding="normal", grade=grade, signs=["0", "1"])
        read(case, readers[1], now, finding="normal", grade=grade, **({"signs": ["0"]} if place else {}))
    figures = done(project)["figures"]
    assert figures["grade"]["pairs"][0]["quadratic"]["value"] == 1.0
    told = [(one["one"], one["other"], one["count"]) for one in figures["signs"]["confusions"]]
    assert told == [("Grade 0, Grade 1", "Grade 0", 3), ("Grade 0, Grade 1", "None of them", 1)]


@pytest.mark.parametrize("decides", ["finding", "lesions", "marks"])
def test_none_of_several_was_chosen_only_where_it_was_asked(decides: str, now: datetime) -> None:
    """Asked on the second case alone; the third one's first reader read before the question was there."""
    project, cases, readers = a_stage(3)
    marks = {"key": "marks", "prompt": "Marks?", "kind": "multi", "required": False, "choices": CHOICES}
    first = protocol_in_force(project.pk)
    read(cases[2], readers[0], now, finding="pneumonia")
    asks = {
        "finding": {"question": "finding", "is": "pneumonia"},
        "lesions": {"question": "lesions", "answered": True},
        "marks": {"not": {"question": "marks", "in": ["normal"]}},
    }[decides]
    late = {"key": "late", "prompt": "Which?", "kind": "multi", "required": False, "choices": CHOICES}
    questions = [*QUESTIONS, marks, late | {"when": asks}]
    Protocol.objects.create(
        project=project, version=first.version + 1, questions=questions, settings={}, created_at=now
    )
    for place, case in enumerate(cases):
        more = {"lesions": [box(case, 1.0)]} if place else {"marks": ["normal"]}
        finding = "pneumonia" if place else "normal"
        read(case, readers[1], now, finding=finding, **more)
        if place < 2:
            read(case, readers[0], now, finding=finding, **more, **({"late": ["normal"]} if place else {}))
    found = done(project)["figures"]["late"]
    assert found["cases"] == 1
    (confused,) = found["confusions"]
    assert {confused["one"], confused["other"]} == {"Normal", "None of them"}
    assert confused["cases"] == [cases[1].number]


def test_a_question_that_took_one_choice_before_is_compared_where_it_takes_several(now: datetime) -> None:
    project, cases, readers = a_stage(2)
    first = protocol_in_force(project.pk)
    old = [{**one, "kind": "single"} if one["key"] == "signs" else one for one in QUESTIONS]
    Protocol.objects.filter(pk=first.pk).update(questions=old)
    read(cases[0], readers[0], now, finding="normal", signs="1")
    Protocol.objects.create(
        project=project, version=first.version + 1, questions=QUESTIONS, settings={}, created_at=now
    )
    read(cases[0], readers[1], now, finding="normal", signs=["1"])
    for reader in readers:
        read(cases[1], reader, now, finding="normal", signs=["2"])
    assert done(project)["figures"]["signs"]["cases"] == 1


def test_drawings_of_two_readers_are_compared(now: datetime) -> None:
    project, cases, readers = a_stage(3)
    for place, case in enumerate(cases):
        read(case, readers[0], now, finding="normal", lesions=[box(case, 1.0)], lung=mask(case, slice(2, 6)))
        other = [] if place else [box(case, 1.0)]
        read(
            case,
            readers[1],
            now,
            finding="normal",
            lesions=other,
            lung=mask(case, slice(2, 6 - 2 * (place == 0))),
        )
    figures = done(project)["figures"]
    assert figures["lesions"]["overall"]["value"] == pytest.approx(2 / 4)
    assert [number for number, _ in figures["lesions"]["worst"]] == [cases[1].number, cases[2].number]
    assert figures["lung"]["overall"]["value"] == pytest.approx((2 * 8 / 24 + 1 + 1) / 3)
    assert figures["lung"]["worst"][0][0] == cases[0].number
    assert figures["lung"]["pairs"][0]["mean_mm"]["value"] > 0


def test_the_model_is_compared_where_nobody_saw_what_it_thought(now: datetime) -> None:
    project, cases, readers = a_stage(4)
    Case.objects.filter(pk__in=[one.pk for one in cases]).update(stream=Case.Stream.AUDIT)
    for place, case in enumerate(cases):
        read(case, readers[0], now, finding="normal" if place < 2 else "pneumonia")
        lease = Lease.objects.create(
            case=case,
            project=project,
            reader=readers[0],
            position=place,
            created_at=now,
            expires_at=now,
            ended_at=now,
            ending=Lease.Ending.SUBMITTED,
        )
        thought = {"normal": 0.9, "pneumonia": 0.1} if place != 3 else {"normal": 0.6, "pneumonia": 0.4}
        thought = thought if place != 2 else {"normal": 0.2, "pneumonia": 0.8}
        Pick.objects.create(lease=lease, stream="audit", reason="audit", rank=0, probabilities=thought)
    (row,) = done(project)["figures"]["finding"]["model"]
    assert (row["one"], row["share"]["value"], row["share"]["cases"]) == (str(readers[0].pk), 0.75, 4)


def test_what_one_reader_says_of_two_copies_of_an_image_is_compared(now: datetime) -> None:
    project, cases, readers = a_stage(4)
    search = DuplicateSearch.objects.create(
        project=project,
        encoder=an_encoder(project),
        likeness=0.99,
        searched=4,
        group_count=2,
        seconds=0.1,
        job_id=uuid.uuid4(),
        created_at=now,
    )
    for place, case in enumerate(cases):
        Duplicate.objects.create(search=search, group=1 + place // 2, case=case, likeness=1.0)
        read(case, readers[0], now, finding="normal" if place < 3 else "pneumonia")
    (row,) = done(project)["figures"]["finding"]["repeats"]
    assert (row["one"], row["share"]["value"], row["share"]["cases"]) == (str(readers[0].pk), 0.5, 2)


def test_what_one_reader_says_of_one_case_twice_is_compared(now: datetime) -> None:
    project, cases, readers = a_stage(4)
    for place, case in enumerate(cases):
        read(case, readers[0], now, finding="normal", size=10.0)
        repeat = Repeat.objects.create(case=case, project=project, reader=readers[0], due_at=now, done_at=now)
        for number, value in enumerate(("pneumonia", "normal" if place < 3 else "pneumonia"), start=1):
            RepeatRevision.objects.create(
                repeat=repeat,
                reader=readers[0],
                number=number,
                protocol=protocol_in_force(project.pk),
                answers={"finding": value, "size": 11.0},
                seconds=1.0,
                idempotency_key=uuid.uuid4(),
                created_at=now,
            )
    figures = done(project)["figures"]
    (row,) = figures["finding"]["repeats"]
    assert (row["one"], row["share"]["value"], row["share"]["cases"]) == (str(readers[0].pk), 0.75, 4)
    (sizes,) = figures["size"]["repeats"]
    assert abs(sizes["bias"]["value"]) == pytest.approx(1.0)
    assert figures["finding"]["pairs"] == []


def read_again(case: Case, reader: User, now: datetime, **answers: Any) -> None:
    """What a reader says of a case that is given again, and changes at once."""
    repeat = Repeat.objects.create(
        case=case, project_id=case.project_id, reader=reader, due_at=now, done_at=now
    )
    for number, said in enumerate(({"finding": "normal"}, {"finding": "normal", **answers}), start=1):
        RepeatRevision.objects.create(
            repeat=repeat,
            reader=reader,
            number=number,
            protocol=protocol_in_force(case.project_id),
            answers=said,
            seconds=1.0,
            idempotency_key=uuid.uuid4(),
            created_at=now,
        )


def test_what_one_reader_draws_on_one_case_twice_is_compared(now: datetime) -> None:
    """The mask is half as wide on the first case; one box is missing there, and one is new on the second."""
    project, cases, readers = a_stage(3)
    for place, case in enumerate(cases):
        lesions = [box(case, 1.0), box(case, 20.0)]
        read(case, readers[0], now, finding="normal", lesions=lesions, lung=mask(case, slice(2, 6)))
        drawn = [lesions[:1], [*lesions, box(case, 40.0)], lesions][place]
        read_again(case, readers[0], now, lesions=drawn, lung=mask(case, slice(2, 6 - 2 * (place == 0))))
    figures = done(project)["figures"]
    (lung,) = figures["lung"]["repeats"]
    assert (lung["one"], "other" in lung, lung["dice"]["cases"]) == (str(readers[0].pk), False, 3)
    assert lung["dice"]["value"] == pytest.approx((2 * 8 / 24 + 1 + 1) / 3)
    assert lung["dice"]["low"] < lung["dice"]["value"] < lung["dice"]["high"]
    assert 0 < lung["mean_mm"]["value"] < lung["hausdorff_mm"]["value"]
    assert figures["lung"]["unit"] == "px"
    (lesions,) = figures["lesions"]["repeats"]
    assert lesions["f1"]["value"] == pytest.approx(2 * 5 / (2 * 5 + 1 + 1))
    assert lesions["f1"]["low"] < lesions["f1"]["value"]
    assert [lesions[side]["value"] for side in ("only_one", "only_other")] == [pytest.approx(1 / 3)] * 2
    assert figures["lung"]["pairs"] == figures["lesions"]["pairs"] == []
    assert figures["lung"]["cases"] == figures["lesions"]["cases"] == 0


def test_what_was_not_asked_again_is_not_compared(now: datetime) -> None:
    """The mask was asked for only when the case came again."""
    project, cases, readers = a_stage(2)
    first = protocol_in_force(project.pk)
    Protocol.objects.filter(pk=first.pk).update(questions=QUESTIONS[:-1])
    read(cases[0], readers[0], now, finding="normal")
    Protocol.objects.create(
        project=project, version=first.version + 1, questions=QUESTIONS, settings={}, created_at=now
    )
    read(cases[1], readers[0], now, finding="normal")
    for case in cases:
        read_again(case, readers[0], now, lung=mask(case, slice(2, 6)))
    (lung,) = done(project)["figures"]["lung"]["repeats"]
    assert (lung["dice"]["cases"], lung["dice"]["value"]) == (1, 0.0)


def test_the_model_s_regions_are_compared_where_nobody_saw_them(now: datetime) -> None:
    project, cases, readers = a_stage(2)
    for case in cases:
        proposed = [box(case, 0.0), box(case, 2.0)]
        scores = {proposed[0]["id"]: 0.9, proposed[1]["id"]: 0.1}
        read(case, readers[0], now, finding="normal", lesions=[box(case, 0.0)])
        kept = {"suggested": proposed, "scores": scores, "shown": "" if case == cases[0] else "before_answer"}
        Revision.objects.filter(reading__case=case).update(suggestion={"drawn": {"lesions": kept}})
        read(case, readers[1], now, finding="normal", lesions=[box(case, 1.0)])
    found = done(project)["figures"]["lesions"]
    assert [one["at"] for one in found["froc"]] == [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0]
    assert {one["sensitivity"]["value"] for one in found["froc"]} == {1.0}
    assert found["froc"][0]["sensitivity"]["cases"] == 1
    (row,) = found["model"]
    assert (row["one"], "other" in row, row["f1"]["cases"]) == (str(readers[0].pk), False, 1)
    assert (row["f1"]["value"], row["only_one"]["value"], row["only_other"]["value"]) == (2 / 3, 0.0, 1.0)
    by_overlap = {one["at"]: one["f1"]["value"] for one in found["matching"]}
    assert (by_overlap[0.5], by_overlap[0.6], by_overlap[0.7]) == (1.0, 1.0, 0.0)


def test_the_model_s_masks_are_compared_where_nobody_saw_them(now: datetime) -> None:
    project, cases, readers = a_stage(3)
    for place, case in enumerate(cases):
        proposed = mask(case, slice(2, 4)) if place else None
        read(case, readers[0], now, finding="normal", lung=mask(case, slice(2, 6)))
        kept = {"suggested": proposed, "scores": {}, "shown": "before_answer" if place == 2 else ""}
        Revision.objects.filter(reading__case=case).update(suggestion={"drawn": {"lung": kept}})
    found = done(project)["figures"]["lung"]
    (row,) = found["model"]
    assert (row["one"], row["dice"]["cases"]) == (str(readers[0].pk), 2)
    assert row["dice"]["value"] == pytest.approx((0 + 2 * 8 / 24) / 2)
    assert (row["mean_mm"]["cases"], found["cases"]) == (1, 0)


def test_readers_are_weighed_and_their_cases_fused_anew(now: datetime) -> None:
    """Two of five readers guess; a case on which they outvote nobody else changes."""
    project, cases, readers = a_stage(60, fusion="dawid_skene")
    readers = [*readers, a_reader(project)]
    random = np.random.default_rng(0)
    for place, case in enumerate(cases):
        truth = place % 2
        guess = random.integers(2, size=2)
        said = [truth, truth, guess[0]] if place else [0, 1, 1]
        for reader, value in zip(readers, said, strict=True):
            read(case, reader, now, finding=CHOICES[value]["value"])
    before = ReferenceStandard.objects.get(case=cases[0])
    assert before.uncertainty["finding"]["method"] == "majority"
    skills = done(project)["skills"]["finding"]
    right = {author: np.trace(rows) / 2 for author, rows in skills["matrices"].items()}
    assert right[str(readers[0].pk)] > 0.9
    assert right[str(readers[2].pk)] < 0.75
    after = ReferenceStandard.objects.get(case=cases[0])
    assert after.uncertainty["finding"]["method"] == "dawid_skene"


def test_who_does_not_count_yet_is_compared_and_weighs_nothing(now: datetime) -> None:
    project, cases, readers = a_stage(6, fusion="dawid_skene")
    newcomers = [a_reader(project) for _ in range(3)]
    for reader in newcomers:
        an_untested(reader, project)
    for place, case in enumerate(cases):
        truth, wrong = place % 2, 1 - place % 2
        for reader, value in zip([*readers, *newcomers], [truth, truth, *[wrong] * 3], strict=True):
            read(case, reader, now, finding=CHOICES[value]["value"])
    kept = done(project)
    assert len(kept["figures"]["finding"]["pairs"]) == 10
    matrices = kept["skills"]["finding"]["matrices"]
    assert matrices.keys() == {str(one.pk) for one in readers}
    assert all(np.trace(rows) / 2 > 0.8 for rows in matrices.values())


@pytest.mark.parametrize(("fusion", "is_one_number"), [("one_coin", True), ("dawid_skene", False)])
def test_one_coin_tells_a_reader_by_one_number(fusion: str, is_one_number: bool, now: datetime) -> None:
    """The third reader takes a half of the pneumonias for normal, and no normal for pneumonia."""
    project, cases, readers = a_stage(60, fusion=fusion)
    readers = [*readers, a_reader(project)]
    for place, case in enumerate(cases):
        truth = place % 2
        for reader, value in zip(readers, [truth, truth, truth * (place % 4 == 1)], strict=True):
            signs = [str(value)] if value else []
            read(case, reader, now, finding=CHOICES[value]["value"], signs=signs)
    skills = done(project)["skills"]
    for key in ("finding", "signs:1"):
        rows = skills[key]["matrices"][str(readers[2].pk)]
        assert (rows[0][1] == rows[1][0]) == is_one_number


def test_measuring_anew_leaves_labels_as_old_as_they_were(now: datetime) -> None:
    project, cases, readers = a_stage(4, fusion="dawid_skene")
    for case in cases:
        for reader in readers:
            read(case, reader, now, finding="normal")
    done(project)
    standards = ReferenceStandard.objects.filter(case__in=cases)
    assert {one.uncertainty["finding"]["method"] for one in standards} == {"dawid_skene"}
    assert {one.updated_at for one in standards} == {now}


@pytest.mark.parametrize(("fusion", "asked"), [("majority", 0), ("one_coin", 1)])
def test_a_refit_asks_for_it_where_readers_are_weighed(fusion: str, asked: int) -> None:
    project, _, _ = a_stage(1, fusion=fusion)
    ask_where_weighed(project.pk)
    assert Job.objects.filter(name="measure_agreement").count() == asked


def test_a_project_that_nobody_read_twice_has_nothing_to_compare(now: datetime) -> None:
    project, cases, readers = a_stage(2)
    read(cases[0], readers[0], now, finding="normal")
    kept = done(project)
    assert kept["skills"] == {}
    assert kept["figures"]["finding"]["overall"]["why"] == "no case has two readings to compare"
    assert kept["figures"]["lung"]["cases"] == 0
