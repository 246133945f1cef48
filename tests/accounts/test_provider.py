"""Sign-in by an OpenID provider: a process that the tests start, honest and with every fault."""

import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.invitations import invite
from accounts.models import Identity, Invitation, User
from audit.models import Event
from tests.accounts.test_second_factors import set_up
from tests.browser.serving import free_port
from tests.factories import PASSWORD, a_client, a_user
from tests.servers import ROOT, until

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]
HOST = "testserver"


def answers(url: str, path: str = "/keys") -> bool:
    try:
        return httpx.get(url + path).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "tests.accounts.openid_provider", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: answers(f"http://127.0.0.1:{port}"))
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


@pytest.fixture(autouse=True)
def provided(settings: Settings, issuer: str) -> None:
    settings.OIDC_ISSUER = issuer
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = "fovea", "between us"
    settings.OIDC_NAME = "Hospital sign-in"


def known(user: User, settings: Settings, subject: str = "s-1") -> User:
    Identity.objects.create(
        user=user, issuer=settings.OIDC_ISSUER, subject=subject, created_at=timezone.now()
    )
    return user


def through(client: Client, login: str = "s-1", fault: str = "", **query: str) -> httpx.URL:
    """Go to the provider and sign in there; gives the address that it sends the browser back to."""
    asked = client.get("/sign-in/provider", query)
    assert asked.status_code == 302, asked.content.decode()
    sent = httpx.get(httpx.URL(asked["Location"]).copy_merge_params({"login": login, "fault": fault}))
    return httpx.URL(sent.headers["Location"])


def back(client: Client, url: httpx.URL) -> tuple[int, str]:
    answer = client.get(url.raw_path.decode())
    return answer.status_code, answer.headers.get("Location", answer.content.decode())


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def test_whom_the_provider_means_is_signed_in_and_led_on(client: Client, settings: Settings) -> None:
    user = known(a_user(), settings)
    assert "Sign in by Hospital sign-in" in client.get("/sign-in").content.decode()
    assert back(client, through(client, next="/tokens")) == (302, "/tokens")
    assert is_in(client)
    event = Event.objects.get(action="sign_in")
    assert (event.actor, event.outcome, event.details) == (str(user.pk), "ok", {"by": "provider"})


def test_the_provider_is_asked_with_state_nonce_and_a_challenge(client: Client) -> None:
    asked = urlsplit(client.get("/sign-in/provider")["Location"])
    query = httpx.QueryParams(asked.query)
    assert {"state", "nonce", "code_challenge"} <= set(query)
    assert (query["scope"], query["code_challenge_method"]) == ("openid", "S256")
    assert query["redirect_uri"] == f"http://{HOST}/sign-in/provider/answer"


@pytest.mark.parametrize(
    "fault",
    [
        "issuer",
        "audience",
        "nonce",
        "expired",
        "unsigned",
        "shared_key",
        "foreign_key",
        "no_token",
    ],
)
def test_a_token_that_proves_nothing_lets_nobody_in(fault: str, client: Client, settings: Settings) -> None:
    known(a_user(), settings)
    status, words = back(client, through(client, fault=fault))
    assert status == 403
    assert "did not vouch for you" in words
    assert not is_in(client)
    event = Event.objects.get(action="sign_in")
    assert (event.outcome, event.object_id) == ("denied", "")


def test_an_answer_is_good_once_and_only_in_the_browser_that_asked(
    client: Client, settings: Settings
) -> None:
    known(a_user(), settings)
    url = through(client)
    other = Client()
    through(other)
    assert back(other, url)[0] == 403
    assert back(client, url)[0] == 302
    client.post("/sign-out")
    assert not is_in(client)
    back(client, url)
    assert not is_in(client)


def test_a_mail_address_lets_nobody_in(client: Client) -> None:
    """The provider says that it is the administrator's."""
    administrator = a_user(is_admin=True)
    User.objects.filter(pk=administrator.pk).update(email="admin@hospital.example")
    status, words = back(client, through(client))
    assert status == 403
    assert "Nobody here is connected" in words
    assert not is_in(client)


def test_another_issuer_s_subject_of_the_same_name_is_somebody_else(client: Client) -> None:
    Identity.objects.create(
        user=a_user(), issuer="https://other.example", subject="s-1", created_at=timezone.now()
    )
    assert back(client, through(client))[0] == 403


