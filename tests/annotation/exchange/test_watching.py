"""A watched folder: what has come to rest is taken once, whenever the watching is cut off and begun again."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from annotation.exchange.watching import Memory, State, Watch, memory_of
from annotation.projects.models import Project
from annotation.studies.intake import Treatment
from annotation.studies.models import Import, ImportedFile
from tests import phantoms
from tests.annotation.exchange.conftest import write
from tests.tables import put_tables_in

pytestmark = pytest.mark.django_db
TREATMENT = Treatment(pictures_cleared=True)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    for number in range(3):
        write(folder, f"a/{number}.png", phantoms.png(phantoms.chest(number)))
    return folder


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "memory"


def watching(inbox: Path, project: Project, memory: Path) -> Watch:
    return Watch(inbox, project, memory_of(memory, inbox, project), TREATMENT)


def outcomes() -> list[str]:
    return sorted(ImportedFile.objects.values_list("outcome", flat=True))


def test_a_file_is_taken_when_it_has_come_to_rest(inbox: Path, project: Project, memory: Path) -> None:
    watch = watching(inbox, project, memory)
    assert watch.look() == 0
    with (inbox / "a/1.png").open("ab") as growing:
        growing.write(b"more")
    assert watch.look() == 2
    assert watch.look() == 1
    assert watch.look() == 0
    assert outcomes() == ["stored"] * 3
    [delivery] = Import.objects.all()
    assert (delivery.source_name, delivery.total) == ("Folder: inbox", 3)


def test_names_of_what_is_still_written_are_left(inbox: Path, project: Project, memory: Path) -> None:
    (inbox / "a/1.png").rename(inbox / "a/1.png.part")
    (inbox / "a/2.png").rename(inbox / "a/.2.png.Xy12")
    watch = watching(inbox, project, memory)
    assert [watch.look(), watch.look()] == [0, 1]
    (inbox / "a/1.png.part").rename(inbox / "a/1.png")
    assert [watch.look(), watch.look()] == [0, 1]


def test_begun_again_it_takes_what_is_new_alone(inbox: Path, project: Project, memory: Path) -> None:
    first = watching(inbox, project, memory)
    assert [first.look(), first.look()] == [0, 3]
    write(inbox, "b/9.png", phantoms.png(phantoms.chest(9)))
    again = watching(inbox, project, memory)
    assert [again.look(), again.look()] == [0, 1]
    write(inbox, "a/0.png", phantoms.png(phantoms.chest(7)))
    assert [again.look(), again.look()] == [0, 1]
    assert outcomes() == ["stored"] * 5


def test_cut_off_before_it_remembers_it_stores_nothing_twice(
    inbox: Path, project: Project, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watching(inbox, project, memory)
    watch.look()

    def fails(_self: Memory, _states: object) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as patched:
        patched.setattr(Memory, "add", fails)
        with pytest.raises(OSError, match="the disk is gone"):
            watch.look()
    again = watching(inbox, project, memory)
    assert [again.look(), again.look()] == [0, 3]
    assert outcomes() == ["duplicate"] * 3 + ["stored"] * 3


def test_half_a_line_of_the_memory_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "memory.jsonl"
    Memory(path).add([("a.png", State(1, 2)), ("b.png", State(3, 4))])
    path.write_text(path.read_text()[:-5])
    found = Memory(path)
    assert found.knows("a.png", State(1, 2))
    assert not found.knows("b.png", State(3, 4))


@pytest.mark.processes
def test_the_command_watches_until_it_is_stopped(inbox: Path, tmp_path: Path) -> None:
    environment = os.environ | {
        "FOVEA_HOME": str(tmp_path / "home"),
        "DJANGO_SETTINGS_MODULE": "config.settings.embedded",
    }
    environment.pop("FOVEA_TEST_POSTGRESQL", None)
    put_tables_in(tmp_path / "home")
    manage = [sys.executable, "manage.py"]
    words = [*manage, "import", str(inbox), "--project", "P", "--choices", "a,b", "--watch", "--every", "0.3"]
    taken = 0
    for number in (10, 11):
        with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as watcher:
            assert watcher.stdout is not None
            deadline = time.monotonic() + 240
            for line in watcher.stdout:
                assert time.monotonic() < deadline
                taken += int(line.split()[1]) if line.endswith("files taken\n") else 0
                if taken >= 3 + (number - 10):
                    break
            watcher.send_signal(signal.SIGKILL if number == 10 else signal.SIGTERM)
        write(inbox, f"c/{number}.png", phantoms.png(phantoms.chest(number)))
    assert watcher.returncode == 0
    assert taken == 4
    shutil.rmtree(tmp_path / "home")
