"""Masks and regions that a model proposes: who may see them, and what is kept of them with the reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.models import User
from annotation.learning.drawn import Drawable, drawn_questions
from annotation.learning.drawn_models import RegionSuggestion
from annotation.projects.models import Protocol
from annotation.projects.questions import Segmentation
from annotation.projects.selectors import settings_in
from annotation.queue.models import Lease, Pick
from annotation.queue.suggestions import Shown, why_hidden
from annotation.readings.agreement.drawn import masks_agree, regions_agree


@dataclass(frozen=True)
class DrawnSuggestion:
    """A proposed answer; scores: how sure the model is of each region by id, or of the mask as "mask"."""

    question: str
    answer: Any
    scores: dict[str, float]
    version: int


def proposed_for(leases: Sequence[Lease], protocol: Protocol) -> dict[UUID, list[RegionSuggestion]]:
    """Find, by lease, what was proposed when the case was given out: it stays while the reader reads."""
    asked = {one.key: one for one in drawn_questions(protocol)}
    if not asked or not leases:
        return {}
    rows = RegionSuggestion.objects.filter(case__in=[one.case_id for one in leases], question__in=asked)
    newest = list(rows.select_related("head").order_by("-created_at", "-pk"))
    found: dict[UUID, list[RegionSuggestion]] = {}
    for lease in leases:
        mine = [one for one in newest if one.case_id == lease.case_id and one.created_at <= lease.created_at]
        first = {one.question: one for one in reversed(mine)}
        found[lease.pk] = [one for key, one in first.items() if still_fits(asked[key], one)]
    return found


def still_fits(question: Drawable, row: RegionSuggestion) -> bool:
    """Whether the question still has the form and the classes that the head learned."""
    labels = question.classes if isinstance(question, Segmentation) else question.labels
    return row.head.kind == question.kind and set(row.head.classes) <= {one.value for one in labels}


def why_drawn_withheld(
    rows: Sequence[RegionSuggestion], pick: Pick, protocol: Protocol, case_id: UUID, reader: User
) -> str:
    """Say why the reader is shown no mask and no region; nothing where they are shown."""
    return why_hidden(pick, protocol, case_id, reader, is_predicted=bool(rows))


def drawn_for(
    rows: Sequence[RegionSuggestion], pick: Pick, protocol: Protocol, case_id: UUID, reader: User
) -> list[DrawnSuggestion]:
    """Give what the reader may see of what is proposed."""
    if why_drawn_withheld(rows, pick, protocol, case_id, reader):
        return []
    return [DrawnSuggestion(one.question, one.answer, one.scores, one.head.number) for one in rows]


def with_drawn(
    facts: dict[str, Any] | None,
    *,
    pick: Pick,
    protocol: Protocol,
    reader: User,
    shown: Shown | None,
    answers: Mapping[str, Any],
) -> dict[str, Any] | None:
    """Add to what is kept of a suggestion what was proposed to be drawn, and what became of it.

    facts: of the class suggestion, None where there is nothing to keep.
    """
    lease = pick.lease
    rows = proposed_for([lease], protocol).get(lease.pk, [])
    why_not = why_drawn_withheld(rows, pick, protocol, lease.case_id, reader)
    if why_not in {"never", "no_model"}:
        return facts
    kinds = {one.key: one for one in drawn_questions(protocol)}
    seen = {} if shown is None or why_not else shown.drawn
    taken = frozenset[str]() if shown is None else frozenset(shown.taken)
    drawn = {
        one.question: {
            "version": one.head.number,
            "suggested": one.answer,
            "scores": one.scores,
            "withheld": why_not,
            "shown": seen.get(one.question, ""),
        }
        | became(
            kinds[one.question],
            one.answer,
            answers.get(one.question),
            is_taken=one.question in taken & {*seen},
        )
        for one in rows
    }
    return (facts or {"mode": settings_in(protocol).suggestions}) | {"drawn": drawn}


def became(question: Drawable, suggested: Any, sent: Any, *, is_taken: bool) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Hold what was sent against what was proposed, whether it was seen or not.

    agreement: Dice of masks, F1 of regions at an overlap of a half. Of regions also how many were taken as
    they were, edited, drawn by the reader, and left; of a mask whether it was taken.
    """
    if isinstance(question, Segmentation):
        return {"agreement": round(masks_agree(suggested, sent), 4), "taken": is_taken}
    regions = sent or []
    origins = [one.get("origin", "reader") for one in regions]
    kept = {one["id"] for one in regions}
    return {
        "agreement": round(regions_agree(suggested, regions), 4),
        "accepted": origins.count("suggestion"),
        "edited": origins.count("edited"),
        "own": origins.count("reader"),
        "left": sum(one["id"] not in kept for one in suggested),
    }
