"""Sending a delivery and reading its report."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from annotation.exchange import uploads
from annotation.projects.models import Project
from annotation.studies.models import Import, ImportedFile
from audit.models import Event
from jobs.models import Job
from tests.factories import a_user

TOLD: dict[str, Any] = {"source_name": "ward-3", "modality": "DX", "pictures_cleared": True}


def announce(client: Client, project: Project, *files: tuple[str, int], **more: Any) -> Any:
    body = TOLD | {"files": [{"path": path, "size": size} for path, size in files]} | more
    url = reverse("import-announce", kwargs={"project_id": project.pk})
    return client.post(url, json.dumps(body), content_type="application/json")


def put(client: Client, url: str, spans: str, content: bytes) -> int:
    answer = client.put(
        url, content, content_type="application/octet-stream", headers={"Upload-Pieces": spans}
    )
    return answer.status_code


def a_delivery(project: Project, **counts: int) -> Import:
    return Import.objects.create(
        dataset=project.dataset,
        project_id=project.pk,
        source_name="ward-3",
        state=Import.State.DONE,
        created_at=timezone.now(),
        finished_at=timezone.now(),
        **counts,
    )


def test_what_is_announced_sent_and_started_becomes_one_job(admin: Client, project: Project) -> None:
    told = announce(admin, project, ("labels.csv", 3), ("x/1.png", 2)).json()
    assert put(admin, told["pieces"], "0:0:3,1:0:2", b"abc12") == 204
    first, again = admin.post(told["start"]), admin.post(told["start"])
    delivery = Import.objects.get()
    assert first.json() == again.json() == {"report": f"/imports/{delivery.pk}"}
    job = Job.objects.get()
    assert (job.name, job.arguments, job.scope_id) == (
        "import_delivery",
        {"import_id": str(delivery.pk)},
        project.pk,
    )
    assert (delivery.modality, delivery.pictures_cleared) == ("DX", True)
    folder = uploads.source_of(settings.HOME.spool, delivery.pk)
    assert sorted(one.name for one in folder.rglob("*.*")) == ["1.png", "labels.csv"]
    assert Event.objects.filter(action="import.start").count() == 1


def test_an_upload_that_is_not_wholly_there_says_so_and_does_not_start(
    admin: Client, project: Project
) -> None:
    told = announce(admin, project, ("a.png", 3)).json()
    answer = admin.post(told["start"])
    assert answer.status_code == 409
    assert "1 of 1 files are not wholly sent" in answer.json()["detail"]
    assert not Job.objects.exists()


def test_what_is_wrong_with_a_list_is_said_in_words_and_nothing_is_opened(
    admin: Client, project: Project
) -> None:
    refused = [
        announce(admin, project),
        announce(admin, project, ("../a", 1)),
        announce(admin, project, ("a", settings.UPLOAD_MAX_BYTES + 1)),
        announce(admin, project, ("a", 1), files="nonsense"),
    ]
    assert [one.status_code for one in refused] == [422] * 4
    assert not Import.objects.exists()
    wrong = announce(admin, project, ("a", 1), modality="??")
    assert wrong.status_code == 422
    assert not Import.objects.exists()


def test_nobody_sends_into_another_persons_upload(
    admin: Client, project: Project, signed_in: Callable[[User], Client]
) -> None:
    told = announce(admin, project, ("a.png", 3)).json()
    other = signed_in(a_user(is_admin=True))
    assert put(other, told["pieces"], "0:0:3", b"abc") == 404
    assert other.post(told["start"]).status_code == 404


def test_pieces_come_in_order_and_may_come_twice(admin: Client, project: Project) -> None:
    url = announce(admin, project, ("a.zip", 4)).json()["pieces"]
    codes = [
        put(admin, url, "0:2:2", b"cd"),
        put(admin, url, "0:0:2", b"ab"),
        put(admin, url, "0:0:2", b"ab"),
    ]
    assert codes == [409, 204, 204]


@pytest.mark.parametrize("who", ["reader", "ml_staff"])
def test_only_administrators_import(request: pytest.FixtureRequest, project: Project, who: str) -> None:
    client = request.getfixturevalue(who)
    assert client.get(reverse("import", kwargs={"project_id": project.pk})).status_code == 403
    assert announce(client, project, ("a", 1)).status_code == 403


def test_the_report_counts_and_filters_every_file(admin: Client, project: Project) -> None:
    delivery = a_delivery(project, total=2, stored=1, quarantined=1)
    ImportedFile.objects.create(delivery=delivery, path="a.png", outcome="stored")
    ImportedFile.objects.create(
        delivery=delivery, path="b.dcm", outcome="quarantined", reason="(0028,0010) Rows is absent"
    )
    url = reverse("import-report", kwargs={"import_id": delivery.pk})
    everything = admin.get(url).content.decode()
    assert "a.png" in everything
    assert "(0028,0010) Rows is absent" in everything
    held = admin.get(url, {"outcome": "quarantined"}).content.decode()
    assert "a.png" not in held
    assert "b.dcm" in held


def test_the_report_as_json_is_what_the_command_prints(admin: Client, project: Project) -> None:
    delivery = a_delivery(project, total=1, stored=1)
    ImportedFile.objects.create(delivery=delivery, path="a.png", outcome="stored")
    answer = admin.get(reverse("import-table", kwargs={"import_id": delivery.pk}), {"as": "json"})
    assert json.loads(answer.content) == {
        "stored": 1,
        "duplicate": 0,
        "quarantined": 0,
        "files": [{"path": "a.png", "outcome": "stored", "reason": ""}],
    }


def test_a_file_name_is_no_formula_in_the_downloaded_table(admin: Client, project: Project) -> None:
    delivery = a_delivery(project, total=1, stored=1)
    ImportedFile.objects.create(delivery=delivery, path="=HYPERLINK(1).png", outcome="stored")
    answer = admin.get(reverse("import-table", kwargs={"import_id": delivery.pk}))
    assert answer.content.decode().splitlines() == ["path,outcome,reason", "'=HYPERLINK(1).png,stored,"]


def test_a_report_that_has_ended_makes_its_page_load_anew(admin: Client, project: Project) -> None:
    url = reverse("import-report", kwargs={"import_id": a_delivery(project).pk})
    assert admin.get(url, headers={"HX-Request": "true"})["HX-Refresh"] == "true"
