"""Every phrase that a template gives out for translation has one, and the compiled catalogue is current."""

import gettext
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from tests import factories

LOCALE = settings.ROOT / "frontend" / "locale" / "zh_Hans" / "LC_MESSAGES"
TEMPLATES = sorted((settings.ROOT / "frontend" / "templates").rglob("*.html"))
PHRASE = re.compile(r'{% (?:trans|translate) "([^"]+)"')
ENTRY = re.compile(r'^msgid "(.+)"\nmsgstr "(.+)"$', re.MULTILINE)


def test_the_compiled_catalogue_says_what_the_source_says() -> None:
    with (LOCALE / "django.mo").open("rb") as compiled:
        catalogue = gettext.GNUTranslations(compiled)
    entries = ENTRY.findall((LOCALE / "django.po").read_text())
    assert entries
    assert [catalogue.gettext(source) for source, _ in entries] == [target for _, target in entries]


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
