"""Ready-made protocols, each by the standard of its field: one JSON file a template."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from annotation.projects.rules import RefusedError

FOLDER = Path(__file__).with_name("templates")


class UnknownTemplateError(RefusedError):
    """No template has this name."""

    code = "unknown_template"


@dataclass(frozen=True)
class Template:
    """A protocol to start from, and the sentence that names its standard."""

    name: str
    title: str
    standard: str
    modalities: list[str]
    document: dict[str, Any]


@cache
def templates() -> tuple[Template, ...]:
    """List the templates by title."""
    found = [template_of(path) for path in FOLDER.glob("*.json")]
    return tuple(sorted(found, key=lambda one: one.title))


def template_of(path: Path) -> Template:
    """Read a template's file."""
    written = json.loads(path.read_text())
    document = {"questions": written["questions"], "settings": written["settings"]}
    return Template(path.stem, written["title"], written["standard"], written["modalities"], document)


def template_called(name: str) -> Template:
    """Find a template.

    raises: UnknownTemplateError naming those there are.
    """
    for one in templates():
        if one.name == name:
            return one
    known = ", ".join(sorted(one.name for one in templates()))
    raise UnknownTemplateError(f'there is no template "{name}": there are {known}')
