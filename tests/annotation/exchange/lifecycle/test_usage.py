"""What a project uses is measured, and its quotas hold at every door before a file is taken."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import User
from annotation.exchange.lifecycle.usage import QuotaError, check_room, in_units, set_quota, usage_of
from annotation.projects.models import Project
from annotation.studies.models import Import, Instance
from tests import phantoms
from tests.annotation.exchange.conftest import Deliver, write
from tests.factories import COLUMNS, OFFSET, ROWS, a_client, a_project, a_user, some_cases

pytestmark = pytest.mark.django_db
PART = "multipart/related; type=application/dicom; boundary=b"


@pytest.fixture
def admin() -> User:
    """Who sets quotas."""
    return a_user(is_admin=True)


def limit(project: Project, admin: User, *, size: int | None = None, cases: int | None = None) -> None:
    """Set a project's quotas."""
    set_quota(project=project, bytes_=size, cases=cases, by=admin)


def test_a_project_s_bytes_are_those_of_its_images(admin: User) -> None:
    project, other = a_project(), a_project()
    some_cases(project, 3)
    some_cases(other, 2, frames=4)
    assert usage_of(project).images == 3 * (OFFSET + ROWS * COLUMNS)
    assert usage_of(other).images == 2 * (OFFSET + 4 * ROWS * COLUMNS)
    assert usage_of(project).cases == 3


def test_a_quota_counts_what_is_stored_and_what_comes(admin: User) -> None:
    project = a_project()
    some_cases(project, 2)
    used = usage_of(project).counted
    limit(project, admin, size=used + 100)
    check_room(project.pk, 100)
    with pytest.raises(QuotaError, match="is used up"):
        check_room(project.pk, 101)
    limit(project, admin, cases=2)
    with pytest.raises(QuotaError, match="2 cases"):
        check_room(project.pk)
    limit(project, admin)
    check_room(project.pk, 10**15)


def test_a_delivery_stops_before_the_batch_that_is_too_much(
    deliver: Deliver, project: Project, admin: User, tmp_path: Path
) -> None:
    for number in range(70):
        write(tmp_path / "d", f"{number:03d}.png", phantoms.png(phantoms.chest(number)))
    first = sum(one.stat().st_size for one in sorted((tmp_path / "d").iterdir())[:64])
    limit(project, admin, size=first + 10)
    with pytest.raises(QuotaError):
        deliver(tmp_path / "d")
    assert Instance.objects.count() == 64
    limit(project, admin)
    _, report = deliver(tmp_path / "d")
    assert (report.stored, report.duplicate) == (6, 64)


def test_the_command_and_the_page_say_that_the_quota_is_used_up(
    project: Project, admin: User, tmp_path: Path
) -> None:
    some_cases(project, 1)
    limit(project, admin, cases=1)
    write(tmp_path / "d", "1.png", phantoms.png(phantoms.chest(1)))
    with pytest.raises((CommandError, QuotaError), match="quota of 1 cases"):
        call_command("import", str(tmp_path / "d"), project=project.name)
    told = {
        "source_name": "d",
        "modality": "DX",
        "pictures_cleared": True,
        "files": [{"path": "1.png", "size": 10}],
    }
    address = f"/projects/{project.pk}/import/announce"
    answer = a_client(admin).post(address, json.dumps(told), content_type="application/json")
    assert answer.status_code == 507
    assert "quota of 1 cases is used up" in answer.json()["detail"]
    assert Import.objects.count() == 0


def test_dicomweb_answers_507_and_stores_nothing(project: Project, admin: User) -> None:
    some_cases(project, 1)
    limit(project, admin, cases=1)
    content = phantoms.dicom(phantoms.a_slice(1))
    body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--b--\r\n"
    address = f"/api/dicomweb/projects/{project.pk}/studies"
    answer = a_client(admin).post(address, body, content_type=PART)
    assert answer.status_code == 507
    assert Instance.objects.count() == 1


def test_bytes_are_written_for_people() -> None:
    written = [in_units(count) for count in (0, 1023, 1024, 5 * 1024**2, 3 * 1024**3, 2 * 1024**4)]
    assert written == ["0 bytes", "1023 bytes", "1.0 KiB", "5.0 MiB", "3.0 GiB", "2.0 TiB"]
