"""A case's readings fused as its project has chosen, and what is kept of doubt."""

import uuid
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from annotation.projects.masks import Mask, runs_of, runs_of_spans, voxels, written
from annotation.projects.models import Case, Project, Protocol
from annotation.projects.questions import Question, questions_of
from annotation.projects.selectors import protocol_in_force
from annotation.readings.fusion.masks import staple_of_voxels
from annotation.readings.fusion.runs import fused_mask
from annotation.readings.fusion.standard import How, Said, Skills, Standard, standard_of
from annotation.readings.models import Agreement, ReferenceStandard
from annotation.readings.services import Answered, add_reading, examine
from tests import factories

UID = "1.2.3"
AB = [{"value": value, "label": value} for value in "ab"]
SINGLE = {"key": "q", "prompt": "Q?", "kind": "single", "choices": AB}
SIGNS = {"key": "q", "prompt": "Q?", "kind": "multi", "choices": AB, "required": False}
SIZE = {"key": "q", "prompt": "Q?", "kind": "number"}
BOXES = {
    "key": "q",
    "prompt": "Q?",
    "kind": "box",
    "labels": [{"value": "n", "label": "N"}],
    "required": False,
}
MASK = {"key": "q", "prompt": "Q?", "kind": "segmentation", "classes": [{"value": "v", "label": "V"}]}
# The first reader knows a from b, the other two guess.
GOOD, GUESS = [[0.95, 0.05], [0.05, 0.95]], [[0.55, 0.45], [0.45, 0.55]]
SKILLS = Skills(["a", "b"], [0.5, 0.5], {"0": GOOD, "1": GUESS, "2": GUESS})


def asked(question: dict[str, Any]) -> list[Question]:
    return questions_of([question])


def said_by(place: int, question: dict[str, Any], answer: Any = None, **more: Any) -> Said:
    return Said(
        str(place), {} if answer is None else {"q": answer}, **{"asked": {"q": question["kind"]}} | more
    )


def fused(question: dict[str, Any], answers: list[Any], how: How | None = None) -> Standard | None:
    said = [said_by(place, question, one) for place, one in enumerate(answers)]
    return standard_of(asked(question), said, how or How())


def test_by_majority_the_shares_of_the_readers_are_kept() -> None:
    assert fused(SINGLE, ["a", "b", "b"]) == Standard(
        {"q": "b"}, {"q": {"method": "majority", "distribution": {"a": 1 / 3, "b": 2 / 3}}}
    )
    assert fused(SIGNS, [["a"], ["a", "b"], []]) == Standard(
        {"q": ["a"]}, {"q": {"method": "majority", "shares": {"a": 2 / 3, "b": 1 / 3}}}
    )
    assert fused(SIZE, [3.0, 9.0, 4.0]) == Standard(
        {"q": 4.0}, {"q": {"method": "median", "spread": [3.0, 9.0]}}
    )


def test_one_reading_leaves_no_doubt_and_a_tie_no_standard() -> None:
    assert fused(SINGLE, ["a"]) == Standard({"q": "a"}, {})
    assert fused(SINGLE, ["a", "b"]) is None


def test_a_reader_who_knows_outweighs_two_who_guess() -> None:
    found = fused(SINGLE, ["a", "b", "b"], How("dawid_skene", skills={"q": SKILLS}))
    assert found is not None
    assert found.answers == {"q": "a"}
    odds = (0.95 / 0.05) * (0.45 / 0.55) ** 2
    assert found.uncertainty["q"]["distribution"]["a"] == pytest.approx(odds / (1 + odds))


def test_a_reader_who_is_not_known_is_thought_as_good_as_the_rest() -> None:
    how = How("dawid_skene", skills={"q": Skills(["a", "b"], [0.5, 0.5], {"7": GOOD})})
    assert fused(SINGLE, ["a", "b"], how) is None
    assert fused(SINGLE, ["a", "a", "b"], how) is not None


def test_of_several_choices_each_is_weighed_on_its_own() -> None:
    made = Skills(["False", "True"], [0.5, 0.5], SKILLS.matrices)
    found = fused(SIGNS, [["a"], ["b"], ["b"]], How("one_coin", skills={"q:a": made, "q:b": made}))
    assert found is not None
    assert found.answers == {"q": ["a"]}
    assert found.uncertainty["q"]["method"] == "one_coin"


