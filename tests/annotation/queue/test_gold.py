"""Gold cases: practice with feedback, the test without, and whose readings count meanwhile."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Role, User
from annotation.projects.models import Case, Membership, Project
from annotation.projects.protocols import document_of
from annotation.projects.rules import ForbiddenError, RefusedError
from annotation.projects.selectors import document_in, protocol_in_force
from annotation.projects.services import save_protocol
from annotation.queue import practice
from annotation.queue.batches import make_batch
from annotation.queue.counting import count_readings, settle_tests
from annotation.queue.designs import free_readers
from annotation.queue.gold import act_on_qualification, gold_for, make_gold, progress_for, retire_gold
from annotation.queue.models import Entry, Lease, Pick, Remark
from annotation.queue.practice import free_gold, practice_leases
from annotation.queue.rules import AHEAD, LeaseLostError
from annotation.queue.selectors import LeasedCase, Workload
from annotation.queue.services import begun, expire_leases, give_back, lease_next
from annotation.queue.skips import Passed
from annotation.queue.slots import take_slot
from annotation.queue.submissions import Submitted, save_draft, skip, submit
from annotation.readings.effort_models import Effort
from annotation.readings.gold_models import GoldCase, GoldReading, Qualification
from annotation.readings.models import Draft, Reading, ReferenceStandard
from annotation.readings.rules import AnswersInvalidError, IdempotencyConflictError
from annotation.readings.services import Answered, Entered
from audit.models import Event
from jobs.models import Job
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
PRACTICE, TEST = 2, 2


@pytest.fixture
def staff(project: Project) -> User:
    return factories.a_member(project, Role.ML_STAFF)


@pytest.fixture
def tested(project: Project, reader: User, staff: User, now: datetime) -> Project:
    """A project with six gold cases, all of them normal, that asks for practice and a test."""
    cases = list(project.cases.order_by("number")[:6])
    for case in cases:
        factories.a_reading(reader, case, {"finding": "normal"})
    Entry.objects.filter(case__in=cases).update(state=Entry.State.DONE)
    project.protocols.update(
        settings={"practice_cases": PRACTICE, "qualification_cases": TEST, "suggestions": "from_start"}
    )
    made = make_gold(
        project=project, numbers=[case.number for case in cases], comment="No opacity", by=staff, now=now
    )
    assert (made.made, made.left_out) == (6, {})
    return project


@pytest.fixture
def newcomer(tested: Project) -> User:
    return factories.a_reader(tested)


def work_of(reader: User, project: Project, now: datetime) -> Workload:
    return lease_next(reader=reader, project_id=project.pk, now=now)


def answer(reader: User, leased: LeasedCase, now: datetime, value: str = "normal") -> Submitted:
    said = Answered({"finding": value}, 4.0, 1, uuid4())
    return submit(reader=reader, lease_id=leased.lease.pk, case_id=leased.case.pk, answered=said, now=now)


def go_through(reader: User, project: Project, now: datetime, values: list[str]) -> list[Submitted]:
    return [answer(reader, work_of(reader, project, now).cases[0], now, value) for value in values]


def count_anew(reader: User, project: Project, now: datetime) -> None:
    """Do what was asked for where a reader comes to count, or counts no more."""
    waiting = Job.objects.filter(name="count_readings", arguments__reader_id=str(reader.pk))
    assert waiting.delete()[0]
    count_readings(project.pk, reader.pk, now)


def save_settings(project: Project, now: datetime, **settings: object) -> None:
    """Save the protocol with other settings, and do what that asks for."""
    current = protocol_in_force(project.pk)
    plain = document_in(current).plain()
    plain["settings"] = plain.get("settings", {}) | settings
    save_protocol(
        project=project, document=document_of(plain), base_version=current.version, now=now, by=None
    )
    assert Job.objects.filter(name="settle_tests").delete()[0]
    settle_tests(project.pk, now)


def test_no_more_gold_cases_are_held_at_once_than_the_workload_lets(
    tested: Project, newcomer: User, now: datetime
) -> None:
    Membership.objects.filter(user=newcomer).update(open_cases=1)
    go_through(newcomer, tested, now, ["normal"] * PRACTICE)
    given = work_of(newcomer, tested, now)
    assert [one.why.reason for one in given.cases] == ["qualification"]


def test_a_newcomer_gets_gold_cases_first_and_nothing_of_the_queue(
    tested: Project, newcomer: User, now: datetime
) -> None:
    given = work_of(newcomer, tested, now)
    assert [one.why.reason for one in given.cases] == ["practice"]  # feedback comes before the next
    assert given.practice is not None
    assert (given.practice.phase, given.practice.done, given.practice.wanted) == ("practice", 0, PRACTICE)
    assert all(one.suggestion.probabilities is None for one in given.cases)
    assert set(Entry.objects.filter(case__in=[one.case for one in given.cases]).values_list("state")) == {
        ("done",)
    }
    again = work_of(newcomer, tested, now)
    assert [one.case.pk for one in again.cases] == [one.case.pk for one in given.cases]


def test_practice_tells_the_reference_and_the_test_does_not(
    tested: Project, newcomer: User, now: datetime
) -> None:
    first, second, third, fourth = go_through(
        newcomer, tested, now, ["pneumonia", "normal", "normal", "pneumonia"]
    )
    assert first.told is not None
    assert (first.told.is_right, first.told.reference, first.told.differs_in, first.told.comment) == (
        False,
        {"finding": "normal"},
        ["finding"],
        "No opacity",
    )
    assert second.told is not None
    assert (second.told.is_right, second.told.differs_in) == (True, [])
    assert third.told is not None
    assert (third.told.is_right, third.told.reference, third.told.comment) == (None, {}, "")
    assert fourth.told is not None
    assert (fourth.told.has_passed, fourth.told.right, fourth.told.of) == (False, 1, TEST)
    assert fourth.told.reference == {}


def test_what_is_said_of_gold_cases_is_no_reading_and_changes_no_label(
    tested: Project, newcomer: User, now: datetime
) -> None:
    before = list(ReferenceStandard.objects.order_by("pk").values_list("pk", "answers", "readings"))
    go_through(newcomer, tested, now, ["pneumonia"] * (PRACTICE + TEST))
    assert GoldReading.objects.filter(reader=newcomer).count() == PRACTICE + TEST
    assert not Reading.objects.filter(reader=newcomer).exists()
    assert list(ReferenceStandard.objects.order_by("pk").values_list("pk", "answers", "readings")) == before


def test_who_passes_reads_on_and_counts(tested: Project, newcomer: User, now: datetime) -> None:
    *_, last = go_through(newcomer, tested, now, ["normal"] * (PRACTICE + TEST))
    assert last.told is not None
    assert (last.told.has_passed, last.told.right, last.told.standing) == (True, TEST, None)
    assert last.workload.practice is None
    leased = work_of(newcomer, tested, now).cases[0]
    assert not hasattr(leased.case, "gold")
    answer(newcomer, leased, now)
    assert ReferenceStandard.objects.filter(case=leased.case).exists()
    assert Event.objects.filter(action="qualification.settle", details__passed=True).exists()


def test_readings_of_who_failed_are_kept_and_count_once_the_reader_passes(
    tested: Project, newcomer: User, staff: User, now: datetime
) -> None:
    go_through(newcomer, tested, now, ["pneumonia"] * (PRACTICE + TEST))
    leased = work_of(newcomer, tested, now).cases[0]
    assert leased.why.reason not in {"practice", "qualification"}
    answer(newcomer, leased, now, "pneumonia")
    assert Reading.objects.filter(case=leased.case, reader=newcomer).exists()
    assert not ReferenceStandard.objects.filter(case=leased.case).exists()
    entry = Entry.objects.get(case=leased.case)
    assert (entry.state, entry.reason) == (Entry.State.WAITING, "second_reading")
    for held in Lease.objects.filter(reader=newcomer, ended_at=None):
        give_back(reader=newcomer, lease_id=held.pk, now=now)
    act_on_qualification(project=tested, reader_id=newcomer.pk, act="again", by=staff, now=now)
    *_, last = go_through(newcomer, tested, now, ["normal"] * TEST)
    assert last.told is not None
    assert last.told.has_passed
    assert not ReferenceStandard.objects.filter(case=leased.case).exists()
    count_anew(newcomer, tested, now)
    assert ReferenceStandard.objects.get(case=leased.case).answers == {"finding": "pneumonia"}
    entry.refresh_from_db()
    assert entry.state == Entry.State.DONE
    assert GoldReading.objects.filter(reader=newcomer).count() == PRACTICE + 2 * TEST


def test_who_read_before_is_not_asked_unless_staff_ask(
    tested: Project, reader: User, staff: User, now: datetime
) -> None:
    assert work_of(reader, tested, now).practice is None
    assert not Qualification.objects.exists()
    labels = ReferenceStandard.objects.count()
    act_on_qualification(project=tested, reader_id=reader.pk, act="ask", by=staff, now=now)
    count_anew(reader, tested, now)
    assert ReferenceStandard.objects.count() == labels - 6
    act_on_qualification(project=tested, reader_id=reader.pk, act="grant", by=staff, now=now)
    count_anew(reader, tested, now)
    assert ReferenceStandard.objects.count() == labels
    state = {one.reader.pk: one.state for one in progress_for(staff, tested.pk)}
    assert state[reader.pk] == "granted"


def test_two_newcomers_hold_the_same_gold_case(tested: Project, newcomer: User, now: datetime) -> None:
    other = factories.a_reader(tested)
    for gold in list(gold_for(factories.a_user(is_admin=True), tested.pk))[1:]:
        gold.gold.delete()
    mine, theirs = (work_of(one, tested, now).cases[0] for one in (newcomer, other))
    assert mine.case.pk == theirs.case.pk
    assert answer(newcomer, mine, now).told is not None
    assert answer(other, theirs, now).told is not None


def test_where_gold_cases_run_out_the_newcomer_reads_on_uncounted(
    tested: Project, newcomer: User, staff: User, now: datetime
) -> None:
    numbers = list(tested.cases.order_by("number").values_list("number", flat=True)[:5])
    assert all(retire_gold(project=tested, number=one, by=staff, now=now) for one in numbers)
    assert not retire_gold(project=tested, number=numbers[0], by=staff, now=now)
    go_through(newcomer, tested, now, ["normal"])
    leased = work_of(newcomer, tested, now).cases[0]
    answer(newcomer, leased, now)
    assert not ReferenceStandard.objects.filter(case=leased.case).exists()


def test_a_message_sent_again_changes_nothing_and_a_key_is_for_one_answer(
    tested: Project, newcomer: User, now: datetime
) -> None:
    first = work_of(newcomer, tested, now).cases[0]
    said = Answered({"finding": "normal"}, 4.0, 1, uuid4())
    one, two = (
        submit(reader=newcomer, lease_id=first.lease.pk, case_id=first.case.pk, answered=said, now=now)
        for _ in range(2)
    )
    assert one.reading_id == two.reading_id
    assert two.told is not None
    assert two.told.is_right
    second = one.workload.cases[0]
    with pytest.raises(IdempotencyConflictError):
        submit(reader=newcomer, lease_id=second.lease.pk, case_id=second.case.pk, answered=said, now=now)
    with pytest.raises(LeaseLostError):
        answer(newcomer, first, now)
    with pytest.raises(AnswersInvalidError):
        answer(newcomer, second, now, "nonsense")


def test_drafts_are_kept_skips_refused_and_leases_end_without_touching_the_queue(
    tested: Project, newcomer: User, now: datetime
) -> None:
    leased = work_of(newcomer, tested, now).cases[0]
    entered = Entered(1, {"finding": "normal"}, 1.0)
    save_draft(reader=newcomer, lease_id=leased.lease.pk, case_id=leased.case.pk, entered=entered, now=now)
    with pytest.raises(RefusedError):
        skip(
            reader=newcomer,
            lease_id=leased.lease.pk,
            case_id=leased.case.pk,
            passed=Passed("quality", "", uuid4()),
            now=now,
        )
    Entry.objects.filter(case=leased.case).update(state=Entry.State.LEASED)  # somebody's second reading
    Lease.objects.filter(pk=leased.lease.pk).update(expires_at=now.replace(year=2000))
    expire_leases(now=now)
    assert Entry.objects.get(case=leased.case).state == Entry.State.LEASED


def test_only_cases_with_a_reference_become_gold_and_readers_never_see_them(
    tested: Project, reader: User, staff: User, now: datetime
) -> None:
    unread = Case.objects.filter(project=tested, reference=None).first()
    assert unread is not None
    made = make_gold(project=tested, numbers=[unread.number, 9999], comment="", by=staff, now=now)
    assert (made.made, made.left_out) == (0, {"without_reference": 1, "unknown": 1})
    with pytest.raises(RefusedError):
        make_gold(project=tested, numbers=[], comment="", by=staff, now=now)
    with pytest.raises(RefusedError):
        act_on_qualification(project=tested, reader_id=reader.pk, act="fly", by=staff, now=now)
    with pytest.raises(ForbiddenError):
        gold_for(reader, tested.pk)


def test_staff_see_how_far_everybody_is(
    tested: Project, newcomer: User, staff: User, now: datetime, django_assert_max_num_queries: object
) -> None:
    go_through(newcomer, tested, now, ["normal", "normal", "pneumonia"])
    rows = {one.reader.pk: one for one in progress_for(staff, tested.pk)}
    mine = rows[newcomer.pk]
    assert (mine.state, mine.practised, mine.tested, mine.right, mine.attempt) == ("test", 2, 1, 0, 1)
    [asked] = [one for one in gold_for(staff, tested.pk) if one.read and not one.right]
    assert asked.read == 1
    factories.a_reader(tested)
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        progress_for(staff, tested.pk)


def test_a_test_made_shorter_than_what_is_answered_is_settled(
    tested: Project, newcomer: User, now: datetime
) -> None:
    save_settings(tested, now, qualification_cases=4)
    for _ in range(PRACTICE + 2):
        leased = work_of(newcomer, tested, now).cases[0]
        said = Answered({"finding": "normal"}, 4.0, protocol_in_force(tested.pk).version, uuid4())
        submit(reader=newcomer, lease_id=leased.lease.pk, case_id=leased.case.pk, answered=said, now=now)
    assert Qualification.objects.get(reader=newcomer).has_passed is None
    save_settings(tested, now, qualification_cases=2)
    assert Qualification.objects.get(reader=newcomer).has_passed
    assert Event.objects.filter(action="qualification.settle", details__right=2).exists()
    assert Job.objects.filter(name="count_readings").exists()


def test_who_answered_test_cases_is_asked_for_a_whole_test_again(
    tested: Project, newcomer: User, staff: User, now: datetime
) -> None:
    go_through(newcomer, tested, now, ["pneumonia"] * (PRACTICE + TEST))
    act_on_qualification(project=tested, reader_id=newcomer.pk, act="ask", by=staff, now=now)
    for held in Lease.objects.filter(reader=newcomer, ended_at=None):
        give_back(reader=newcomer, lease_id=held.pk, now=now)
    *_, last = go_through(newcomer, tested, now, ["normal"] * TEST)
    assert last.told is not None
    assert last.told.has_passed
    with pytest.raises(RefusedError):
        act_on_qualification(project=tested, reader_id=newcomer.pk, act="ask", by=staff, now=now)


def test_the_last_answer_of_a_test_sent_again_tells_how_it_ended_again(
    tested: Project, newcomer: User, now: datetime
) -> None:
    go_through(newcomer, tested, now, ["normal"] * (PRACTICE + TEST - 1))
    leased = work_of(newcomer, tested, now).cases[0]
    said = Answered({"finding": "normal"}, 4.0, 1, uuid4())
    one, two = (
        submit(reader=newcomer, lease_id=leased.lease.pk, case_id=leased.case.pk, answered=said, now=now)
        for _ in range(2)
    )
    assert one.told is not None
    assert (one.told.has_passed, one.told.right, one.told.of) == (True, TEST, TEST)
    assert two.told == one.told


def test_readings_count_while_no_test_is_asked_and_their_readers_go_on_counting(
    tested: Project, newcomer: User, now: datetime
) -> None:
    go_through(newcomer, tested, now, ["normal"] * PRACTICE)
    unread = Case.objects.filter(project=tested, reference=None).order_by("number").first()
    assert unread is not None
    factories.a_reading(newcomer, unread, {"finding": "pneumonia"})
    assert not ReferenceStandard.objects.filter(case=unread).exists()
    save_settings(tested, now, qualification_cases=0)
    count_anew(newcomer, tested, now)
    assert ReferenceStandard.objects.filter(case=unread).exists()
    other = Case.objects.filter(project=tested, reference=None).order_by("number").first()
    assert other is not None
    factories.a_reading(newcomer, other, {"finding": "pneumonia"})
    save_settings(tested, now, qualification_cases=TEST)
    assert Qualification.objects.get(reader=newcomer).has_passed
    count_anew(newcomer, tested, now)
    assert ReferenceStandard.objects.filter(case=other).exists()


def test_a_case_whose_reader_counts_no_more_waits_for_another_and_a_batch_keeps_its_place(
    tested: Project, reader: User, staff: User, now: datetime
) -> None:
    cases = [*tested.cases.order_by("number")[:2]]
    factories.a_reader(tested)
    make_batch(project=tested, numbers=[cases[1].number], why="odd", by=staff, now=now, again=True)
    held = Entry.objects.get(case=cases[1])
    assert (held.state, held.reason) == (Entry.State.WAITING, "second_reading")
    act_on_qualification(project=tested, reader_id=reader.pk, act="ask", by=staff, now=now)
    count_anew(reader, tested, now)
    first, second = (Entry.objects.get(case=case) for case in cases)
    assert (first.state, first.reason) == (Entry.State.WAITING, "second_reading")
    assert (second.batch_id, second.rank) == (held.batch_id, held.rank)


BOXES = {
    "key": "lesions",
    "prompt": "Where?",
    "kind": "box",
    "required": False,
    "labels": [{"value": "lesion", "label": "Lesion"}],
}


def test_who_draws_what_is_not_there_is_not_right(tested: Project, newcomer: User, now: datetime) -> None:
    protocol = protocol_in_force(tested.pk)
    protocol.questions = [*protocol.questions, BOXES]
    protocol.save(update_fields=["questions"])
    leased = work_of(newcomer, tested, now).cases[0]
    image = leased.case.series.instances.get().sop_instance_uid
    points = [[0.0, 0.0], [4.0, 4.0]]
    box = {"id": str(uuid4()), "label": "lesion", "image": image, "points": points}
    said = Answered({"finding": "normal", "lesions": [box]}, 4.0, 1, uuid4())
    made = submit(reader=newcomer, lease_id=leased.lease.pk, case_id=leased.case.pk, answered=said, now=now)
    assert made.told is not None
    assert (made.told.is_right, made.told.differs_in) == (False, ["lesions"])
    second = work_of(newcomer, tested, now).cases[0]
    ReferenceStandard.objects.filter(case=second.case).update(readings=2)  # whose drawings are not fused
    image = second.case.series.instances.get().sop_instance_uid
    said = Answered({"finding": "normal", "lesions": [box | {"image": image}]}, 4.0, 1, uuid4())
    made = submit(reader=newcomer, lease_id=second.lease.pk, case_id=second.case.pk, answered=said, now=now)
    assert made.told is not None
    assert made.told.is_right


def test_a_gold_case_that_was_answered_is_neither_drafted_nor_read_nor_waited_for(
    tested: Project, newcomer: User, now: datetime
) -> None:
    leased = work_of(newcomer, tested, now).cases[0]
    answer(newcomer, leased, now)
    entered = Entered(1, {"finding": "normal"}, 1.0)
    with pytest.raises(LeaseLostError):
        save_draft(
            reader=newcomer, lease_id=leased.lease.pk, case_id=leased.case.pk, entered=entered, now=now
        )
    assert not Draft.objects.exists()
    mine = free_readers(tested.pk, leased.case.pk, again=True).filter(user=newcomer)
    assert not mine.exists()
    Draft.objects.create(
        case=leased.case, reader=newcomer, version=1, answers={}, seconds=1.0, updated_at=now
    )
    Entry.objects.filter(case=leased.case).update(state=Entry.State.WAITING)
    assert not begun(newcomer, tested.pk).exists()


def test_no_gold_case_is_one_that_the_reader_holds_or_was_asked_about(
    tested: Project, newcomer: User, reader: User, now: datetime
) -> None:
    gold = [one.pk for one in free_gold(newcomer, tested.pk, set())]
    assert len(gold) == 6
    asked = Remark(case_id=gold[0], author=reader, to=newcomer, kind=Remark.Kind.QUESTION)
    asked.text, asked.created_at, asked.idempotency_key = "What is it?", now, uuid4()
    asked.save()
    assert [one.pk for one in free_gold(newcomer, tested.pk, {gold[1]})] == gold[2:]
    held = Lease(case_id=gold[2], project=tested, reader=newcomer, position=1)
    membership = Membership.objects.get(user=newcomer, project=tested)
    tested.protocols.update(settings={"qualification_cases": 6})
    given = practice_leases(membership, [held], now, most=AHEAD)
    assert given is not None
    assert [one.case_id for one in given] == [gold[1], *gold[3 : AHEAD + 1]]


def test_readers_who_begin_their_test_take_slots_in_one_order_and_read_in_their_own(
    tested: Project, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once wait for each other at most once, and never in a circle."""
    tested.protocols.update(settings={"qualification_cases": AHEAD})
    taken: list[list[UUID]] = []

    def noted(lease: Lease, pick: Pick) -> bool:
        taken[-1].append(lease.case_id)
        return take_slot(lease, pick)

    monkeypatch.setattr(practice, "take_slot", noted)
    for _ in range(4):
        one = factories.a_reader(tested)
        order = [case.pk for case in free_gold(one, tested.pk, set())][:AHEAD]
        taken.append([])
        assert [held.case.pk for held in work_of(one, tested, now).cases] == order
        assert taken[-1] == sorted(order)


