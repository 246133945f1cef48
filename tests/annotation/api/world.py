"""One of everything that an address can name, and one of every kind of person."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.invitations import invite
from accounts.models import Role, User
from accounts.scopes import Scope
from accounts.tokens import Wish, make_token
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.lifecycle.deleting import Asked, delete_project
from annotation.exchange.lifecycle.models import Erasure
from annotation.exchange.out.models import Export
from annotation.exchange.peers.models import Peer
from annotation.learning import services
from annotation.learning.files import keep
from annotation.learning.judged_models import JudgedCase
from annotation.learning.maps import NewMap, record_map
from annotation.learning.models import SimilaritySearch
from annotation.learning.services import NewEncoder, register_encoder
from annotation.projects.models import Case, Membership, Project
from annotation.queue.models import QueryBatch
from annotation.queue.remarks import Said, add_remark
from annotation.queue.selectors import LeasedCase
from annotation.queue.services import lease_next
from annotation.queue.submissions import submit
from annotation.readings.adjudication_models import Dispute
from annotation.readings.services import Answered
from annotation.studies.models import Import, Instance, QuarantinedFile
from jobs.models import Job, Lane
from notices.models import Notice
from notices.services import notify
from tests import factories


@dataclass(frozen=True)
class World:
    """People by kind (None: nobody), and ids by the name that addresses give them."""

    people: dict[str, User | None]
    ids: dict[str, Any]


def a_world() -> World:
    """Make a project that was begun, beside another one."""
    project, other = factories.a_project(), factories.a_project()
    factories.some_cases(project, 6)
    people = {
        "anonymous": None,
        "stranger": factories.a_reader(other),
        "foreign_staff": factories.a_member(other, Role.ML_STAFF),
        "reader": factories.a_reader(project),
        "colleague": factories.a_reader(project),
        "staff": factories.a_member(project, Role.ML_STAFF),
        "admin": factories.a_user(is_admin=True),
    }
    ids = ids_of(project, people["reader"]) | found_ids(project, people["staff"])
    ids |= asked_ids(project, people["colleague"], people["reader"])
    ids["export_id"] = export_id(project, people["staff"])
    ids |= life_cycle_ids(project)
    ids["dispute_id"] = dispute_id(project, people)
    ids["label_import_id"] = label_import_id(project, people["staff"])
    ids["peer_id"] = Peer.objects.create(name="PACS", ae_title="PACS", created_at=timezone.now()).pk
    admin = people["admin"]
    assert admin is not None
    _, ids["key"] = invite(user=factories.a_user(), by=admin, now=timezone.now())
    ids["key_id"] = ids["webhook_id"] = uuid4()
    ids["notice_id"] = notice_id(people["reader"])
    return World(people, ids)


def notice_id(reader: User | None) -> UUID:
    """Name something that the reader is told."""
    assert reader is not None
    notify("job_failed", [reader], now=timezone.now(), job="refit")
    return Notice.objects.get(person=reader, kind="job_failed").pk


def ids_of(project: Project, reader: User | None) -> dict[str, Any]:
    """Name one of everything in the project."""
    assert reader is not None
    now = timezone.now()
    first = lease_next(reader=reader, project_id=project.pk, now=now).cases[0]
    submitted = submit(
        reader=reader,
        lease_id=first.lease.pk,
        case_id=first.case.pk,
        answered=Answered({"finding": "normal"}, 1.0, 1, uuid4()),
        now=now,
    )
    machine_work: dict[str, Any] = {
        "job_id": Job.objects.create(
            name="refit",
            lane=Lane.LIGHT,
            arguments={"project_id": str(project.pk)},
            scope_id=project.pk,
            created_at=now,
        ).pk
    }
    run = Job.objects.create(name="train", lane=Lane.TRAINING, scope_id=project.pk, created_at=now)
    machine_work |= {"run_id": run.pk, "method": "pca"}
    held = submitted.workload.cases[0]
    return (
        case_ids(held)
        | delivery_ids(project)
        | machine_work
        | model_ids(project, mistaken=first.case)
        | token_ids(reader)
        | {
            "project_id": project.pk,
            "reading_id": submitted.reading_id,
            "person_id": reader.pk,
        }
    )


def asked_ids(project: Project, colleague: User | None, reader: User | None) -> dict[str, Any]:
    """Name a question of the colleague to the reader."""
    assert colleague is not None
    assert reader is not None
    now = timezone.now()
    held = lease_next(reader=colleague, project_id=project.pk, now=now).cases[0]
    said = Said("question", "", "Is this a nodule?", reader.pk, uuid4())
    return {"remark_id": add_remark(author=colleague, case_id=held.case.pk, said=said, now=now).pk}


def dispute_id(project: Project, people: dict[str, User | None]) -> UUID:
    """Name a dispute over a case that the reader read, not the colleague; both adjudicate."""
    reader, third, now = people["reader"], factories.a_reader(project), timezone.now()
    assert reader is not None
    Membership.objects.filter(user__in=[people["reader"], people["colleague"]]).update(adjudicates=True)
    [case] = factories.some_cases(project)
    for author, value in ((reader, "normal"), (third, "pneumonia")):
        factories.a_reading(author, case, {"finding": value})
    made = Dispute.objects.create(case=case, project=project, keys=["finding"], opened_at=now, changed_at=now)
    return made.pk


def export_id(project: Project, staff: User | None) -> UUID:
    """Name an export of the project."""
    made = Export.objects.create(
        project=project, format="csv", requested_by=staff, created_at=timezone.now(), job_id=uuid4()
    )
    return made.pk


def label_import_id(project: Project, staff: User | None) -> UUID:
    """Name a label import that is being checked."""
    made = LabelImport.objects.create(
        project=project,
        source_name="Labeler",
        use="kept",
        format="csv",
        file_title="labels.csv",
        requested_by=staff,
        created_at=timezone.now(),
    )
    return made.pk


def life_cycle_ids(project: Project) -> dict[str, Any]:
    """Name a deletion that can be brought back, and an erasure that is certified."""
    now = timezone.now()
    by = factories.a_user(is_admin=True)
    deletion = delete_project(project=factories.a_project(), asked=Asked(by, "finished", now))
    erasure = Erasure.objects.create(
        dataset=project.dataset,
        project_id=project.pk,
        pseudonym="",
        subject="0" * 64,
        certificate={"removed": {}},
        created_at=now,
        done_at=now,
    )
    return {"deletion_id": deletion.pk, "erasure_id": erasure.pk}


def case_ids(held: LeasedCase) -> dict[str, Any]:
    """Name a case that is held, its lease and its pixels."""
    (instance,) = held.case.series.instances.all()
    name = f"thumbnails/{instance.digest[:2]}/{instance.digest}.png"
    default_storage.save(name, ContentFile(b"\x89PNG"))
    Instance.objects.filter(pk=instance.pk).update(original_bytes=100)
    return {
        "case_id": held.case.pk,
        "number": held.case.number,
        "lease_id": held.lease.pk,
        "study_id": held.case.series.study_id,
        "study_uid": held.case.series.study.study_instance_uid,
        "series_uid": held.case.series.series_instance_uid,
        "sop_uid": instance.sop_instance_uid,
        "instance_id": instance.pk,
        "n": 1,
        "numbers": "1",
        "path": "7FE00010",
    }


def token_ids(owner: User) -> dict[str, Any]:
    """Name a token."""
    token, _ = make_token(user=owner, wish=Wish("viewer", [Scope.DICOMWEB_READ], 1), now=timezone.now())
    return {"token_id": token.pk}


def found_ids(project: Project, staff: User | None) -> dict[str, Any]:
    """Name a search and a query batch, beside a map of no case."""
    assert staff is not None
    now = timezone.now()
    search = SimilaritySearch.objects.create(
        project=project, asked_by=staff, like=[1], hits=[], created_at=now
    )
    batch = QueryBatch.objects.create(project=project, asked_by=staff, why="to see", size=0, created_at=now)
    new = NewEncoder("by hand", uuid4().hex * 2, 16, {}, "", {})
    encoder = register_encoder(dataset=project.dataset, new=new, now=now)
    stored = keep(b"", folder="maps", suffix=".bin")
    drawn = NewMap("pca", encoder, None, stored, 0, [], ["normal"], {"seconds": 0.1})
    record_map(project=project, job_id=uuid4(), new=drawn, now=now)
    return {"search_id": search.pk, "batch_id": batch.pk}


def model_ids(project: Project, *, mistaken: Case) -> dict[str, Any]:
    """Name a model version, its encoder, and a case that it is wrong about."""
    now = timezone.now()
    encoder = services.register_encoder(
        dataset=project.dataset,
        new=services.NewEncoder("by hand", uuid4().hex * 2, 8, {}, "", {}),
        now=now,
    )
    new = services.NewModel(
        encoder=encoder,
        classes=["normal", "pneumonia"],
        artefact=keep(b"heads", folder="artefacts", suffix=".safetensors"),
        labels=[],
        seconds=0.1,
        audit_cases=0,
        metrics={},
        reason="no audit case has been read",
    )
    model = services.record_model(project=project, job_id=uuid4(), new=new, now=now)
    JudgedCase.objects.create(
        model=model,
        case=mistaken,
        truth="normal",
        thought="pneumonia",
        share=0.9,
        truth_share=0.1,
        is_right=False,
    )
    return {"encoder_id": encoder.pk, "model_id": model.pk, "mistaken_number": mistaken.number}


def delivery_ids(project: Project) -> dict[str, Any]:
    """Name a delivery and a file of it that is held in quarantine."""
    now = timezone.now()
    delivery = Import.objects.create(
        dataset=project.dataset, project_id=project.pk, source_name="folder", created_at=now
    )
    digest = uuid4().hex * 2
    default_storage.save(f"quarantine/{digest[:2]}/{digest}.png", ContentFile(b"\x89PNG"))
    quarantined = QuarantinedFile.objects.create(
        dataset=project.dataset,
        project_id=project.pk,
        source_digest=digest,
        kind=QuarantinedFile.Kind.PIXELS,
        reason="(0028,0301) Burned In Annotation is YES",
        has_preview=True,
        created_at=now,
    )
    return {"import_id": delivery.pk, "quarantined_id": quarantined.pk}
