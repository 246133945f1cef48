"""Webhooks against a real server: signed, in order, tried again, never led elsewhere, nothing but ids."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.models import Event, Webhook
from audit.services import Act, record, record_all
from audit.webhooks import services
from audit.webhooks.client import GoneError, NotTakenError
from audit.webhooks.rules import WebhookRefusedError, checked_actions, checked_url, signature, wait_after
from audit.webhooks.services import Described, add, change, deliver, due
from jobs.models import Job
from mlworker.runtime import run
from mlworker.telling import ask_webhooks
from tests.factories import PASSWORD, a_client, a_user

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@dataclass
class Receiver:
    """A server that keeps what it was sent and answers as it is told."""

    url: str
    status: int = 204
    location: str = ""
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    @property
    def sequences(self) -> list[int]:
        """Numbers of the events that came, as they came."""
        return [one["sequence"] for body in self.bodies for one in json.loads(body)["events"]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            kept.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            kept.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(kept.status)
            self.send_header("Location", kept.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = Receiver(f"http://127.0.0.1:{server.server_port}/hook?of=fovea")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield kept
    server.shutdown()
    thread.join()
    server.server_close()


def a_webhook(receiver: Receiver, actions: str = "*", name: str = "followers") -> tuple[Webhook, str]:
    return add(said=Described(name, receiver.url, actions), now=timezone.now())


def told(webhook: Webhook) -> int:
    return deliver(webhook_id=webhook.pk, clock=timezone.now)


def act(*names: str) -> list[Event]:
    return record_all([Act("system", name, "site", "", details={"secret": "Doe"}) for name in names])


def test_a_message_is_signed_as_standard_webhooks_has_it(receiver: Receiver) -> None:
    webhook, secret = a_webhook(receiver)
    act("model.promote")
    assert told(webhook) == 1
    (headers,), (body,) = receiver.headers, receiver.bodies
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
    assert secret not in str(list(Webhook.objects.values()))


def test_the_signature_is_that_of_the_standard_s_own_example() -> None:
    given = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_hears_of_what_comes_from_now_on_of_the_acts_that_it_asked_for_in_order(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "EVENTS_A_MESSAGE", 2)
    act("model.before")
    webhook, _ = a_webhook(receiver, "model.*, sign_in")
    events = act("model.one", "case.view", "sign_in", "model.two", "models", "sign_in.other")
    assert told(webhook) == 2
    wanted = [one.sequence for one in events if one.action in ("model.one", "sign_in", "model.two")]
    assert receiver.sequences == wanted
    assert told(webhook) == 0


def test_it_gets_ids_and_nothing_of_the_details(receiver: Receiver) -> None:
    webhook, _ = a_webhook(receiver)
    person = a_user("d.oe")
    record(
        actor=str(person.pk),
        action="case.view",
        object_type="case",
        object_id="7",
        remote_address="10.1.2.3",
        details={"project": "p-1", "reason": "Doe John"},
    )
    told(webhook)
    (event,) = json.loads(receiver.bodies[0])["events"]
    assert event == {
        "sequence": event["sequence"],
        "at": event["at"],
        "actor": str(person.pk),
        "action": "case.view",
        "object_type": "case",
        "object_id": "7",
        "outcome": "ok",
        "project": "p-1",
    }


@pytest.mark.parametrize("status", [302, 400, 404, 500, 503])
def test_what_is_not_taken_is_told_again_after_a_wait_before_what_came_since(
    receiver: Receiver, status: int
) -> None:
    webhook, _ = a_webhook(receiver)
    act("one")
    receiver.status, receiver.location = status, f"{receiver.url}&elsewhere"
    assert told(webhook) == 0
    now = timezone.now()
    assert due(now) == []
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.problem != "") == (1, True)
    act("two")
    receiver.status = 200
    assert due(now + timedelta(minutes=1)) == [webhook]
    told(webhook)
    webhook.refresh_from_db()
    assert (webhook.failures, webhook.problem, webhook.retry_at) == (0, "", None)
    first, second = (json.loads(body)["events"] for body in receiver.bodies)
    assert [one["action"] for one in first] == ["one"]
    assert [one["action"] for one in second] == ["one", "two"]


def test_nobody_who_listens_is_waited_for_longer_each_time(receiver: Receiver) -> None:
    waits = [wait_after(count).total_seconds() for count in (1, 2, 3, 9, 500)]
    assert waits == [15, 30, 60, 3600, 3600]
    webhook, _ = a_webhook(receiver)
    Webhook.objects.update(url="http://127.0.0.1:1/")
    act("one")
    assert told(webhook) == 0
    webhook.refresh_from_db()
    assert "does not answer" in webhook.problem


def test_one_that_is_gone_is_told_no_more_until_it_is_turned_on(receiver: Receiver) -> None:
    webhook, _ = a_webhook(receiver)
    act("one")
    receiver.status = 410
    told(webhook)
    assert due(timezone.now() + timedelta(days=1)) == []
    receiver.status = 200
    change(webhook_id=webhook.pk, said=Described("followers", receiver.url, "*"))
    assert told(webhook) == 1


@pytest.mark.parametrize("changes", [{"is_active": False}, {"url": "https://another.example/"}])
def test_a_failure_undoes_nothing_that_was_said_while_it_was_waited_for(
    receiver: Receiver, changes: dict[str, object]
) -> None:
    asked, _ = a_webhook(receiver)
    Webhook.objects.update(**changes)
    for error in (NotTakenError("it answers 500"), GoneError("it wants no more (410)")):
        services.failed(asked, error, now=timezone.now())
    webhook = Webhook.objects.get()
    assert (webhook.failures, webhook.problem, webhook.retry_at) == (0, "", None)
    assert webhook.is_active == changes.get("is_active", True)


def test_acts_that_nobody_asked_for_are_passed_over(receiver: Receiver) -> None:
    webhook, _ = a_webhook(receiver, "model.*")
    last = act("one", "two")[-1]
    assert due(timezone.now()) == []
    webhook.refresh_from_db()
    assert webhook.position == last.sequence


@pytest.mark.django_db(transaction=True)
def test_the_sweep_asks_for_a_job_that_tells_and_run_twice_tells_once(receiver: Receiver) -> None:
    a_webhook(receiver)
    act("one")
    (job,) = ask_webhooks(now=timezone.now())
    run(job.pk)
    Job.objects.filter(pk=job.pk).update(state="queued", finished_at=None)
    run(job.pk)
    assert len(receiver.bodies) == 1
    assert ask_webhooks(now=timezone.now()) == []


def test_two_workers_at_once_never_move_a_webhook_back(receiver: Receiver) -> None:
    webhook, _ = a_webhook(receiver)
    act("one")
    services.move(webhook, to=webhook.position + 5)
    services.move(webhook, to=webhook.position + 1)
    assert Webhook.objects.filter(position=webhook.position + 5).exists()
    assert not Webhook.objects.filter(position__lt=F("position")).exists()


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "ftp://x",
            "https://",
            "https://a:b@x.org/",
            "https://x.org/#a",
            "http://x:99999/",
            "javascript:1",
        ),
        *("https://a..org/", "https://.org/", f"https://{'a' * 64}.org/", "https://my_host/", "javascript:1"),
    ],
)
def test_an_address_that_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(WebhookRefusedError):
        checked_url(url)


@pytest.mark.parametrize(
    "url",
    ["http://localhost:8/", "https://x.org./a_b", "http://[::1]:8/", "http://10.0.0.1", "https://bücher.de/"],
)
def test_an_address_that_can_be_called_is_taken(url: str) -> None:
    assert checked_url(f" {url} ") == url


@pytest.mark.parametrize(
    "url", ["https://a..org/", "https://x\u2028y.org/", "https://-.a\x7fb/", "https://xn--a/"]
)
def test_an_address_with_a_slip_that_was_kept_is_a_failure_in_words(receiver: Receiver, url: str) -> None:
    webhook, _ = a_webhook(receiver)
    act("one")
    Webhook.objects.update(url=url)
    assert told(webhook) == 0
    webhook.refresh_from_db()
    assert (webhook.failures, "does not answer" in webhook.problem) == (1, True)


@pytest.mark.parametrize(
    "words", ["", "DROP TABLE", "a..b", "*.a", "a.*.b", " ".join("a" * n for n in range(1, 52))]
)
def test_actions_that_cannot_be_are_refused(words: str) -> None:
    with pytest.raises(WebhookRefusedError):
        checked_actions(words)


@pytest.fixture
def admin() -> Client:
    client = a_client(a_user("a.berg", is_admin=True))
    client.post("/confirm", {"password": PASSWORD})
    return client


def test_an_administrator_adds_tries_changes_and_removes_one(admin: Client, receiver: Receiver) -> None:
    form = {"name": "Board", "url": receiver.url, "actions": "model.*", "is_active": "on"}
    page = admin.post(reverse("add-webhook"), form).content.decode()
    webhook = Webhook.objects.get()
    assert "whsec_" in page
    assert "whsec_" not in admin.get(reverse("webhooks")).content.decode()
    named = {"webhook_id": webhook.pk}
    page = admin.post(reverse("try-webhook", kwargs=named), follow=True).content.decode()
    assert "Board took a message" in page
    receiver.status = 500
    page = admin.post(reverse("try-webhook", kwargs=named), follow=True).content.decode()
    assert "it answers 500" in page
    admin.post(reverse("webhook", kwargs=named), form | {"actions": "sign_in"})
    webhook.refresh_from_db()
    assert webhook.actions == ["sign_in"]
    admin.post(reverse("remove-webhook", kwargs=named))
    assert not Webhook.objects.exists()
    actions = list(Event.objects.filter(action__startswith="webhook").values_list("action", flat=True))
    assert sorted(set(actions)) == ["webhook.add", "webhook.change", "webhook.remove", "webhook.try"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "http://"}, "names a host"),
        ({"actions": ""}, "Name 1 to 50"),
        ({"name": " "}, "Give it a name"),
        ({"name": "Taken"}, "Another one has this name"),
    ],
)
def test_what_cannot_be_is_said(admin: Client, receiver: Receiver, change: dict[str, str], said: str) -> None:
    a_webhook(receiver, name="Taken")
    form = {"name": "Board", "url": receiver.url, "actions": "model.*"} | change
    answer = admin.post(reverse("add-webhook"), form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Webhook.objects.count() == 1


def test_a_webhook_asks_for_the_password_first(receiver: Receiver) -> None:
    forgetful = a_client(a_user(is_admin=True))
    form = {"name": "Board", "url": receiver.url, "actions": "*"}
    assert forgetful.post(reverse("add-webhook"), form)["Location"].startswith("/confirm")
    assert not Webhook.objects.exists()
