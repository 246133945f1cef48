"""The anchoring page of ML staff: what suggestions do to readers, measured against blank starts."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from accounts.models import Role
from annotation.api.pages.access import ADMIN, Visit, member
from annotation.api.pages.charts import Chart, Point, Series, chart
from annotation.api.pages.frame import project_page
from annotation.learning.drawn import Drawable, drawn_questions, heads_for
from annotation.projects.rules import LearnedQuestion, first_learnable
from annotation.projects.selectors import protocol_in_force, settings_in
from annotation.queue.anchored import facts_by_question, numbered_readers
from annotation.queue.anchoring import CONTROL, SHOWN, UNSEEN, Fact, Row, compared, over_time, rows_by, told

HEADS_SHOWN = 8


@dataclass(frozen=True)
class Compared:
    """One question as it is shown. measure: how agreement is told."""

    prompt: str
    measure: str
    verdict: str
    all: Row
    labels: list[Row]
    readers: list[Row]
    unseen: int
    chart: Chart | None


@require_http_methods(["GET"])
@member(Role.ML_STAFF, ADMIN)
def anchoring(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show each question's comparison, and the heads that draw."""
    protocol = protocol_in_force(visit.project.pk)
    readers = list(numbered_readers(visit.project.pk).values())
    learned = first_learnable(protocol.questions)
    drawn = {one.key: one for one in drawn_questions(protocol)}
    facts = facts_by_question(visit.user, visit.project.pk)
    return project_page(
        request,
        "learning/anchoring.html",
        "learning",
        visit,
        settings=settings_in(protocol),
        questions=[shown(drawn.get(key) or learned, part, readers) for key, part in facts.items()],
        heads=heads_for(visit.user, visit.project.pk)[:HEADS_SHOWN],
        draws=bool(drawn),
    )


def shown(question: Drawable | LearnedQuestion, facts: Sequence[Fact], readers: Sequence[str]) -> Compared:
    """Compare one question's readings."""
    is_chosen = isinstance(question, LearnedQuestion)
    measure = "Agreement"
    if not is_chosen:
        measure = "Dice" if question.kind == "segmentation" else "F1 of regions"
    everything = compared("All readings", facts)
    values = dict.fromkeys(one.label for one in facts)
    labels = rows_by(facts, lambda one: one.label, values) if is_chosen else []
    return Compared(
        prompt=question.prompt,
        measure=measure,
        verdict=told(everything),
        all=everything,
        labels=labels,
        readers=rows_by(facts, lambda one: one.reader, readers),
        unseen=sum(one.side == UNSEEN for one in facts),
        chart=chart_of(facts, measure),
    )


def chart_of(facts: Sequence[Fact], measure: str) -> Chart | None:
    """Draw agreement as readings came in, a line a side."""
    names = {SHOWN: "Suggestion shown", CONTROL: "Blank start"}
    series = [
        Series(
            name,
            [
                Point(count, one.value, one.low, one.high, f"{one.value:.2f} after {count} readings")
                for count, one in over_time([fact for fact in facts if fact.side == side])
            ],
        )
        for side, name in names.items()
    ]
    return chart(
        [one for one in series if one.points],
        title=f"{measure} with the suggestion by number of readings, one line a side",
        x_title="readings of that side",
        y_title=f"{measure} with the suggestion so far, with its 95 % interval",
        y_limits=(0.0, 1.0),
    )
