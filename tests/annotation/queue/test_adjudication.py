"""Adjudication: which cases come to it, who may judge them, and what becomes of what is decided."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from accounts.models import Role, User
from annotation.learning.drawn import drawings
from annotation.learning.models import Policy
from annotation.projects.models import Case, Membership, Project
from annotation.projects.questions import Regions, questions_of
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.projects.services import set_membership
from annotation.queue import adjudication
from annotation.queue.adjudication import (
    DisputeStaleError,
    Return,
    Verdict,
    decide,
    send_back,
    show_suggestion,
)
from annotation.queue.agreement import fuse_again
from annotation.queue.disputes import (
    ReadingClosedError,
    dispute_for,
    disputes_for,
    within_design,
)
from annotation.queue.models import Entry
from annotation.queue.remarks import Said, add_remark
from annotation.queue.returned import returned_to
from annotation.queue.services import give_back, lease_next
from annotation.queue.sides import Sides
from annotation.queue.submissions import submit
from annotation.readings.adjudication_models import Decision, Dispute
from annotation.readings.effort_models import Effort
from annotation.readings.gold_models import Qualification
from annotation.readings.models import Reading, ReferenceStandard, Revision
from annotation.readings.rules import AnswersInvalidError, IdempotencyConflictError
from annotation.readings.services import Answered, Examined, examine, revise
from audit.models import Event
from jobs.models import Job
from notices.models import Notice
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@dataclass
class Room:
    """An adjudicated project, its two readers and its adjudicator."""

    project: Project
    first: User
    second: User
    judge: User
    now: datetime

    def read(self, reader: User, value: str, case: Case | None = None) -> Case:
        """Read what the reader is given first, or the case that is named."""
        if case is not None:
            for one in lease_next(reader=reader, project_id=self.project.pk, now=self.now).cases:
                give_back(reader=reader, lease_id=one.lease.pk, now=self.now)
        given = lease_next(reader=reader, project_id=self.project.pk, now=self.now).cases
        held = next(one for one in given if case is None or one.case == case)
        said = Answered({"finding": value}, 4.0, held.protocol.version, uuid4())
        submit(reader=reader, lease_id=held.lease.pk, case_id=held.case.pk, answered=said, now=self.now)
        return held.case

    def disputed(self) -> Dispute:
        """Have a case read by both, differently."""
        case = self.read(self.first, "normal")
        self.read(self.second, "pneumonia", case)
        return Dispute.objects.get(case=case)

    def letter(self, dispute: Dispute, value: str) -> str:
        """Name the side that says so."""
        sides = Sides(dispute.case_id, dispute.pk)
        [found] = [one.letter for one in sides.listed if one.given.answers["finding"] == value]
        return found

    def decide(self, dispute: Dispute, value: str, **more: Any) -> Decision:
        """Decide for the side that says so."""
        dispute.refresh_from_db()
        take = {"finding": self.letter(dispute, value)}
        verdict = replace(Verdict(dispute.version, uuid4(), take, seconds=3.0), **more)
        return decide(user=self.judge, dispute_id=dispute.pk, verdict=verdict, now=self.now)

    def discount(self, *readers: User) -> None:
        """Have readers tested, whose readings do not count until they pass."""
        settings = {"readers": 2, "adjudicated": True, "qualification_cases": 1}
        self.project.protocols.update(settings=settings)
        for one in readers:
            Qualification.objects.create(project=self.project, reader=one, asked_at=self.now)

    def send_back(self, dispute: Dispute) -> None:
        """Send a case back."""
        asked = Return(dispute.version, uuid4(), "Look at the left base.")
        send_back(user=self.judge, dispute_id=dispute.pk, asked=asked, now=self.now)
        dispute.refresh_from_db()

    def revise(self, reader: User, case_id: UUID, value: str) -> Revision:
        """Answer a case again, as the API does."""
        reading = Reading.objects.get(reader=reader, case=case_id)
        return revise(
            reader=reader,
            reading_id=reading.pk,
            base_revision=reading.revisions.count(),
            answered=Answered({"finding": value}, 2.0, 1, uuid4()),
            now=self.now,
            within=lambda one: within_design(one, self.now),
        )


@pytest.fixture
def room(project: Project, reader: User, now: datetime) -> Room:
    project.protocols.update(settings={"readers": 2, "adjudicated": True})
    judge = factories.a_user()
    set_membership(project=project, user=judge, role=Role.READER, adjudicates=True)
    return Room(project, reader, factories.a_reader(project), judge, now)


def standard_of(case_id: UUID) -> ReferenceStandard | None:
    return ReferenceStandard.objects.filter(case=case_id).first()


def test_a_case_whose_readers_differ_waits_for_an_adjudicator_and_teaches_nothing(room: Room) -> None:
    dispute = room.disputed()
    assert (dispute.state, dispute.keys, dispute.version) == ("open", ["finding"], 1)
    assert standard_of(dispute.case_id) is None
    assert list(disputes_for(room.judge, room.project.pk)) == [dispute]


def told_waiting(user: User) -> int:
    return Notice.objects.filter(person=user, kind="adjudication_waiting").count()


def test_an_adjudicator_is_told_again_where_a_returned_case_is_still_in_dispute(room: Room) -> None:
    dispute = room.disputed()
    assert told_waiting(room.judge) == 1
    room.send_back(dispute)
    room.revise(room.first, dispute.case_id, "normal")
    assert told_waiting(room.judge) == 1
    room.revise(room.second, dispute.case_id, "pneumonia")
    dispute.refresh_from_db()
    assert (dispute.state, told_waiting(room.judge)) == ("open", 2)


def test_an_adjudicator_who_spoke_of_the_case_is_not_told(room: Room) -> None:
    case = room.read(room.first, "normal")
    question = Said("question", "", "Is it?", room.judge.pk, uuid4())
    add_remark(author=room.first, case_id=case.pk, said=question, now=room.now)
    room.read(room.second, "pneumonia", case)
    assert (Dispute.objects.count(), told_waiting(room.judge)) == (1, 0)


def test_an_adjudicator_s_decision_and_time_are_of_their_day(room: Room) -> None:
    room.decide(room.disputed(), "normal")
    day = Effort.objects.get(reader=room.judge)
    assert (day.readings, day.revisions, day.decisions) == (0, 0, 1)
    assert (day.seconds, day.decision_seconds) == (3.0, 3.0)


def test_sending_a_case_back_is_no_decision(room: Room) -> None:
    room.send_back(room.disputed())
    assert not Effort.objects.filter(reader=room.judge).exists()


def test_a_case_whose_readers_agree_does_not(room: Room) -> None:
    case = room.read(room.first, "normal")
    room.read(room.second, "normal")
    assert not Dispute.objects.exists()
    assert standard_of(case.pk) is not None


def test_no_fusion_gives_a_disputed_case_a_reference_standard(room: Room) -> None:
    room.project.protocols.update(settings={"readers": 2, "adjudicated": True, "fusion": "one_coin"})
    dispute = room.disputed()
    fuse_again(room.project.pk, room.now)
    assert standard_of(dispute.case_id) is None


def test_a_design_of_three_waits_for_the_third(room: Room) -> None:
    room.project.protocols.update(settings={"readers": 3, "adjudicated": True})
    third = factories.a_reader(room.project)
    room.read(room.first, "normal")
    room.read(room.second, "pneumonia")
    assert not Dispute.objects.exists()
    room.read(third, "pneumonia")
    dispute = Dispute.objects.get()
    assert len(Sides(dispute.case_id, dispute.pk).listed) == 3


def test_a_project_that_does_not_adjudicate_has_no_disputes(room: Room) -> None:
    room.project.protocols.update(settings={"readers": 2})
    room.read(room.first, "normal")
    room.read(room.second, "pneumonia")
    assert not Dispute.objects.exists()


def test_what_is_decided_is_the_reference_standard_and_says_so(room: Room) -> None:
    Policy.objects.create(project=room.project, refit_every=1)
    dispute = room.disputed()
    Job.objects.all().delete()
    decision = room.decide(dispute, "pneumonia")
    standard = standard_of(dispute.case_id)
    assert standard is not None
    assert (standard.answers, standard.provenance) == ({"finding": "pneumonia"}, "adjudicated")
    dispute.refresh_from_db()
    assert (dispute.state, decision.number, decision.act) == ("decided", 1, "taken")
    reading = Reading.objects.get(case=dispute.case_id, reader=room.second)
    assert decision.taken == {"finding": str(reading.pk)}
    event = Event.objects.filter(action="dispute.taken").get()
    assert (event.actor, event.object_id) == (str(room.judge.pk), str(dispute.case_id))
    assert Job.objects.filter(name="refit").exists()


def test_an_own_answer_is_held_against_the_protocol(room: Room) -> None:
    dispute = room.disputed()
    wrong = Verdict(1, uuid4(), answers={"finding": "measles"})
    with pytest.raises(AnswersInvalidError):
        decide(user=room.judge, dispute_id=dispute.pk, verdict=wrong, now=room.now)
    right = replace(wrong, answers={"finding": "normal"})
    assert decide(user=room.judge, dispute_id=dispute.pk, verdict=right, now=room.now).act == "edited"
    standard = standard_of(dispute.case_id)
    assert standard is not None
    assert standard.answers == {"finding": "normal"}


def test_the_same_message_again_decides_once_and_another_with_its_key_is_refused(room: Room) -> None:
    dispute, key = room.disputed(), uuid4()
    take = {"finding": room.letter(dispute, "normal")}
    verdict = Verdict(1, key, take)
    made = decide(user=room.judge, dispute_id=dispute.pk, verdict=verdict, now=room.now)
    assert decide(user=room.judge, dispute_id=dispute.pk, verdict=verdict, now=room.now) == made
    other = replace(verdict, take={}, answers={"finding": "pneumonia"})
    with pytest.raises(IdempotencyConflictError):
        decide(user=room.judge, dispute_id=dispute.pk, verdict=other, now=room.now)
    assert Decision.objects.count() == 1


def test_who_acts_on_what_another_adjudicator_changed_is_told(room: Room) -> None:
    dispute = room.disputed()
    room.decide(dispute, "normal")
    with pytest.raises(DisputeStaleError):
        room.decide(dispute, "pneumonia", base_version=1)


def test_a_decision_is_undone_by_one_more(room: Room) -> None:
    dispute = room.disputed()
    room.decide(dispute, "normal")
    room.decide(dispute, "pneumonia")
    standard = standard_of(dispute.case_id)
    assert standard is not None
    assert standard.answers == {"finding": "pneumonia"}
    told = list(Decision.objects.values_list("number", "answers"))
    assert told == [(1, {"finding": "normal"}), (2, {"finding": "pneumonia"})]


def test_every_disputed_question_must_be_decided_and_no_other(room: Room) -> None:
    dispute = room.disputed()
    for take in ({}, {"other": "A"}, {"finding": "C"}, {"finding": "A", "other": "A"}):
        with pytest.raises(RefusedError):
            room.decide(dispute, "normal", take=take)
    assert standard_of(dispute.case_id) is None


def test_an_adjudicator_never_judges_a_case_that_they_read(room: Room) -> None:
    dispute = room.disputed()
    Membership.objects.filter(user=room.first).update(adjudicates=True)
    assert list(disputes_for(room.first, room.project.pk)) == []
    with pytest.raises(Dispute.DoesNotExist):
        dispute_for(room.first, dispute.pk)
    verdict = Verdict(1, uuid4(), {"finding": "A"})
    with pytest.raises(Dispute.DoesNotExist):
        decide(user=room.first, dispute_id=dispute.pk, verdict=verdict, now=room.now)


def test_nor_one_that_a_colleague_asked_them_about(room: Room) -> None:
    case = room.read(room.first, "normal")
    question = Said("question", "", "Normal, is it not?", room.judge.pk, uuid4())
    add_remark(author=room.first, case_id=case.pk, said=question, now=room.now)
    room.read(room.second, "pneumonia")
    assert list(disputes_for(room.judge, room.project.pk)) == []


def test_who_is_no_adjudicator_sees_no_dispute(room: Room) -> None:
    dispute = room.disputed()
    for outsider in (factories.a_reader(room.project), factories.a_member(room.project, Role.ML_STAFF)):
        with pytest.raises(ForbiddenError):
            disputes_for(outsider, room.project.pk)
        with pytest.raises(ForbiddenError):
            dispute_for(outsider, dispute.pk)
    with pytest.raises(Dispute.DoesNotExist):
        dispute_for(factories.a_reader(factories.a_project()), dispute.pk)


def test_who_judged_a_case_is_not_given_it_to_read(room: Room) -> None:
    dispute = room.disputed()
    Entry.objects.filter(case=dispute.case_id).update(state="waiting", rank=0, reason="second_reading")
    third = factories.a_reader(room.project)
    given = lease_next(reader=room.judge, project_id=room.project.pk, now=room.now)
    assert dispute.case_id not in {one.case.pk for one in given.cases}
    theirs = lease_next(reader=third, project_id=room.project.pk, now=room.now)
    assert dispute.case_id in {one.case.pk for one in theirs.cases}


def test_once_all_readings_are_in_none_is_revised_whether_they_agree_or_not(room: Room) -> None:
    case = room.read(room.first, "normal")
    room.revise(room.first, case.pk, "pneumonia")
    room.read(room.second, "pneumonia", case)
    agreed, disputed = case.pk, room.disputed().case_id
    told = []
    for case_id in (agreed, disputed):
        with pytest.raises(ReadingClosedError) as refused:
            room.revise(room.first, case_id, "normal")
        told.append(str(refused.value))
    assert told[0] == told[1]


def test_a_case_that_is_sent_back_comes_to_its_readers_with_the_words(room: Room) -> None:
    dispute = room.disputed()
    room.send_back(dispute)
    assert dispute.state == "returned"
    assert standard_of(dispute.case_id) is None
    for reader in (room.first, room.second):
        [returned] = returned_to(reader, room.project.pk)
        assert returned.comment == "Look at the left base."
    assert returned_to(room.judge, room.project.pk) == []


def test_it_is_settled_as_soon_as_its_readers_agree(room: Room) -> None:
    dispute = room.disputed()
    room.send_back(dispute)
    revision = room.revise(room.first, dispute.case_id, "pneumonia")
    dispute.refresh_from_db()
    assert (revision.number, dispute.state) == (2, "agreed")
    standard = standard_of(dispute.case_id)
    assert standard is not None
    assert (standard.answers, standard.provenance) == ({"finding": "pneumonia"}, "fused")
    assert returned_to(room.second, room.project.pk) == []


def test_it_returns_when_all_have_answered_and_differ_still(room: Room) -> None:
    dispute = room.disputed()
    room.send_back(dispute)
    room.revise(room.first, dispute.case_id, "normal")
    dispute.refresh_from_db()
    assert dispute.state == "returned"
    assert returned_to(room.first, room.project.pk) == []
    room.revise(room.second, dispute.case_id, "pneumonia")
    dispute.refresh_from_db()
    assert dispute.state == "open"
    assert standard_of(dispute.case_id) is None
    room.decide(dispute, "normal")
    assert standard_of(dispute.case_id) is not None


def a_third_reading(room: Room, dispute: Dispute) -> None:
    """Have the case read once more, as a doubted label is."""
    third = factories.a_reader(room.project)
    Entry.objects.filter(case=dispute.case_id).update(state="waiting", rank=0, reason="second_reading")
    room.read(third, "pneumonia", dispute.case)


@pytest.mark.parametrize("is_decided", [False, True])
def test_what_was_composed_before_another_reading_came_is_refused(room: Room, is_decided: bool) -> None:
    dispute = room.disputed()
    if is_decided:
        room.decide(dispute, "normal")
    dispute.refresh_from_db()
    seen = dispute.version
    a_third_reading(room, dispute)
    before = Decision.objects.count()
    with pytest.raises(DisputeStaleError):
        room.decide(dispute, "normal", base_version=seen)
    assert Decision.objects.count() == before
    assert room.decide(dispute, "normal").answers == {"finding": "normal"}


def test_what_readers_say_is_read_anew_once_the_case_is_locked(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispute = room.disputed()

    def meanwhile(**facts: Any) -> Examined:
        factories.a_reading(factories.a_reader(room.project), dispute.case, {"finding": "pneumonia"})
        return examine(**facts)

    monkeypatch.setattr(adjudication, "examine", meanwhile)
    with pytest.raises(DisputeStaleError):
        room.decide(dispute, "normal")


def test_the_same_message_again_decides_once_whatever_readers_say_since(room: Room) -> None:
    dispute = room.disputed()
    verdict = Verdict(1, uuid4(), {"finding": room.letter(dispute, "normal")})
    made = decide(user=room.judge, dispute_id=dispute.pk, verdict=verdict, now=room.now)
    room.discount(room.first)
    assert decide(user=room.judge, dispute_id=dispute.pk, verdict=verdict, now=room.now) == made
    other = replace(verdict, take={"finding": "A" if verdict.take["finding"] == "B" else "B"})
    with pytest.raises(IdempotencyConflictError):
        decide(user=room.judge, dispute_id=dispute.pk, verdict=other, now=room.now)


def test_where_no_reading_counts_there_is_nothing_to_decide(room: Room) -> None:
    dispute = room.disputed()
    room.discount(room.first, room.second)
    own = Verdict(dispute.version, uuid4(), answers={"finding": "normal"})
    with pytest.raises(RefusedError):
        decide(user=room.judge, dispute_id=dispute.pk, verdict=own, now=room.now)
    with pytest.raises(RefusedError):
        show_suggestion(user=room.judge, dispute_id=dispute.pk, now=room.now)


def test_a_dispute_that_was_withdrawn_is_there_for_nobody(room: Room) -> None:
    dispute = room.disputed()
    Dispute.objects.update(state=Dispute.State.WITHDRAWN)
    with pytest.raises(Dispute.DoesNotExist):
        dispute_for(room.judge, dispute.pk)


@pytest.mark.parametrize("values", [{"stream": "audit"}, {"part": "val"}, {"part": "test"}])
def test_what_judges_models_is_decided_without_them(room: Room, values: dict[str, str]) -> None:
    dispute = room.disputed()
    Case.objects.filter(pk=dispute.case_id).update(**values)
    Entry.objects.filter(case=dispute.case_id).update(probabilities={"normal": 0.2, "pneumonia": 0.8})
    with pytest.raises(RefusedError, match="judged by this case"):
        show_suggestion(user=room.judge, dispute_id=dispute.pk, now=room.now)
    assert Dispute.objects.get().shown == {}


def test_a_case_in_dispute_is_not_revised_while_it_waits_for_one_more(room: Room) -> None:
    dispute = room.disputed()
    Entry.objects.filter(case=dispute.case_id).update(state="waiting", rank=0, reason="second_reading")
    with pytest.raises(ReadingClosedError):
        room.revise(room.first, dispute.case_id, "pneumonia")


def test_readings_that_came_after_a_decision_change_nothing(room: Room) -> None:
    dispute = room.disputed()
    room.decide(dispute, "normal")
    third = factories.a_reader(room.project)
    factories.a_reading(third, dispute.case, {"finding": "pneumonia"})
    standard = standard_of(dispute.case_id)
    assert standard is not None
    assert (standard.answers, standard.provenance) == ({"finding": "normal"}, "adjudicated")


def test_disputes_go_where_the_project_adjudicates_no_more_and_come_where_it_begins_to(room: Room) -> None:
    dispute = room.disputed()
    room.project.protocols.update(settings={"readers": 2})
    fuse_again(room.project.pk, room.now)
    dispute.refresh_from_db()
    assert dispute.state == "withdrawn"
    room.project.protocols.update(settings={"readers": 2, "adjudicated": True})
    fuse_again(room.project.pk, room.now)
    dispute.refresh_from_db()
    assert dispute.state == "open"


def test_who_is_a_tells_nothing_from_case_to_case(room: Room) -> None:
    case = room.disputed().case_id
    first = [Sides(case, UUID(int=seed)).revisions[0].reader_id for seed in range(64)]
    assert {*first} == {room.first.pk, room.second.pk}
    assert Sides(case, UUID(int=1)).revisions == Sides(case, UUID(int=1)).revisions


def test_a_shown_model_answer_is_kept_with_the_decision(room: Room) -> None:
    dispute = room.disputed()
    before = room.decide(dispute, "normal")
    assert before.suggestion is None
    Entry.objects.filter(case=dispute.case_id).update(probabilities={"normal": 0.2, "pneumonia": 0.8})
    shown = show_suggestion(user=room.judge, dispute_id=dispute.pk, now=room.now)
    assert shown["probabilities"] == {"normal": 0.2, "pneumonia": 0.8}
    assert show_suggestion(user=room.judge, dispute_id=dispute.pk, now=room.now) == shown
    after = room.decide(dispute, "pneumonia")
    assert after.suggestion == shown
    assert Event.objects.filter(action="dispute.suggestion").count() == 1


QUESTIONS = [
    {"key": "finding", "prompt": "What?", "kind": "single",
     "choices": [{"value": "normal", "label": "N"}, {"value": "pneumonia", "label": "P"}]},
    {"key": "size", "prompt": "How large?", "kind": "number"},
    {"key": "side", "prompt": "Where?", "kind": "multi", "required": False,
     "choices": [{"value": "left", "label": "L"}, {"value": "right", "label": "R"}]},
]  # fmt: skip


def test_questions_may_be_decided_for_different_readers(room: Room) -> None:
    room.project.protocols.update(questions=QUESTIONS)
    case = room.project.cases.first()
    assert case is not None
    said = [
        {"finding": "normal", "size": 10.0, "side": ["left"]},
        {"finding": "pneumonia", "size": 20.0, "side": ["left"]},
    ]
    for reader, answers in zip((room.first, room.second), said, strict=True):
        factories.a_reading(reader, case, answers)
    fuse_again(room.project.pk, room.now)
    dispute = Dispute.objects.get()
    assert dispute.keys == ["finding", "size"]
    take = {"finding": room.letter(dispute, "normal"), "size": room.letter(dispute, "pneumonia")}
    room.decide(dispute, "normal", take=take)
    standard = standard_of(case.pk)
    assert standard is not None
    assert standard.answers == {"finding": "normal", "size": 20.0, "side": ["left"]}


def test_masks_are_learned_as_decided_and_not_while_in_dispute(room: Room) -> None:
    question = {"key": "mask", "prompt": "Where?", "kind": "box", "labels": [{"value": "x", "label": "X"}]}
    room.project.protocols.update(questions=[question])
    case = room.project.cases.prefetch_related("series__instances").first()
    assert case is not None
    uid = case.series.instances.all()[0].sop_instance_uid
    drawn = [
        {"id": str(uuid4()), "label": "x", "image": uid, "points": points}
        for points in ([[0, 0], [2, 2]], [[3, 3], [6, 6]])
    ]
    for reader, one in zip((room.first, room.second), drawn, strict=True):
        factories.a_reading(reader, case, {"mask": [one]})
    fuse_again(room.project.pk, room.now)
    dispute = Dispute.objects.get()
    [asked] = questions_of([question])
    assert isinstance(asked, Regions)
    assert drawings(room.project.pk, asked) == []
    sides = Sides(dispute.case_id, dispute.pk)
    [letter] = [one.letter for one in sides.listed if one.given.answers["mask"][0]["id"] == drawn[0]["id"]]
    verdict = Verdict(dispute.version, uuid4(), {"mask": letter})
    decide(user=room.judge, dispute_id=dispute.pk, verdict=verdict, now=room.now)
    [learned] = drawings(room.project.pk, asked)
    assert [one["id"] for one in learned.answer] == [drawn[0]["id"]]
