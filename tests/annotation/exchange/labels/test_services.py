"""A file handed in: checked by a job, agreed to or discarded, written by a job, audited, its file gone."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Role, User
from annotation.exchange.labels import services
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.labels.services import Handed, Wanted
from annotation.exchange.out.frozen import Frozen
from annotation.projects.models import Project
from annotation.projects.rules import RefusedError
from annotation.projects.services import set_membership
from annotation.readings.models import Reading
from audit.models import Event
from jobs.models import State
from tests import factories
from tests.annotation.exchange.out.conftest import do_job, frozen, read_all

pytestmark = pytest.mark.django_db
TABLE = "case,finding\n1,normal\n2,pneumonia\n9,normal\n3,unheard of\n"
HandIn = Callable[..., LabelImport]


@pytest.fixture
def project() -> Project:
    """Four cases."""
    made = factories.a_project()
    factories.some_cases(made, 4)
    return made


@pytest.fixture
def staff(project: Project) -> User:
    return factories.a_member(project, Role.ML_STAFF)


@pytest.fixture
def hand_in(project: Project, staff: User) -> HandIn:
    """Hand a table in, and do its check here."""

    def handed(text: str = TABLE, use: str = "kept") -> LabelImport:
        made = services.hand_in(
            project=project,
            wanted=Wanted("Labeler v1", use, "csv", {}),
            handed=Handed("given.csv", io.BytesIO(text.encode())),
            by=staff,
            now=timezone.now(),
        )
        do_job(made.job_id)
        made.refresh_from_db()
        return made

    return handed


def readings_of(project: Project) -> QuerySet[Reading]:
    return Reading.objects.filter(case__project=project)


def agreed(one: LabelImport, by: User) -> LabelImport:
    """Agree, and do the writing here."""
    services.agree(asked=one, by=by)
    one.refresh_from_db()
    do_job(one.job_id)
    one.refresh_from_db()
    return one


def test_a_check_counts_and_writes_nothing(project: Project, hand_in: HandIn) -> None:
    found = hand_in()
    assert found.state == LabelImport.State.CHECKED
    kept = {name: found.counts[name] for name in ("new", "invalid", "unmatched")}
    assert kept == {"new": 2, "invalid": 1, "unmatched": 1}
    assert not readings_of(project).exists()
    assert default_storage.exists(found.file_name)


def test_agreed_labels_are_written_audited_and_their_file_is_gone(
    hand_in: HandIn, staff: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    found = hand_in()
    name = found.file_name
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        found = agreed(found, staff)
    assert found.state == LabelImport.State.DONE
    assert Reading.objects.filter(source__name="Labeler v1").count() == 2
    assert not default_storage.exists(name)
    actions = Event.objects.filter(action__startswith="labels.").order_by("pk")
    assert [one.action for one in actions] == ["labels.check", "labels.agree", "labels.import"]
    last = actions.last()
    assert last is not None
    assert (last.details["new"], last.details["source"]) == (2, "Labeler v1")


def test_the_writing_job_run_twice_leaves_the_same_rows(
    project: Project, hand_in: HandIn, staff: User
) -> None:
    found = agreed(hand_in(), staff)
    again = agreed(hand_in(), staff)
    assert (found.counts["new"], again.counts["same"], again.counts.get("new")) == (2, 2, None)
    assert readings_of(project).count() == 2


def test_what_waits_for_nothing_cannot_be_agreed_to(hand_in: HandIn, staff: User) -> None:
    done = agreed(hand_in(), staff)
    with pytest.raises(RefusedError, match="nothing to agree to"):
        services.agree(asked=done, by=staff)


def test_a_discarded_file_is_gone(
    hand_in: HandIn, staff: User, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    found = hand_in()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        services.discard(asked=found, by=staff, now=timezone.now())
    assert not default_storage.exists(found.file_name or "label-imports/none")
    assert LabelImport.objects.get(pk=found.pk).state == LabelImport.State.DISCARDED


def test_a_file_that_nobody_says_a_word_about_is_discarded(hand_in: HandIn) -> None:
    found, now = hand_in(), timezone.now()
    assert services.drop_forgotten(now=now) == 0
    assert services.drop_forgotten(now=now + timedelta(days=8)) == 1
    assert LabelImport.objects.get(pk=found.pk).state == LabelImport.State.DISCARDED


def test_a_file_that_cannot_be_read_fails_in_words(hand_in: HandIn) -> None:
    found = hand_in("nothing,here\n1,2\n")
    assert (found.state, found.counts.get("unread")) == (LabelImport.State.CHECKED, 1)
    assert "no column says which image" in found.lines[0][3]


def test_the_job_refuses_who_lost_the_role_since(project: Project, staff: User, hand_in: HandIn) -> None:
    found = hand_in()
    services.agree(asked=found, by=staff)
    set_membership(project=project, user=staff, role=Role.READER)
    found.refresh_from_db()
    job = do_job(found.job_id)
    assert job.state == State.FAILED
    assert "may not import labels" in job.error
    assert not readings_of(project).exists()


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted("", "kept", "csv", {}), "source's name"),
        (Wanted("x", "kept", "xls", {}), "format is"),
        (Wanted("x", "all", "csv", {}), "use is"),
        (Wanted("x", "kept", "csv", {"a": "b"}), "asks no question"),
    ],
)
def test_what_is_asked_wrongly_is_refused_before_anything_is_kept(
    project: Project, wanted: Wanted, words: str
) -> None:
    with pytest.raises(RefusedError, match=words):
        services.checked_wanted(project, wanted)


def test_a_source_s_readings_go_out_under_its_name(
    project: Project, hand_in: HandIn, staff: User, tmp_path: Path
) -> None:
    agreed(hand_in(), staff)
    read_all(project, lambda _case: {"finding": "normal"})
    snapshot = frozen(project)
    authors = {
        (one["source"], one["reader"].startswith("source-Labeler-v1-"))
        for case in Frozen(snapshot).cases()
        for one in case.line["readings"]
    }
    assert authors == {("Labeler v1", True), ("", False)}
    assert snapshot.card["by_source"] == {"Labeler v1": 2}
    assert snapshot.card["readers"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_file_is_stored_while_others_may_write_and_is_gone_where_its_rows_fail(
    project: Project, staff: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[tuple[str, bool]] = []
    save = default_storage.save

    def watched(name: str, content: "File[bytes]") -> str:
        kept = save(name, content)
        stored.append((kept, connection.in_atomic_block))
        return kept

    def broken(*_args: object) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(default_storage, "save", watched)
    monkeypatch.setattr(services, "ask_job", broken)
    with pytest.raises(OSError, match="no broker"):
        services.hand_in(
            project=project,
            wanted=Wanted("Labeler v1", "kept", "csv", {}),
            handed=Handed("given.csv", io.BytesIO(TABLE.encode())),
            by=staff,
            now=timezone.now(),
        )
    [(name, in_transaction)] = stored
    assert not in_transaction
    assert not default_storage.exists(name)
    assert not LabelImport.objects.filter(project=project).exists()