def test_who_is_disabled_is_not_let_in(client: Client, settings: Settings) -> None:
    user = known(a_user(), settings)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert back(client, through(client))[0] == 403


def test_a_second_factor_set_up_here_is_asked_for_unless_the_provider_asked(
    client: Client, settings: Settings
) -> None:
    user = known(a_user(), settings)
    app = set_up(user)
    assert back(client, through(client)) == (302, "/sign-in/second")
    assert not is_in(client)
    client.post("/sign-in/second", {"code": app.now()})
    assert is_in(client)
    assert Event.objects.filter(action="sign_in").latest("sequence").details == {
        "second": "app",
        "by": "provider",
    }
    client.post("/sign-out")
    assert back(client, through(client, fault="mfa")) == (302, "/")
    assert is_in(client)


def test_a_password_after_a_provider_s_sign_in_that_was_left_undone_is_a_password(
    client: Client, settings: Settings
) -> None:
    set_up(known(a_user(), settings))
    other = a_user(is_admin=True)
    back(client, through(client))
    client.post("/sign-in", {"username": other.username, "password": PASSWORD})
    assert Event.objects.filter(action="sign_in").latest("sequence").details == {}
    assert client.get("/people/new").status_code == 200


def test_a_provider_that_asked_for_a_second_factor_satisfies_the_role(
    client: Client, settings: Settings
) -> None:
    settings.SECOND_FACTOR_ROLES = ["admin"]
    known(a_user(is_admin=True), settings)
    back(client, through(client))
    assert client.get("/people")["Location"] == "/account"
    client.post("/sign-out")
    back(client, through(client, fault="mfa"))
    assert client.get("/people").status_code == 200


def test_who_is_invited_uses_the_provider_in_the_place_of_a_password(client: Client) -> None:
    user = User.objects.create_user("k.new")
    _, key = invite(user=user, by=a_user(is_admin=True), now=timezone.now())
    assert "Use Hospital sign-in instead" in client.get(f"/invitation/{key}").content.decode()
    assert back(client, through_invitation(client, key)) == (302, "/")
    assert is_in(client)
    assert client.get(f"/invitation/{key}").status_code == 410
    assert not User.objects.get(pk=user.pk).has_usable_password()
    assert Event.objects.get(action="invitation.accept").actor == str(user.pk)


def through_invitation(client: Client, key: str, **query: str) -> httpx.URL:
    """Choose the provider on the page of an invitation, and go there."""
    page = client.post(f"/invitation/{key}", {"by_provider": ""}).content.decode()
    assert "You sign in at Hospital sign-in now" in page
    assert 'href="/sign-in/provider"' in page
    return through(client, **query)


def an_invitation() -> str:
    return invite(user=User.objects.create_user("k.new"), by=a_user(is_admin=True), now=timezone.now())[1]


def test_an_invitation_that_is_over_connects_nobody(client: Client) -> None:
    assert client.post("/invitation/never-made", {"by_provider": ""}).status_code == 410
    url = through_invitation(client, an_invitation())
    Invitation.objects.update(expires_at=timezone.now())
    assert back(client, url)[0] == 410
    assert not Identity.objects.exists()


def test_a_link_to_the_provider_takes_no_invitation() -> None:
    """Only the invitation's own form with its token says whom the next answer is."""
    key, strict = an_invitation(), Client(enforce_csrf_checks=True)
    assert strict.post(f"/invitation/{key}", {"by_provider": ""}).status_code == 403
    assert back(strict, through(strict, invitation=key))[0] == 403
    assert not Identity.objects.exists()


def test_who_goes_to_the_sign_in_page_after_an_invitation_signs_in_and_no_more(
    client: Client, settings: Settings
) -> None:
    key = an_invitation()
    assert back(client, through_invitation(client, key, next="/"))[0] == 403
    settings.SECOND_FACTOR_SECONDS = -1
    assert back(client, through_invitation(client, key))[0] == 403
    assert not Identity.objects.exists()


def a_fresh_client(user: User) -> Client:
    client = a_client(user)
    client.post("/confirm", {"password": PASSWORD})
    return client


