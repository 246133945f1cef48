"""Writes of projects, cases and memberships: one transaction each."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from accounts.models import Role, User
from annotation.projects.changes import changes_between
from annotation.projects.hanging import Rule, rows_of
from annotation.projects.models import Case, Membership, Placement, Project, Protocol
from annotation.projects.protocols import ProtocolStaleError, document_of
from annotation.projects.questions import Document, Settings
from annotation.projects.rules import (
    DEFAULT_AUDIT_SHARE,
    project_key,
    single_choice,
    stream_of,
    strictest_split,
)
from annotation.projects.selectors import document_in, protocol_in_force, settings_in
from annotation.studies.acquisitions import acquisitions_of
from annotation.studies.models import Dataset, Patient, Series
from audit.services import record
from jobs.models import Lane
from jobs.services import ask


@dataclass(frozen=True)
class NewCase:
    """A series that becomes something to read."""

    series_id: UUID
    patient_id: UUID
    split: str = ""


def create_project(
    *,
    name: str,
    choices: Sequence[tuple[str, str]],
    prompt: str,
    now: datetime,
    dataset: Dataset | None = None,
    created_by: User | None = None,
) -> Project:
    """Make a project that asks for one of the choices."""
    document = document_of({"questions": [single_choice(prompt, choices)]})
    return start_project(name=name, document=document, now=now, dataset=dataset, created_by=created_by)


@transaction.atomic
def start_project(
    *,
    name: str,
    document: Document,
    now: datetime,
    dataset: Dataset | None = None,
    created_by: User | None = None,
) -> Project:
    """Make a project with version 1 of its protocol, and a data set of its own where none is given."""
    dataset = dataset or Dataset.objects.create(name=name, created_at=now)
    project = Project.objects.create(name=name, dataset=dataset, created_at=now)
    write_protocol(project, document, version=1, changes=[], now=now, by=created_by)
    record_act("project.create", project.pk, by=created_by, details={"questions": len(document.questions)})
    return project


@transaction.atomic
def save_protocol(
    *, project: Project, document: Document, base_version: int, now: datetime, by: User | None
) -> Protocol:
    """Put a new version in force; what does not differ from the version in force makes none.

    Leases, drafts and readings stay as they are: each names the version that it is about.
    base_version: what the changes were made from.
    raises:       ProtocolStaleError where somebody saved another version since.
    """
    Project.objects.select_for_update().get(pk=project.pk)
    current = protocol_in_force(project.pk)
    changes = changes_between(document_in(current), document)
    if not changes:
        return current
    if current.version != base_version:
        raise ProtocolStaleError(
            f"version {current.version} was saved since you opened version {base_version}:"
            " copy your JSON, load the page again and make your changes there"
        )
    version = current.version + 1
    saved = write_protocol(project, document, version=version, changes=changes, now=now, by=by)
    record_act("protocol.save", project.pk, by=by, details={"version": version, "changes": len(changes)})
    if wants_less(settings_in(current), document.settings):
        is_new = document.settings.adjudicated and not settings_in(current).adjudicated
        ask_settling(project.pk, whole=is_new)
    if tests_otherwise(settings_in(current), document.settings):
        ask_settling_tests(project.pk)
    return saved


def write_protocol(
    project: Project,
    document: Document,
    *,
    version: int,
    changes: Sequence[str],
    now: datetime,
    by: User | None,
) -> Protocol:
    """Write one version, without what is said by leaving it out."""
    plain = document.plain()
    return Protocol.objects.create(
        project=project,
        version=version,
        questions=plain["questions"],
        settings=plain.get("settings", {}),
        changes="\n".join(changes),
        created_by=by,
        created_at=now,
    )


@transaction.atomic
def save_hanging_rules(*, project: Project, rules: Sequence[Rule], by: User | None) -> None:
    """Put a project's own hanging rules in force: the next case that is opened hangs by them."""
    project.hanging_rules = rows_of(rules)
    project.save(update_fields=["hanging_rules"])
    record_act("hanging.save", project.pk, by=by, details={"rules": len(rules)})


