"""The audit chain: nothing in it can be changed without being noticed."""

import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from accounts.models import User
from audit.models import Event, Head
from audit.services import record, verify
from audit.triggers import CREATE, DROP

pytestmark = pytest.mark.postgresql


def three_events() -> None:
    for action in ("sign_in", "lease", "submit"):
        record(actor="system", action=action, object_type="case", object_id="1", details={"seconds": 2.0})


def behind_the_triggers(statement: str) -> None:
    """Change the table as somebody would who owns the database."""
    with connection.cursor() as cursor:
        for change in (*DROP[connection.vendor], statement, *CREATE[connection.vendor]):
            cursor.execute(change)


@pytest.mark.django_db
def test_an_untouched_chain_is_intact_and_prints_its_head() -> None:
    three_events()
    result = verify()
    assert (result.intact, result.count) == (True, 3)
    assert result.head == f"3:{Event.objects.get(sequence=3).hash}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET actor = 'me'",
        "DELETE FROM audit_event",
        "DELETE FROM audit_event WHERE sequence = 3",
    ],
)
def test_the_database_itself_refuses_to_change_an_event(statement: str) -> None:
    three_events()
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert Event.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit_event SET actor = 'me' WHERE sequence = 2", "event 2 was edited"),
        ("DELETE FROM audit_event WHERE sequence = 2", "events 2 to 2 are missing"),
        ("DELETE FROM audit_event WHERE sequence = 3", "rows are cut off"),
        ("DELETE FROM audit_event", "rows are cut off"),
        (
            "UPDATE audit_event SET sequence = CASE sequence WHEN 2 THEN 30 ELSE sequence END",
            "event 3 does not follow event 1",
        ),
    ],
)
def test_a_change_behind_the_triggers_is_found(statement: str, said: str) -> None:
    three_events()
    behind_the_triggers(statement)
    assert said in "\n".join(verify().problems)


@pytest.mark.django_db
def test_a_chain_cut_off_with_its_head_is_found_by_the_head_kept_elsewhere() -> None:
    three_events()
    kept = verify().head
    behind_the_triggers("DELETE FROM audit_event WHERE sequence = 3")
    last = Event.objects.get(sequence=2)
    Head.objects.update(sequence=2, hash=last.hash)
    assert verify().intact
    assert not verify(kept_head=kept).intact


@transaction.atomic
def create_with_a_broken_event() -> None:
    User.objects.create_user("new")
    record(actor="system", action="create", object_type="user", object_id="1", details={"bad": object()})


@pytest.mark.django_db
def test_an_act_whose_event_cannot_be_written_is_undone() -> None:
    with pytest.raises(TypeError):
        create_with_a_broken_event()
    assert not User.objects.filter(username="new").exists()


@pytest.mark.django_db
def test_numbers_in_details_keep_their_hash_through_the_database() -> None:
    details = {"a": 1.0, "b": 1e22, "c": 0.1, "d": [1e-7, {"e": None}], "f": "ü"}
    record(actor="system", action="x", object_type="y", object_id="z", details=details)
    assert verify().intact


@pytest.mark.django_db(transaction=True)
def test_the_chain_does_not_fork_under_writers_at_once() -> None:
    def write() -> None:
        for _ in range(5):
            record(actor="system", action="x", object_type="y", object_id="z")
        connections.close_all()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert (verify().intact, verify().count) == (True, 20)


@pytest.mark.django_db
def test_the_command_fails_on_a_broken_chain(capsys: pytest.CaptureFixture[str]) -> None:
    three_events()
    call_command("verify-audit")
    assert "3 events, chain intact" in capsys.readouterr().out
    behind_the_triggers("UPDATE audit_event SET outcome = 'denied' WHERE sequence = 1")
    with pytest.raises(CommandError, match="event 1 was edited"):
        call_command("verify-audit")
