"""A project in the making: renamed, asked something else, given a data set, before anybody reads in it."""

from datetime import datetime
from typing import Any, ClassVar, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from accounts.models import User
from annotation.projects.kept import kept
from annotation.projects.models import Case, Project
from annotation.projects.protocols import document_of
from annotation.projects.questions import Document
from annotation.projects.rules import RefusedError, own_choices, single_choice
from annotation.projects.selectors import document_in, protocol_in_force
from annotation.projects.services import record_act, save_protocol, start_project
from annotation.projects.templates import templates
from annotation.studies.models import Dataset, Import, Instance

LONGEST_PROMPT: Final = 200
READ_ALREADY = (
    "Cases were read already: their answers stand as they were asked. Change what is asked in the protocol"
    " editor, which says what becomes of them."
)
IMAGES_THERE = (
    "images were brought into this project already: they stay with it. Make another project for other images"
)
NAME_TAKEN: Final = "There is a project of this name already."


class NameTakenError(RefusedError):
    """Another project has this name."""

    code: ClassVar[str] = "name_taken"

    def __init__(self) -> None:
        super().__init__(f"name: {NAME_TAKEN}")


def begin_project(*, name: str, document: Document, now: datetime, by: User) -> Project:
    """Make a project with a data set of its own, and nobody in it.

    raises: NameTakenError.
    """
    try:
        with transaction.atomic():
            return start_project(name=name, document=document, now=now, created_by=by)
    except IntegrityError:
        raise NameTakenError from None


@transaction.atomic
def describe_again(
    *, project: Project, name: str, document: Document | None, now: datetime, by: User
) -> None:
    """Give a project another name, and ask something else; None: what is asked stays.

    raises: RefusedError where something else is asked and a case was read, NameTakenError.
    """
    if project.name != name:
        rename(project, name)
        record_act("project.rename", project.pk, by=by, details={})
    if document is not None:
        base = protocol_in_force(project.pk).version
        if document.questions != document_in_force(project.pk).questions and is_read(project.pk):
            raise RefusedError(READ_ALREADY)
        wanted = Document(questions=document.questions, settings=document_in_force(project.pk).settings)
        save_protocol(project=project, document=wanted, base_version=base, now=now, by=by)


def rename(project: Project, name: str) -> None:
    """Give a project another name.

    raises: NameTakenError.
    """
    try:
        with transaction.atomic():
            Project.objects.filter(pk=project.pk).update(name=name)
    except IntegrityError:
        raise NameTakenError from None


def document_in_force(project_id: UUID) -> Document:
    """Read what a project asks."""
    return document_in(protocol_in_force(project_id))


def is_read(project_id: UUID) -> bool:
    """Whether a case of a project was read."""
    return Case.objects.filter(project=project_id, readings__isnull=False).exists()


def described(project: Project) -> dict[str, Any] | None:
    """Say how a project's questions were chosen: template, or prompt and choices; None: in the editor."""
    document = document_in_force(project.pk)
    asked = document.plain()["questions"]
    for one in templates():
        if document_of(one.document).plain()["questions"] == asked:
            return {"template": one.name}
    first = asked[0]
    labels = "\n".join(one["label"] for one in first.get("choices", []))
    return (
        {"prompt": first["prompt"], "choices": labels} if written(first["prompt"], labels) == asked else None
    )


def written(prompt: str, labels: str) -> list[Any]:
    """Write the questions that a prompt and its answers, one a line, are; none where they cannot be typed."""
    pairs = own_choices(labels)
    if not 2 <= len(dict(pairs)) <= 9 or len(prompt) > LONGEST_PROMPT or prompt != prompt.strip():
        return []
    asked = single_choice(prompt, [*dict(pairs).items()])
    return list(document_of({"questions": [asked]}).plain()["questions"])


def datasets_to_take(project: Project) -> QuerySet[Dataset]:
    """List the data sets with images that an empty project can ask about."""
    others = Dataset.objects.filter(deletion=None).exclude(pk=project.dataset_id)
    return others.filter(Exists(Instance.objects.filter(dataset=OuterRef("pk")))).order_by("name")


def images_by_dataset() -> dict[UUID, int]:
    """Count the images of every data set; counts over many are a minute old at most."""
    rows = Instance.objects.order_by().values_list("dataset")
    return kept(
        "images_by_dataset",
        lambda: dict(rows.annotate(Count("pk"))),
        rows=lambda found: sum(found.values()),
    )


def check_empty(project: Project) -> None:
    """Make sure that a project has no images and none are on their way; the project is locked.

    raises: RefusedError.
    """
    if project.cases.exists() or Import.objects.filter(project_id=project.pk).exists():
        raise RefusedError(IMAGES_THERE)


@transaction.atomic
def take_dataset(*, project: Project, dataset_id: UUID, by: User) -> Project:
    """Let a project without images ask about those of a data set; its own empty one goes.

    raises: RefusedError where it has images, Dataset.DoesNotExist.
    """
    locked = Project.objects.select_for_update().get(pk=project.pk)
    former = locked.dataset_id
    check_empty(locked)
    locked.dataset = datasets_to_take(locked).select_for_update().get(pk=dataset_id)
    locked.save(update_fields=["dataset"])
    empty = Dataset.objects.filter(pk=former, projects=None, instances=None, imports=None, quarantine=None)
    empty.filter(patients=None, studies=None).delete()
    record_act("project.take_dataset", locked.pk, by=by, details={"dataset": str(dataset_id)})
    return locked
