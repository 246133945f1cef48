"""Reads of projects, scoped by the user: what a person may not see does not exist."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, QuerySet

from accounts.models import Role, User
from accounts.selectors import is_id
from annotation.projects.kept import kept
from annotation.projects.models import Case, Membership, Project, Protocol
from annotation.projects.questions import Document, Settings
from annotation.projects.rules import LearnedQuestion, first_learnable


class UnknownProjectError(LookupError):
    """No project has this name or id."""


def projects_for(user: User) -> QuerySet[Project]:
    """Projects that the person is a member of; an administrator sees all."""
    if user.is_admin:
        return Project.objects.all()
    return Project.objects.filter(memberships__user=user)


def projects_managed(user: User) -> QuerySet[Project]:
    """Projects of which the person is ML staff; an administrator manages all."""
    if user.is_admin:
        return Project.objects.all()
    return Project.objects.filter(memberships__user=user, memberships__role=Role.ML_STAFF)


def project_for(user: User, project_id: UUID) -> Project:
    """One project that the person may see.

    raises: Project.DoesNotExist.
    """
    return projects_for(user).get(pk=project_id)


def cases_for(user: User) -> QuerySet[Case]:
    """Cases of the projects that the person may see."""
    cases = Case.objects.select_related("series", "patient").filter(project__deletion=None)
    return cases if user.is_admin else cases.filter(project__memberships__user=user)


def case_for(user: User, case_id: UUID) -> Case:
    """One case that the person may see.

    raises: Case.DoesNotExist.
    """
    return cases_for(user).get(pk=case_id)


def role_in(user: User, project_id: UUID) -> str:
    """Name the role: reader, ml_staff, admin or nothing; a membership says more than being an admin."""
    membership = Membership.objects.filter(user=user, project=project_id).first()
    if membership is not None:
        return membership.role
    return "admin" if user.is_admin else ""


def organises(user: User, project_id: UUID) -> bool:
    """Whether the person organises the project: its ML staff, and administrators who do not read there."""
    return role_in(user, project_id) in (Role.ML_STAFF, "admin")


def is_reader(user: User, project_id: UUID) -> bool:
    """Whether the person reads in the project."""
    return role_in(user, project_id) == Role.READER


def adjudicates_in(user: User, project_id: UUID) -> bool:
    """Whether the person decides where the project's readers differ."""
    return Membership.objects.filter(user=user, project=project_id, adjudicates=True).exists()


def protocol_in_force(project_id: UUID) -> Protocol:
    """Find the newest version of what is asked."""
    return Protocol.objects.filter(project=project_id).latest("version")


def document_in(protocol: Protocol) -> Document:
    """Read what a version asks."""
    return Document.model_validate({"questions": protocol.questions, "settings": protocol.settings})


def settings_in(protocol: Protocol) -> Settings:
    """Read how a version's readers are asked; what it does not say is as by default."""
    return Settings.model_validate(protocol.settings)


def versions_for(user: User, project_id: UUID) -> QuerySet[Protocol]:
    """Versions of the protocol of a project that the person may see, the newest first."""
    project = project_for(user, project_id)
    return project.protocols.select_related("created_by").order_by("-version")


def question_learned(project_id: UUID) -> LearnedQuestion:
    """Find the question that the project's models learn to answer."""
    return first_learnable(protocol_in_force(project_id).questions)


def members_for(user: User, project_id: UUID) -> QuerySet[Membership]:
    """Members of a project that the person may see, with their names."""
    project = project_for(user, project_id)
    return project.memberships.select_related("user").order_by("user__username")


@dataclass(frozen=True)
class Overview:
    """What a project's page shows first."""

    project: Project
    role: str
    protocol: Protocol
    cases: int
    pool: int
    audit: int
    held_out: int
    patients: int


def project_overview(user: User, project_id: UUID) -> Overview:
    """Sum up a project that the person may see, in five queries; patients of many cases once a minute."""
    project = project_for(user, project_id)
    streams: dict[str, int] = dict(project.cases.order_by().values_list("stream").annotate(Count("pk")))
    cases = sum(streams.values())
    counting = project.cases.order_by().values("patient").distinct().count
    return Overview(
        project=project,
        role=role_in(user, project_id),
        protocol=protocol_in_force(project_id),
        cases=cases,
        pool=streams.get(Case.Stream.POOL, 0),
        audit=streams.get(Case.Stream.AUDIT, 0),
        held_out=streams.get(Case.Stream.HELD_OUT, 0),
        patients=kept(f"patients:{project_id}", counting, rows=lambda _patients: cases),
    )


def project_called(name: str) -> Project:
    """Find a project by name or id, for commands on the machine itself: not scoped.

    raises: UnknownProjectError naming those there are.
    """
    projects = Project.objects.select_related("dataset")
    found = projects.filter(name=name).first()
    if found is None and is_id(name):
        found = projects.filter(pk=name).first()
    if found is None:
        known = ", ".join(Project.objects.values_list("name", flat=True)) or "none"
        raise UnknownProjectError(f'there is no project "{name}": there are {known}')
    return found