def test_before_skills_are_known_majority_holds() -> None:
    found = fused(SINGLE, ["a", "b", "b"], How("dawid_skene"))
    assert found is not None
    assert found.uncertainty["q"]["method"] == "majority"


def region(left: float, number: int, **more: Any) -> dict[str, Any]:
    place = {"id": str(uuid.UUID(int=number)), "label": "n", "image": UID}
    return place | {"points": [[left, 0.0], [left + 10.0, 10.0]]} | more


def test_boxes_that_half_of_the_readers_drew_stand_and_the_rest_is_kept_aside() -> None:
    answers = [[region(0, 1), region(50, 2)], [region(2, 3)], None]
    found = fused(BOXES, answers, How(drawings=True))
    assert found is not None
    (kept,) = found.answers["q"]
    assert kept["points"] == [[1.0, 0.0], [11.0, 10.0]]
    doubt = found.uncertainty["q"]
    assert doubt["shares"][kept["id"]] == pytest.approx(2 / 3)
    assert [one["points"][0][0] for one in doubt["left_out"]] == [50.0]
    assert fused(BOXES, answers) is None


def test_a_fused_box_has_the_attributes_that_its_readers_share() -> None:
    answers = [[region(0, 1, attributes={"x": 1, "y": 2})], [region(0, 2, attributes={"x": 1, "y": 3})]]
    attributes = [{"key": key, "prompt": "?", "kind": "number"} for key in "xy"]
    found = fused(BOXES | {"attributes": attributes}, answers, How(drawings=True))
    assert found is not None
    assert found.answers["q"][0]["attributes"] == {"x": 1}


def masks(seed: int, readers: int = 3, shape: tuple[int, int, int] = (3, 16, 20)) -> list[np.ndarray]:
    """Two classes as readers of different care draw them, away from some of the edges."""
    random = np.random.default_rng(seed)
    plain = np.zeros(shape, dtype=np.uint8)
    plain[1:, 3:9, 4:15], plain[1:, 9:12, 4:15] = 1, 2
    return [
        np.where((random.random(shape) < 0.1) & (plain > 0), 0, plain).astype(np.uint8)
        for _ in range(readers)
    ]


def mask_of(drawn: np.ndarray) -> Mask:
    classes = {value: drawn == code for code, value in enumerate("vw", start=1) if (drawn == code).any()}
    return Mask.model_validate(written(drawn.shape, [f"1.{i}" for i in range(len(drawn))], classes))


@pytest.mark.parametrize("seed", range(4))
def test_masks_are_fused_from_their_runs_as_voxel_by_voxel(seed: int) -> None:
    drawn = masks(seed)
    likely = staple_of_voxels(drawn, classes=3)
    found = fused_mask([mask_of(one) for one in drawn], ["v", "w"])
    assert found is not None
    answer = Mask.model_validate(found.answer)
    anybody = np.any(drawn, axis=0)
    for code, value in enumerate("vw", start=1):
        np.testing.assert_array_equal(voxels(answer, value), (likely.argmax(axis=0) == code) & anybody)
        level = np.zeros(answer.shape)
        for share, runs in found.levels[value]:
            level[voxels(Mask(shape=answer.shape, images=answer.images, classes={"x": runs}), "x")] = share
        np.testing.assert_allclose(level[anybody], likely[code][anybody], atol=5.1e-4)


def test_runs_of_spans_are_those_of_voxels() -> None:
    drawn = np.array([[[True, True, False, True], [True, False, False, True]]])
    assert runs_of_spans(np.array([[0, 1], [1, 2], [3, 5], [7, 8]]), 8) == runs_of(drawn)
    assert runs_of_spans(np.zeros((0, 2), dtype=np.int64), 8) == runs_of(np.zeros((1, 2, 4), dtype=bool))


def test_masks_on_other_images_are_not_fused() -> None:
    one = mask_of(masks(0)[0])
    other = one.model_copy(update={"images": ["9.0", "9.1", "9.2"]})
    assert fused_mask([one, other], ["v", "w"]) is None
    assert fused_mask([None, None], ["v", "w"]) is None
    assert fused(MASK, [one.model_dump(), other.model_dump()], How(drawings=True)) is None


