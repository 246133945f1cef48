"""Every phrase that a template gives out for translation has one, and the compiled catalogue is current."""

import gettext
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone, translation
from pytest_django import Settings

from accounts.factors.services import SEAL
from accounts.factors.totp import new_secret
from accounts.invitations import invite
from accounts.models import SecondFactors
from accounts.scopes import Scope
from accounts.tokens import Wish, make_token
from tests import factories

LOCALE = settings.ROOT / "frontend" / "locale" / "zh_Hans" / "LC_MESSAGES"
TEMPLATES = sorted((settings.ROOT / "frontend" / "templates").rglob("*.html"))
PHRASE = re.compile(r'{% (?:trans|translate) "([^"]+)"')
ENTRY = re.compile(r'^(?:msgctxt "(.+)"\n)?msgid (".+")\nmsgstr (".+")$', re.MULTILINE)


def test_the_compiled_catalogue_says_what_the_source_says() -> None:
    with (LOCALE / "django.mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    entries = [
        (json.loads(source), context, json.loads(target))
        for context, source, target in ENTRY.findall((LOCALE / "django.po").read_text())
    ]
    assert entries
    said = [
        catalogue.pgettext(context, source) if context else catalogue.gettext(source)
        for source, context, _ in entries
    ]
    assert said == [target for _, _, target in entries]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_phrase_of_a_template_is_translated(template: Path) -> None:
    phrases = PHRASE.findall(template.read_text())
    with translation.override("zh-hans"):
        missing = [phrase for phrase in phrases if translation.gettext(phrase) == phrase]
    assert missing == []


@pytest.mark.django_db
def test_a_page_changes_its_language_and_stays_where_it_was() -> None:
    project = factories.a_project()
    client = factories.a_client(factories.a_reader(project))
    here = f"/projects/{project.pk}"
    answer = client.post("/language", {"language": "zh-hans", "next": here})
    assert answer["Location"] == here
    assert "项目" in client.get("/").content.decode()
    assert client.post("/language", {"language": "en", "next": "https://evil.example/"})["Location"] == "/"
    assert ">Projects</a>" in client.get("/").content.decode()


@pytest.mark.django_db
def test_a_language_that_is_not_offered_changes_nothing() -> None:
    client: Client = factories.a_client(factories.a_user())
    client.post("/language", {"language": "tlh", "next": "/"})
    assert client.get("/api/v1/preferences").json()["language"] == "en"


# Names, and what is the same in every language.
SAME = {"Fovea", "API", "PACS", "DICOMweb", "English", "Bearer", "Authorization", "UTC", "JavaScript"}
SAME |= {"https"}
GIVEN = {"reader-lin", "a-project", "viewer", "finding", "Normal", "Pneumonia", "What", "do", "you", "see"}
SEEN_ATTRIBUTES = ("title", "aria-label", "alt", "placeholder", "data-confirm", "data-confirm-word")
LATIN = re.compile(r"[A-Za-z][A-Za-z\-]+")


class Seen(HTMLParser):
    """What of a page is read by people: its text, and the attributes that are shown or read out."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the attributes; what is in a script, a style or code is not words."""
        if tag in ("script", "style", "code"):
            self.inside.append(tag)
        self.words += [value or "" for name, value in attrs if name in SEEN_ATTRIBUTES]

    def handle_endtag(self, tag: str) -> None:
        """Words again."""
        if tag in self.inside:
            self.inside.remove(tag)

    def handle_data(self, data: str) -> None:
        """Take the text."""
        self.words += [] if self.inside else [data]


def english_in(content: str) -> list[str]:
    """Find the words of a page that are not Chinese."""
    page = Seen()
    page.feed(content)
    found = [word for text in page.words for word in LATIN.findall(text)]
    return sorted({word for word in found if word not in SAME | GIVEN})


def chinese(client: Client) -> Client:
    """Let a client ask for Chinese, as a browser does that nobody is signed in at."""
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "zh-CN,zh;q=0.9,en;q=0.5"
    return client


@pytest.fixture
def reader() -> Client:
    """A reader of one project who chose Chinese and has a token."""
    project = factories.a_project("a-project")
    user = factories.a_reader(project, "reader-lin")
    make_token(user=user, wish=Wish("viewer", [Scope.DICOMWEB_READ], 30), now=timezone.now())
    client = factories.a_client(user)
    client.post("/language", {"language": "zh-hans", "next": "/"})
    return client


def project_page(client: Client, path: str) -> str:
    """Get a page of the reader's one project."""
    (project,) = client.get("/api/v1/projects").json()
    return client.get(f"/projects/{project['id']}{path}").content.decode()


