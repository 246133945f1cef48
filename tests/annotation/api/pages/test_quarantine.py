"""An administrator's decision on files that were not let in."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.exchange.imports import open_delivery, run_delivery
from annotation.projects.models import Case, Project
from annotation.studies.models import QuarantinedFile
from audit.models import Event


@pytest.fixture
def held(project: Project, real_data: Path, tmp_path: Path) -> QuarantinedFile:
    """A real ultrasound image, held until somebody has looked at it."""
    source = real_data / "dicom_valid/dicom-test-files/WG04/J2KI/US1_J2KI"
    (tmp_path / "a.dcm").write_bytes(source.read_bytes())
    (tmp_path / "b.dcm").write_bytes(b"no DICOM at all")
    delivery = open_delivery(project=project, source_name="ward", requested_by=None, now=timezone.now())
    run_delivery(delivery.pk, source=tmp_path, progress=lambda _share, _words: None)
    return QuarantinedFile.objects.get(kind=QuarantinedFile.Kind.PIXELS)


def page_of(project: Project) -> str:
    return reverse("quarantine", kwargs={"project_id": project.pk})


def act(client: Client, name: str, file: QuarantinedFile) -> str:
    answer = client.post(reverse(name, kwargs={"quarantined_id": file.pk}), follow=True)
    return str(answer.content.decode())


def test_what_must_be_looked_at_comes_first_and_large(
    admin: Client, project: Project, held: QuarantinedFile
) -> None:
    page = admin.get(page_of(project)).content.decode()
    preview = reverse("quarantine-preview", kwargs={"quarantined_id": held.pk})
    assert page.count(preview) == 2
    assert "Modality US" in page
    assert "Held · 2" in page


def test_looking_at_a_held_image_is_audited_once(admin: Client, held: QuarantinedFile) -> None:
    url = reverse("quarantine-preview", kwargs={"quarantined_id": held.pk})
    answers = [admin.get(url) for _ in range(2)]
    assert [one["Content-Type"] for one in answers] == ["image/png"] * 2
    assert answers[0].content.startswith(b"\x89PNG")
    assert Event.objects.filter(action="quarantine.view", object_id=str(held.pk)).count() == 1


def test_a_cleared_image_is_a_case(admin: Client, project: Project, held: QuarantinedFile) -> None:
    assert not Case.objects.filter(project=project).exists()
    page = act(admin, "clear-quarantined", held)
    assert "cleared and is a case now" in page
    assert Case.objects.filter(project=project).count() == 1
    assert "Cleared · 1" in page


def test_a_discarded_file_never_becomes_a_case(
    admin: Client, project: Project, held: QuarantinedFile
) -> None:
    assert "can be brought back for 7 days" in act(admin, "discard-quarantined", held)
    assert not Case.objects.filter(project=project).exists()


def test_a_discarded_file_is_shown_and_brought_back(
    admin: Client, project: Project, held: QuarantinedFile
) -> None:
    act(admin, "discard-quarantined", held)
    page = admin.get(page_of(project), {"show": "discarded"}).content.decode()
    assert "Back to quarantine" in page
    preview = reverse("quarantine-preview", kwargs={"quarantined_id": held.pk})
    assert admin.get(preview).status_code == 200
    assert "back in quarantine" in act(admin, "return-quarantined", held)
    assert "Nothing was changed" in act(admin, "return-quarantined", held)


def test_boxes_are_masked_and_the_image_is_a_case(
    admin: Client, project: Project, held: QuarantinedFile
) -> None:
    url = reverse("clear-quarantined", kwargs={"quarantined_id": held.pk})
    page = admin.post(url, {"masks": "[[0, 0, 90, 40], [100, 0, 120, 8]]"}, follow=True).content.decode()
    assert "2 boxes masked; the image is a case now" in page
    assert Event.objects.get(action="quarantine.cleared").details["masks"] == 2
    page = admin.get(page_of(project), {"show": "cleared"}).content.decode()
    assert "2 boxes masked" in page


@pytest.mark.parametrize("written", ["[[1, 2, 3]]", "[[0, 0, true, 4]]", "{}", "[", "[[0.5, 0, 3, 4]]"])
def test_what_are_no_boxes_changes_nothing(
    admin: Client, project: Project, held: QuarantinedFile, written: str
) -> None:
    url = reverse("clear-quarantined", kwargs={"quarantined_id": held.pk})
    page = admin.post(url, {"masks": written}, follow=True).content.decode()
    assert "the boxes could not be read" in page
    held.refresh_from_db()
    assert held.state == QuarantinedFile.State.HELD


def test_all_that_are_alike_are_masked_at_once(
    admin: Client, project: Project, held: QuarantinedFile
) -> None:
    url = reverse("clear-quarantined", kwargs={"quarantined_id": held.pk})
    page = admin.post(url, {"masks": "[[0, 0, 90, 40]]", "alike": "1"}, follow=True).content.decode()
    assert "1 image masked and let in." in page
    assert Case.objects.filter(project=project).count() == 1


def test_the_page_says_that_nobody_searched_for_text(
    admin: Client, project: Project, held: QuarantinedFile
) -> None:
    assert "nothing was searched for: look closely" in admin.get(page_of(project)).content.decode()


def test_the_boxes_that_were_found_are_proposed(
    admin: Client, project: Project, held: QuarantinedFile
) -> None:
    held.text_boxes = [[1, 2, 30, 40]]
    held.save(update_fields=["text_boxes"])
    page = admin.get(page_of(project)).content.decode()
    assert 'data-proposed="[[1, 2, 30, 40]]"' in page
    assert "Text was found in 1 place;" in page


def test_a_second_decision_changes_nothing_and_says_so(admin: Client, held: QuarantinedFile) -> None:
    act(admin, "discard-quarantined", held)
    assert "Nothing was changed" in act(admin, "clear-quarantined", held)
    held.refresh_from_db()
    assert held.state == QuarantinedFile.State.DISCARDED


@pytest.mark.parametrize("who", ["reader", "ml_staff"])
def test_nobody_but_administrators_sees_held_pixels(
    request: pytest.FixtureRequest, project: Project, held: QuarantinedFile, who: str
) -> None:
    client = request.getfixturevalue(who)
    names = ("quarantine-preview", "clear-quarantined", "discard-quarantined")
    urls = [reverse(name, kwargs={"quarantined_id": held.pk}) for name in names]
    assert client.get(urls[0]).status_code == 403
    assert [client.post(url).status_code for url in urls[1:]] == [403, 403]
    assert client.get(page_of(project)).status_code == 403


def test_an_empty_quarantine_says_so(admin: Client, project: Project) -> None:
    assert "Nothing is held" in admin.get(page_of(project)).content.decode()
