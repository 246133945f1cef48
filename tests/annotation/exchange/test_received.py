"""What a sender was told is kept leaves the spool once it is in, never because the machine ran short."""

import errno
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import pytest

from annotation.exchange.peers.received import import_received
from annotation.exchange.peers.spool import SpooledFile, files_in
from annotation.projects.models import Project
from annotation.studies.models import ImportedFile, Instance, QuarantinedFile
from tests import phantoms

pytestmark = pytest.mark.django_db(transaction=True)
SENDER = uuid4()


@pytest.fixture
def waiting(project: Project, tmp_path: Path) -> Path:
    """Three acknowledged slices, in the folder of their sender."""
    folder = tmp_path / str(project.pk) / str(SENDER)
    folder.mkdir(parents=True)
    for number, content in enumerate(phantoms.series(3)):
        (folder / f"{number}.dcm").write_bytes(content)
    return folder


def take_in(project: Project, root: Path) -> None:
    import_received(root, project.pk, SENDER, progress=lambda _share, _words: None)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
@pytest.mark.parametrize("openings", [1, 4], ids=["first reading", "judging"])
def test_what_the_machine_could_not_open_waits_and_comes_in_later(
    project: Project, waiting: Path, tmp_path: Path, number: int, openings: int
) -> None:
    opened, really = [], SpooledFile.open

    def out_of_breath(file: SpooledFile) -> BinaryIO:
        opened.append(file)
        if len(opened) > openings:
            raise OSError(number, "the machine's fault")
        return really(file)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SpooledFile, "open", out_of_breath)
        with pytest.raises(OSError, match="machine's fault"):
            take_in(project, tmp_path)
    assert len(files_in(waiting)) == 3
    assert not ImportedFile.objects.exists()
    take_in(project, tmp_path)
    assert files_in(waiting) == []
    assert Instance.objects.count() == 3
    assert not QuarantinedFile.objects.exists()


def test_a_file_that_cannot_be_opened_is_refused_with_a_reason(
    project: Project, waiting: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = SpooledFile.open

    def denied(file: SpooledFile) -> BinaryIO:
        if file.path == "1":
            raise PermissionError(errno.EACCES, "not for you")
        return really(file)

    monkeypatch.setattr(SpooledFile, "open", denied)
    take_in(project, tmp_path)
    assert Instance.objects.count() == 2
    assert ImportedFile.objects.get(path="1").reason == "the file cannot be opened"
