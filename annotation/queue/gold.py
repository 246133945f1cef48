"""Gold cases and qualifications as ML staff and administrators keep them: made, retired, granted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from unicodedata import category
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext as _

from accounts.models import Role, User
from annotation.learning.selectors import learning_project
from annotation.projects.models import Case, Membership, Project
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.queue.counting import ask_counting
from annotation.queue.qualification import Phase, answers_in_test
from annotation.readings.gold_models import GoldCase, GoldReading, Qualification
from annotation.readings.models import Reading, ReferenceStandard
from annotation.readings.selectors import revisions_in_force
from audit.services import record

MOST_AT_ONCE, LONGEST_COMMENT, OFFERED = 200, 1000, 50
GRANT, AGAIN, ASK = "grant", "again", "ask"
ACTS = (GRANT, AGAIN, ASK)
# Of a case that was gold before: all that is said of it anew.
MADE_ANEW = (
    *("project", "answers", "measurements", "protocol_version", "comment"),
    *("made_by", "created_at", "retired_at"),
)
State = Literal["before", "practice", "test", "passed", "granted", "failed", "not_asked"]


@dataclass(frozen=True)
class Made:
    """What came of marking cases: how many are gold now, and which were left out, by why."""

    made: int
    left_out: Mapping[str, int]


@transaction.atomic
def make_gold(*, project: Project, numbers: Sequence[int], comment: str, by: User, now: datetime) -> Made:
    """Mark cases as gold, by number: those with a reference standard; of what is gold, the comment alone.

    raises: RefusedError where there is no case, too many, or a comment that cannot be kept.
    """
    words, wanted = checked_words(comment), set(numbers)
    if not wanted or len(wanted) > MOST_AT_ONCE:
        raise RefusedError(_("choose 1 to %d cases") % MOST_AT_ONCE)
    cases = Case.objects.filter(project=project, number__in=wanted).order_by("pk")
    known = {one.case_id: one for one in ReferenceStandard.objects.filter(case__in=cases)}
    chosen = [case for case in cases if case.pk in known]
    gold = GoldCase.objects.select_for_update().filter(case__in=chosen, retired_at=None).order_by("pk")
    already = {one.pk for one in gold}
    GoldCase.objects.filter(pk__in=already).update(comment=words)
    version, measured = protocol_in_force(project.pk).version, measurements_of(known)
    new = [
        GoldCase(
            case=case,
            project=project,
            answers=known[case.pk].answers,
            measurements=measured.get(case.pk, {}),
            protocol_version=version,
            comment=words,
            made_by=by,
            created_at=now,
        )
        for case in chosen
        if case.pk not in already
    ]
    GoldCase.objects.bulk_create(
        new, update_conflicts=True, unique_fields=["case"], update_fields=MADE_ANEW, batch_size=MOST_AT_ONCE
    )
    if chosen:
        record_gold(by, project.pk, "gold.make", {"cases": sorted(case.number for case in chosen)})
    reasons = Counter(without_reference=len(cases) - len(chosen), unknown=len(wanted) - len(cases))
    return Made(len(chosen), +reasons)


def checked_words(comment: str) -> str:
    """Check what is told of a gold case; returns it, trimmed.

    raises: RefusedError.
    """
    words = " ".join(comment.split())
    if len(words) > LONGEST_COMMENT:
        raise RefusedError(_("the comment has at most %d characters") % LONGEST_COMMENT)
    if any(category(letter) == "Cc" for letter in words):
        raise RefusedError(_("the comment has characters that cannot be written"))
    return words


def measurements_of(known: Mapping[UUID, ReferenceStandard]) -> dict[UUID, Mapping[str, object]]:
    """Find what was measured of the answers that reference standards took over, by case; in one query."""
    found: dict[UUID, Mapping[str, object]] = {}
    for revision in revisions_in_force().filter(reading__case__in=known).select_related("reading"):
        case_id = revision.reading.case_id
        if revision.answers == known[case_id].answers:
            found.setdefault(case_id, revision.measurements)
    return found


@transaction.atomic
def retire_gold(*, project: Project, number: int, by: User, now: datetime) -> bool:
    """Give a gold case to no reader any more; what was read of it stays.

    returns: whether anything changed.
    """
    gold = GoldCase.objects.select_for_update(of=("self",)).filter(project=project, case__number=number)
    changed = gold.filter(retired_at=None)
    if not (found := changed.first()):
        return False
    found.retired_at = now
    found.save(update_fields=["retired_at"])
    record_gold(by, project.pk, "gold.retire", {"cases": [number]})
    return True


@transaction.atomic
def act_on_qualification(
    *, project: Project, reader_id: UUID, act: str, by: User, now: datetime
) -> Qualification:
    """Let a reader count without a test, try once more, or be asked though they read before.

    raises: Membership.DoesNotExist for who does not read here, RefusedError, also to ask who has passed.
    """
    if act not in ACTS:
        raise RefusedError(_("choose one of %s") % ", ".join(ACTS))
    membership = (
        Membership.objects.select_for_update()
        .select_related("user")
        .get(project=project, user=reader_id, role=Role.READER)
    )
    asked, is_new = Qualification.objects.get_or_create(
        project=project, reader=membership.user, defaults={"asked_at": now}
    )
    if act == ASK and asked.has_passed and asked.waived_by_id is None:
        raise RefusedError(_("the reader has passed the test: give one more attempt instead"))
    if act == GRANT:
        asked.has_passed, asked.waived_by, asked.settled_at = True, by, now
    elif not is_new:
        # Who answered test cases of this attempt would never be asked enough of them again.
        asked.attempt += int(act == AGAIN or answers_in_test(asked).exists())
        asked.has_passed, asked.waived_by, asked.settled_at = None, None, None
        asked.asked_at = now
    asked.save()
    ask_counting(project.pk, membership.user_id)
    record_gold(by, project.pk, f"qualification.{act}", {"reader": str(reader_id), "attempt": asked.attempt})
    return asked


def record_gold(by: User, project_id: UUID, action: str, details: Mapping[str, object]) -> None:
    """Audit; the comment stays in its row."""
    record(
        actor=str(by.pk),
        action=action,
        object_type="project",
        object_id=str(project_id),
        details=dict(details),
    )


@dataclass(frozen=True)
class GoldRow:
    """A gold case, how often it was read, and how often as the reference."""

    gold: GoldCase
    read: int
    right: int


def gold_for(user: User, project_id: UUID, most: int | None = None) -> list[GoldRow]:
    """List a project's gold cases, the newest first, with how often each was read, and read right.

    raises: Project.DoesNotExist, ForbiddenError to readers, whom the answers would help.
    """
    gold = GoldCase.objects.filter(project=learning_project(user, project_id))
    rows = gold.select_related("case", "made_by").order_by("-created_at", "case__number")
    counted = rows.annotate(
        read=Count("readings"), right=Count("readings", filter=Q(readings__is_right=True))
    )
    return [GoldRow(one, one.read, one.right) for one in counted[:most]]


def offered_for(user: User, project_id: UUID) -> list[ReferenceStandard]:
    """List cases that are good to be gold: decided by an adjudicator, or read by several; newest cases first.

    raises: as gold_for.
    """
    project = learning_project(user, project_id)
    known = ReferenceStandard.objects.filter(case__project=project, case__gold=None)
    adjudicated = Q(provenance=ReferenceStandard.Provenance.ADJUDICATED)
    rows = known.filter(adjudicated | Q(readings__gt=1)).select_related("case").defer("uncertainty")
    return list(rows.order_by("-case__number")[:OFFERED])  # by an index: the newest are found without a sort


@dataclass(frozen=True)
class Progressing:
    """How far a reader is; tested, right: of the attempt that counts."""

    reader: User
    state: State
    attempt: int
    practised: int
    tested: int
    right: int


def progress_for(user: User, project_id: UUID) -> list[Progressing]:
    """Tell how far each reader of a project is, in a number of queries that does not grow.

    raises: as gold_for.
    """
    project = learning_project(user, project_id)
    settings = settings_in(protocol_in_force(project.pk))
    asked = {one.reader_id: one for one in Qualification.objects.filter(project=project)}
    read = Counter[tuple[UUID, int, str]]()
    right = Counter[tuple[UUID, int, str]]()
    answers = GoldReading.objects.filter(gold__project=project).order_by()
    for one in answers.values("reader", "attempt", "phase", "is_right").annotate(count=Count("pk")):
        key = (one["reader"], one["attempt"], one["phase"])
        read[key] += one["count"]
        right[key] += one["count"] * one["is_right"]
    mine = Reading.objects.filter(reader=OuterRef("user"), case__project=project)
    readers = Membership.objects.filter(project=project, role=Role.READER).select_related("user")
    found = []
    for membership in readers.annotate(has_read=Exists(mine)).order_by("user__username"):
        qualification = asked.get(membership.user_id)
        attempt = qualification.attempt if qualification else 1
        test = (membership.user_id, attempt, Phase.TEST)
        practised = read[membership.user_id, 1, Phase.PRACTICE]
        found.append(
            Progressing(
                membership.user,
                state_of(
                    qualification,
                    is_practising=practised < settings.practice_cases and attempt == 1,
                    has_read=membership.has_read,
                ),
                attempt,
                practised,
                read[test],
                right[test],
            )
        )
    return found


def state_of(asked: Qualification | None, *, is_practising: bool, has_read: bool) -> State:
    """Name where a reader stands."""
    if asked is None:
        return "not_asked" if has_read else "before"
    if asked.has_passed is None:
        return "practice" if is_practising else "test"
    if asked.waived_by_id is not None:
        return "granted"
    return "passed" if asked.has_passed else "failed"