def a_link() -> str:
    """The address at which somebody chooses a password."""
    user = factories.a_user("viewer")
    _, key = invite(user=user, by=user, now=timezone.now())
    return f"/invitation/{key}"


def at_the_second_step() -> Client:
    """A browser in which the password was typed, of somebody with an app."""
    user = factories.a_user("viewer")
    SecondFactors.objects.create(user=user, totp_sealed=SEAL.seal(new_secret()))
    client = chinese(Client())
    client.post("/sign-in", {"username": "viewer", "password": factories.PASSWORD})
    return client


def confirmed(client: Client, path: str) -> str:
    """A page that asks for the password before it opens."""
    client.post("/confirm", {"password": factories.PASSWORD})
    content = client.get(path).content.decode()
    return re.sub(r'<p class="mono">.+?</p>', "", content)


PAGES: dict[str, Callable[[Client], str]] = {
    "home": lambda client: client.get("/").content.decode(),
    "a project": lambda client: project_page(client, ""),
    "the reading room": lambda client: project_page(client, "/read"),
    "tokens": lambda client: client.get("/tokens").content.decode(),
    "confirm": lambda client: client.get("/confirm").content.decode(),
    "confirm, wrong": lambda client: client.post("/confirm", {"password": "x"}).content.decode(),
    "not found": lambda client: client.get("/projects/00000000-0000-0000-0000-000000000000").content.decode(),
    "not allowed": lambda client: project_page(client, "/learning"),
    "account": lambda client: client.get("/account").content.decode(),
    "account, password": lambda client: confirmed(client, "/account/password"),
    "account, app": lambda client: confirmed(client, "/account/app"),
    "account, key": lambda client: confirmed(client, "/account/key"),
    "second factor": lambda _: at_the_second_step().get("/sign-in/second").content.decode(),
    "second factor, wrong": lambda _: at_the_second_step().post("/sign-in/second", {}).content.decode(),
    "a link to choose a password": lambda _: chinese(Client()).get(a_link()).content.decode(),
    "a link that is over": lambda _: chinese(Client()).get("/invitation/over").content.decode(),
    "sign in": lambda _: chinese(Client()).get("/sign-in").content.decode(),
    "sign in, wrong": lambda _: (
        chinese(Client()).post("/sign-in", {"username": "viewer", "password": "x"}).content.decode()
    ),
    "sign in, nothing": lambda _: chinese(Client()).post("/sign-in", {}).content.decode(),
    "too old": lambda _: (
        chinese(Client(enforce_csrf_checks=True)).post("/sign-in", {"username": "x"}).content.decode()
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", PAGES)
def test_every_word_that_a_reader_meets_is_chinese(reader: Client, name: str) -> None:
    content = PAGES[name](reader)
    assert '<html lang="zh-Hans"' in content
    assert english_in(content) == []


@pytest.mark.django_db
def test_an_invitation_leads_to_the_provider_in_chinese(settings: Settings) -> None:
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://provider.example", "医院"
    client, link = chinese(Client()), a_link()
    assert english_in(client.get(link).content.decode()) == []
    assert english_in(client.post(link, {"by_provider": ""}).content.decode()) == []


@pytest.mark.django_db
def test_a_token_is_made_and_revoked_in_chinese(reader: Client) -> None:
    reader.post("/confirm", {"password": factories.PASSWORD})
    refused = reader.post("/tokens/new", {"name": "", "days": "30"})
    assert english_in(refused.content.decode()) == []
    made = reader.post("/tokens/new", {"name": "viewer", "scope": ["dicomweb:read"], "days": "30"})
    key = re.search(r'<p class="once">(.+?)</p>', made.content.decode())
    assert key is not None
    assert english_in(made.content.decode().replace(key[1], "")) == []


@pytest.mark.django_db
def test_the_page_to_sign_in_at_speaks_the_browser_s_language_and_the_one_last_chosen_there() -> None:
    client = Client()
    assert ">Sign in</h1>" in client.get("/sign-in").content.decode()
    client.post("/language", {"language": "zh-hans", "next": "/sign-in"})
    assert ">登录</h1>" in client.get("/sign-in").content.decode()


@pytest.mark.django_db
def test_what_the_server_refuses_is_said_in_the_reader_s_language(reader: Client) -> None:
    problem = reader.get("/api/v1/projects/00000000-0000-0000-0000-000000000000/readings/last").json()
    assert (problem["code"], english_in(problem["detail"])) == ("not_found", [])