def test_a_reader_who_drew_nothing_says_that_nothing_is_there() -> None:
    drawn = np.zeros((1, 8, 8), dtype=np.uint8)
    drawn[0, 2:5, 2:5] = 1
    answer = mask_of(drawn).model_dump()
    said = [said_by(0, MASK, answer), said_by(1, MASK), said_by(2, MASK)]
    assert standard_of(asked(MASK | {"required": False}), said, How(drawings=True)) is None
    sources = [said_by(0, MASK, answer), said_by(1, MASK, is_reader=False)]
    assert standard_of(asked(MASK), sources, How()) is None


@pytest.mark.parametrize("not_asked", [{}, {"q": "polygon"}])
def test_a_reader_who_was_not_asked_to_draw_says_nothing_by_it(not_asked: dict[str, str]) -> None:
    drew = [said_by(place, BOXES, [region(0, place)]) for place in (1, 2)]
    others = [said_by(place, BOXES, asked=not_asked) for place in (3, 4, 5)]
    found = standard_of(asked(BOXES), [*drew, *others], How(drawings=True))
    assert found is not None
    assert list(found.uncertainty["q"]["shares"].values()) == [1.0]
    others = [said_by(place, BOXES) for place in (3, 4, 5)]
    assert standard_of(asked(BOXES), [*drew, *others], How(drawings=True)) is None


@pytest.mark.django_db
def test_readings_of_a_protocol_without_the_question_count_nowhere_in_it() -> None:
    """Two of four draw; of the others one read before it was asked, one was not asked by the condition."""
    now, project = timezone.now(), factories.a_project()
    (case,) = factories.some_cases(project)
    finding = {"key": "finding", "prompt": "What?", "kind": "single", "choices": AB}
    boxes = BOXES | {"when": {"question": "finding", "is": "a"}}
    first = protocol_in_force(project.pk)
    Protocol.objects.filter(pk=first.pk).update(questions=[finding])
    said = Answered({"finding": "a"}, 2.0, first.version, uuid.uuid4())
    send(project, case, said, now)
    Protocol.objects.create(
        project=project,
        version=first.version + 1,
        questions=[finding, boxes],
        settings={"fuse_drawings": True},
        created_at=now,
    )
    image = case.series.instances.get().sop_instance_uid
    for place, finding_said in enumerate("aab"):
        drawn = {"q": [region(0, place + 1, image=image)]} if finding_said == "a" else {}
        answered = Answered({"finding": finding_said} | drawn, 2.0, first.version + 1, uuid.uuid4())
        send(project, case, answered, now)
    standard = ReferenceStandard.objects.get(case=case)
    assert (standard.answers["finding"], standard.readings) == ("a", 4)
    assert list(standard.uncertainty["q"]["shares"].values()) == [1.0]


@pytest.mark.django_db
def test_a_project_that_weighs_its_readers_keeps_how_sure_it_is() -> None:
    now, project = timezone.now(), factories.a_project()
    (case,) = factories.some_cases(project)
    readers = [factories.a_reader(project) for _ in range(3)]
    Protocol.objects.filter(project=project).update(settings={"fusion": "dawid_skene"})
    known = dict(zip([str(one.pk) for one in readers], [GOOD, GUESS, GUESS], strict=True))
    keep_skills(project, known, now)
    for reader, value in zip(readers, ["normal", "pneumonia", "pneumonia"], strict=True):
        said = Answered({"finding": value}, 2.0, 1, uuid.uuid4())
        examined = examine(case=case, protocol=protocol_in_force(project.pk), answered=said)
        add_reading(reader=reader, case=case, examined=examined, answered=said, now=now)
    standard = ReferenceStandard.objects.get(case=case)
    assert (standard.answers, standard.readings) == ({"finding": "normal"}, 3)
    assert standard.uncertainty["finding"]["method"] == "dawid_skene"
    assert standard.uncertainty["finding"]["distribution"]["normal"] > 0.9


def send(project: Project, case: Case, said: Answered, now: datetime) -> None:
    """A reading by a new reader."""
    examined = examine(case=case, protocol=protocol_in_force(project.pk), answered=said)
    assert not examined.problems
    add_reading(reader=factories.a_reader(project), case=case, examined=examined, answered=said, now=now)


def keep_skills(project: Project, matrices: dict[str, Any], now: datetime) -> None:
    skills = {"classes": ["normal", "pneumonia"], "priors": [0.5, 0.5], "matrices": matrices}
    facts = {"figures": {}, "readings": 0, "seconds": 0.0, "created_at": now, "job_id": uuid.uuid4()}
    Agreement.objects.create(project=project, skills={"finding": skills}, **facts)