def test_who_is_signed_in_connects_and_disconnects_their_own_account() -> None:
    user = a_user()
    client = a_fresh_client(user)
    assert "sign in at Hospital sign-in now" in client.post("/account/provider").content.decode()
    assert back(client, through(client)) == (302, "/account")
    assert [one.subject for one in user.identities.all()] == ["s-1"]
    assert Event.objects.latest("sequence").action == "account.connect"
    client.post("/account/provider/remove")
    assert not user.identities.exists()


def test_a_wish_to_connect_is_over_with_time(settings: Settings) -> None:
    user = a_user()
    client = a_fresh_client(user)
    client.post("/account/provider")
    settings.SECOND_FACTOR_SECONDS = -1
    back(client, through(client))
    assert not user.identities.exists()


def test_an_account_elsewhere_is_one_person_s_here(settings: Settings) -> None:
    known(a_user(), settings)
    client = a_fresh_client(a_user())
    client.post("/account/provider")
    assert back(client, through(client))[0] == 403
    assert Identity.objects.count() == 1


def test_a_link_alone_connects_nothing() -> None:
    """Only the form with its token says that the next answer is to be connected."""
    user = a_user()
    client = a_fresh_client(user)
    back(client, through(client))
    assert not user.identities.exists()


def test_nobody_locks_themselves_out(settings: Settings) -> None:
    user = known(a_user(), settings)
    User.objects.filter(pk=user.pk).update(password="!")
    client = a_client(User.objects.get(pk=user.pk))
    assert back(client, through(client, next="/account")) == (302, "/account")
    page = client.post("/account/provider/remove", follow=True).content.decode()
    assert "nothing else would let you in" in page
    assert user.identities.exists()


def test_a_sign_in_there_a_moment_ago_stands_for_the_password_here(settings: Settings) -> None:
    user = known(a_user(is_admin=True), settings)
    client = a_client(user)
    assert "Confirm at Hospital sign-in" in client.get("/confirm").content.decode()
    asked = httpx.QueryParams(urlsplit(client.get("/sign-in/provider")["Location"]).query)
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    assert back(client, through(client, fault="old", next="/people/new"))[0] == 403
    assert client.get("/people/new").status_code == 302
    assert back(client, through(client, next="/people/new")) == (302, "/people/new")
    assert client.get("/people/new").status_code == 200


def test_another_person_s_sign_in_confirms_nothing(settings: Settings) -> None:
    known(a_user(), settings, "s-2")
    client = a_client(known(a_user(is_admin=True), settings))
    assert back(client, through(client, login="s-2"))[0] == 403
    assert client.get("/people/new").status_code == 302


def test_a_sign_in_by_the_provider_alone_is_no_password_typed_lately(
    client: Client, settings: Settings
) -> None:
    known(a_user(is_admin=True), settings)
    back(client, through(client))
    assert client.get("/people/new").status_code == 302


def test_a_provider_that_is_away_or_another_is_said(client: Client, settings: Settings) -> None:
    settings.OIDC_ISSUER += "/"
    assert client.get("/sign-in/provider").status_code == 502
    settings.OIDC_ISSUER = f"http://127.0.0.1:{free_port()}"
    answer = client.get("/sign-in/provider")
    assert answer.status_code == 502
    assert "cannot be reached" in answer.content.decode()


@pytest.fixture
def another() -> Iterator[str]:
    """A provider by others."""
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: answers(f"http://localhost:{port}", "/.well-known/openid-configuration"))
    yield f"http://localhost:{port}"
    process.terminate()
    process.wait()


def test_a_provider_by_others_signs_in_the_same_way(client: Client, settings: Settings, another: str) -> None:
    settings.OIDC_ISSUER = another
    known(a_user(), settings, "kim")
    asked = client.get("/sign-in/provider")["Location"]
    sent = httpx.post(asked, data={"sub": "kim"})
    assert back(client, httpx.URL(sent.headers["Location"])) == (302, "/")
    assert is_in(client)


def test_without_a_provider_there_is_no_such_page(client: Client, settings: Settings) -> None:
    settings.OIDC_ISSUER = ""
    assert client.get("/sign-in/provider").status_code == 404
    assert client.get("/sign-in/provider/answer").status_code == 404
    assert "Sign in by" not in client.get("/sign-in").content.decode()
