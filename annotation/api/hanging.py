"""How a case hangs, and what hangs beside it."""

from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema

from annotation.api.cases import instances_view
from annotation.api.permissions import person, record_view
from annotation.api.responses import MISSING
from annotation.api.schemas import InstanceView
from annotation.projects.companions import Companion, companions_of, own_rules, rule_for
from annotation.projects.selectors import case_for

router = Router(tags=["cases"])


class CompanionView(Schema):
    """Another series of the patient; its frames are fetched under its own case."""

    case_id: UUID
    series_instance_uid: str
    label: str
    is_prior: bool
    instances: list[InstanceView]


class HangingView(Schema):
    """The rule that fits the case; preset: the name of a window, play: a film starts by itself."""

    rule: str
    layout: str
    preset: str | None
    play: bool
    companions: list[CompanionView]


@router.get("cases/{uuid:case_id}/hanging", response={200: HangingView, **MISSING})
def get_hanging(request: HttpRequest, case_id: UUID) -> HangingView:
    """Say how a case hangs by its project's rules, and with what."""
    user = person(request)
    case = case_for(user, case_id)
    companions = companions_of(user, case)
    rule = rule_for(case, companions, own_rules(case))
    record_view(request, case)
    return HangingView.model_construct(
        rule=rule.name,
        layout=rule.layout,
        preset=rule.preset,
        play=rule.play,
        companions=[companion_view(one) for one in companions],
    )


def companion_view(companion: Companion) -> CompanionView:
    """Show a companion."""
    series = companion.case.series
    return CompanionView.model_construct(
        case_id=companion.case.pk,
        series_instance_uid=series.series_instance_uid,
        label=companion.label,
        is_prior=companion.is_prior,
        instances=instances_view(series),
    )