def test_the_time_of_practice_and_test_is_expert_time_and_no_reading(
    tested: Project, newcomer: User, now: datetime
) -> None:
    go_through(newcomer, tested, now, ["normal"] * (PRACTICE + TEST))
    day = Effort.objects.get(reader=newcomer)
    assert (day.seconds, day.readings, day.times) == (4.0 * (PRACTICE + TEST), 0, {})


def test_marking_what_is_gold_again_changes_its_comment_alone(
    tested: Project, staff: User, now: datetime
) -> None:
    gold = GoldCase.objects.order_by("pk").first()
    assert gold is not None
    ReferenceStandard.objects.filter(case=gold.pk).update(answers={"finding": "pneumonia"})
    other, number = factories.a_member(tested, Role.ML_STAFF), gold.case.number

    def mark(comment: str) -> None:
        make_gold(project=tested, numbers=[number], comment=comment, by=other, now=now + timedelta(days=1))

    mark("Look again")
    after = GoldCase.objects.get(pk=gold.pk)
    assert (after.answers, after.made_by, after.created_at) == (gold.answers, staff, gold.created_at)
    assert after.comment == "Look again"
    with pytest.raises(RefusedError):
        mark("a\x00b")
    retire_gold(project=tested, number=number, by=staff, now=now)
    mark("Anew")
    assert GoldCase.objects.get(pk=gold.pk).answers == {"finding": "pneumonia"}


def test_many_cases_are_made_gold_in_as_many_questions_as_few(
    project: Project, reader: User, staff: User, now: datetime
) -> None:
    numbers = [case.number for case in project.cases.order_by("number")]
    for case in project.cases.all():
        factories.a_reading(reader, case, {"finding": "normal"})
    with CaptureQueriesContext(connection) as few:
        make_gold(project=project, numbers=numbers[:2], comment="", by=staff, now=now)
    with CaptureQueriesContext(connection) as many:
        make_gold(project=project, numbers=numbers[2:], comment="", by=staff, now=now)
    assert GoldCase.objects.filter(project=project, made_by=staff).count() == len(numbers)
    assert len(many) == len(few)
