"""What the ML console shows of a project, as plain rows for the command line; by the pages' selectors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from accounts.models import User
from annotation.learning.drifts import newest_drift
from annotation.learning.judged import Mistakes, champion_of, judged_versions, kinds_of, mistakes_of
from annotation.learning.judgements import advice_for
from annotation.learning.maps import maps_for
from annotation.learning.models import ModelVersion
from annotation.learning.rules import POLICY_LIMITS, PolicySettings
from annotation.learning.selectors import learning_curve, models_for, policy_of
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.queue.agreement import agreement_for, author_names, readings_since
from annotation.queue.anchored import comparisons_for
from annotation.queue.glance import glance_for
from annotation.queue.label_quality import check_for
from annotation.readings.effort import spent_hours

Options = Mapping[str, Any]
Rows = dict[str, Any]
FLAGS: Final = ("class_quota", "site_quota", "logit_adjustment")
POLICY: Final = ("strategy", *FLAGS, *POLICY_LIMITS)
EMPTY: Final = ("", "none", "null")
WHOLE: Final = ("refit_every", "batch_size", "train_labels", "train_days")
SAID: Final = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def viewer() -> User:
    """Stand for who works on the machine itself: an administrator of no name, who is never saved."""
    return User(username="command line", is_admin=True)


def summary(project: Project, options: Options) -> Rows:
    """Sum up labels, hours, the model in use, advice and what runs."""
    del options
    found = glance_for(viewer(), project.pk)
    champion = found.champion
    return {
        "labels": found.labels,
        "cases": found.cases,
        "spent_hours": found.spent_hours,
        "budget_hours": found.budget_hours,
        "until_refit": found.until_refit,
        "model": champion and {"number": champion.number, "metrics": champion.evaluation.metrics},
        "advice": asdict(found.advice),
        "active": found.active,
        "running": [{"job": str(one.pk), "name": one.name, "state": one.state} for one in found.running],
        "failed": found.failed and {"name": found.failed.name, "error": found.failed.error},
    }


def policy(project: Project, options: Options) -> Rows:
    """Say how the queue and the models are driven."""
    del options
    found = policy_of(viewer(), project.pk)
    encoder = found.encoder.digest[:12] if found.encoder else None
    return {name: getattr(found, name) for name in POLICY} | {
        "encoder": encoder,
        "share_labels": found.share_labels,
        "spent_hours": spent_hours(project.pk),
    }


def settings_of(written: Sequence[str]) -> PolicySettings:
    """Read NAME=VALUE; none empties what may be empty.

    raises: RefusedError naming what cannot be read; what a value may be is checked where it is kept.
    """
    found: Any = {}
    for one in written:
        name, _, value = one.partition("=")
        if name not in POLICY:
            raise RefusedError(f"{name} is no setting: there are {', '.join(POLICY)}")
        found[name] = value_of(name, value.strip())
    settings: PolicySettings = found
    return settings


def value_of(name: str, value: str) -> str | bool | float | None:
    """Read one value.

    raises: RefusedError.
    """
    if name == "strategy":
        return value
    if name in FLAGS:
        if value.lower() not in SAID:
            raise RefusedError(f"{name} is {value}: give yes or no")
        return SAID[value.lower()]
    if value.lower() in EMPTY:
        return None
    try:
        return int(value) if name in WHOLE else float(value)
    except ValueError:
        kind = "whole number" if name in WHOLE else "number"
        raise RefusedError(f"{name} is {value}: give a {kind}") from None


def advice(project: Project, options: Options) -> Rows:
    """Say whether more labels pay."""
    del options
    return asdict(advice_for(viewer(), project.pk))


def curve(project: Project, options: Options) -> Rows:
    """List how models did on the audit stream, the oldest first."""
    points = learning_curve(viewer(), project.pk, options["metric"])
    return {"metric": options["metric"], "points": points}


def agreement(project: Project, options: Options) -> Rows:
    """Say how readers agree, by question."""
    del options
    found = agreement_for(viewer(), project.pk)
    if found is None:
        return {"measured_at": None, "questions": {}}
    return {
        "measured_at": found.created_at,
        "readings": found.readings,
        "readings_since": readings_since(found),
        "authors": author_names(project.pk),
        "questions": found.figures,
    }


def labels(project: Project, options: Options) -> Rows:
    """List labels that are likely wrong, hasty readings, readers who changed."""
    del options
    found = check_for(viewer(), project.pk)
    if found is None:
        return {"checked_at": None, "doubted": [], "hasty": [], "drifts": []}
    names = ("doubted", "hasty", "drifts", "labels", "readings")
    told = {name: getattr(found, name) for name in names}
    return {"checked_at": found.created_at, "authors": author_names(project.pk)} | told


def drift(project: Project, options: Options) -> Rows:
    """Say how well new images can be told from labelled ones."""
    del options
    found = newest_drift(viewer(), project.pk)
    if found is None:
        return {"measured_at": None, "value": None, "reason": "not measured yet"}
    names = ("value", "low", "high", "new_images", "labelled_images", "reason")
    return {"measured_at": found.created_at} | {name: getattr(found, name) for name in names}


def mistakes(project: Project, options: Options) -> Rows:
    """List audit cases that a version gets wrong, the surest first.

    raises: RefusedError where there is no such version.
    """
    version = version_of(project, options["model"])
    named = {name: options[name] for name in ("truth", "thought", "site", "scanner")}
    found = mistakes_of(viewer(), version, Mistakes(**named))
    names = ("choice", "truth", "thought", "share", "truth_share", "site", "scanner")
    return {
        "model": version.number,
        "is_judged": version.number in judged_versions(project),
        "count": found.count(),
        "kinds": kinds_of(version),
        "cases": [
            {"number": one.case.number} | {name: getattr(one, name) for name in names}
            for one in found[: options["most"]]
        ],
    }


def version_of(project: Project, number: int | None) -> ModelVersion:
    """Find a version by its number, or the one in use.

    raises: RefusedError.
    """
    if number is None:
        found = champion_of(viewer(), project.pk)
    else:
        found = models_for(viewer(), project.pk).filter(number=number).first()
    if found is None:
        told = "there is no model yet" if number is None else f"there is no model {number}"
        raise RefusedError(told)
    return found


def maps(project: Project, options: Options) -> Rows:
    """List the newest map of each method."""
    del options
    found = maps_for(viewer(), project.pk).values()
    return {
        "maps": [
            {"method": one.method, "cases": one.case_count, "facts": one.facts, "drawn_at": one.created_at}
            for one in found
        ]
    }


def anchoring(project: Project, options: Options) -> Rows:
    """Say what suggestions do to readers, by question."""
    del options
    names = ("key", "prompt", "measure", "verdict", "unseen")
    found = comparisons_for(viewer(), project.pk)
    return {
        "questions": [
            {name: getattr(one, name) for name in names}
            | {"all": asdict(one.all), "readers": [asdict(row) for row in one.readers]}
            for one in found
        ]
    }


SUBJECTS: Final[Mapping[str, Callable[[Project, Options], Rows]]] = {
    "summary": summary,
    "policy": policy,
    "advice": advice,
    "curve": curve,
    "agreement": agreement,
    "labels": labels,
    "drift": drift,
    "mistakes": mistakes,
    "map": maps,
    "anchoring": anchoring,
}