@transaction.atomic
def add_cases(
    *,
    project: Project,
    items: Sequence[NewCase],
    now: datetime,
    audit_share: float = DEFAULT_AUDIT_SHARE,
) -> list[Case]:
    """Make the items' cases, in the items' order; a series that is a case already stays as it is."""
    Project.objects.select_for_update().get(pk=project.pk)
    known = {case.series_id: case for case in project.cases.filter(series__in=[i.series_id for i in items])}
    fresh = {item.series_id: item for item in items if item.series_id not in known}
    streams = streams_of(project, fresh.values(), audit_share)
    acquisitions = acquisitions_of(project.dataset_id, Series.objects.filter(pk__in=fresh))
    parts = placed_parts(project.pk, streams)
    last = project.cases.aggregate(last=Max("number"))["last"] or 0
    made = [
        Case(
            project=project,
            series_id=item.series_id,
            patient_id=item.patient_id,
            number=number,
            stream=streams[item.patient_id],
            split=item.split,
            part=parts.get(item.patient_id, ""),
            acquisition_id=acquisitions.get(item.series_id),
            created_at=now,
        )
        for number, item in enumerate(fresh.values(), start=last + 1)
    ]
    known |= {case.series_id: case for case in Case.objects.bulk_create(made)}
    return [known[item.series_id] for item in items]


def placed_parts(project_id: UUID, patients: Collection[UUID]) -> dict[UUID, str]:
    """Find where the project's split placed patients; those that it has not placed are left out."""
    placed = Placement.objects.filter(project=project_id, patient__in=patients)
    return dict(placed.values_list("patient_id", "part"))


def streams_of(project: Project, items: Iterable[NewCase], audit_share: float) -> Mapping[UUID, str]:
    """Stream of each patient: the one they have already, else drawn."""
    splits: dict[UUID, list[str]] = {}
    for item in items:
        splits.setdefault(item.patient_id, []).append(item.split)
    pseudonyms = dict(Patient.objects.filter(pk__in=splits).values_list("pk", "pseudonym"))
    key = project_key(project.pk)
    drawn = {
        patient: stream_of(pseudonyms[patient], strictest_split(given), audit_share, key)
        for patient, given in splits.items()
    }
    kept = project.cases.filter(patient__in=splits).values_list("patient_id", "stream")
    return drawn | dict(kept)


@transaction.atomic
def set_membership(
    *,
    project: Project,
    user: User,
    role: Role | str | None,
    adjudicates: bool | None = None,
    by: User | None = None,
    address: str = "",
) -> Membership | None:
    """Give a person a role in a project, or (None) take the person out of it.

    adjudicates: whether the person decides where readers differ; None: as before. address: from where.
    """
    membership = None
    was_reader = Membership.objects.filter(project=project, user=user, role=Role.READER).exists()
    if role is None:
        Membership.objects.filter(project=project, user=user).delete()
    else:
        membership, _ = Membership.objects.update_or_create(
            project=project,
            user=user,
            defaults={"role": Role(role)} | ({} if adjudicates is None else {"adjudicates": adjudicates}),
        )
    details: dict[str, Any] = {"user": str(user.pk), "role": str(role) if role else ""}
    details |= {"adjudicates": True} if membership and membership.adjudicates else {}
    record_act("membership.set", project.pk, by=by, details=details, address=address)
    if was_reader and role != Role.READER:
        ask_settling(project.pk)
    return membership


def wants_less(before: Settings, after: Settings) -> bool:
    """Whether cases that wait for a reading may be done now, or go to another hand."""
    fewer = after.readers < before.readers or after.second_share < before.second_share
    return fewer or after.adjudicated != before.adjudicated


def tests_otherwise(before: Settings, after: Settings) -> bool:
    """Whether readers' tests may end otherwise, or their readings come to count."""
    return (before.qualification_cases, before.qualification_pass) != (
        after.qualification_cases,
        after.qualification_pass,
    )


def ask_settling_tests(project_id: UUID) -> None:
    """Ask the light lane to settle readers' tests by what the protocol asks now."""
    ask(
        name="settle_tests",
        lane=Lane.LIGHT,
        arguments={"project_id": str(project_id)},
        scope_id=project_id,
        singleton_key=f"settle_tests:{project_id}",
    )


def ask_settling(project_id: UUID, *, whole: bool = False) -> None:
    """Ask the light lane to look through cases that wait for one reading more; whole: and those read."""
    ask(
        name="settle_readings",
        lane=Lane.LIGHT,
        arguments={"project_id": str(project_id), "whole": whole},
        scope_id=project_id,
        singleton_key=f"settle_readings:{project_id}:{'whole' if whole else 'waiting'}",
    )


def record_act(
    action: str, project_id: UUID, *, by: User | None, details: dict[str, Any], address: str = ""
) -> None:
    """Audit what was done to a project, in the caller's transaction. address: from where, where known."""
    record(
        actor=actor_name(by),
        action=action,
        object_type="project",
        object_id=str(project_id),
        remote_address=address,
        details=details,
    )


def actor_name(user: User | None) -> str:
    """Name a person, or the system, for the audit."""
    return str(user.pk) if user else "system"
