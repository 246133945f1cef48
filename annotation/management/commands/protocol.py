"""`manage.py protocol PROJECT FILE|--template NAME|--show`: what a project asks of each case."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotation.projects.protocols import ProtocolInvalidError, document_of
from annotation.projects.questions import Document, schema
from annotation.projects.rules import RefusedError
from annotation.projects.selectors import (
    UnknownProjectError,
    document_in,
    project_called,
    protocol_in_force,
)
from annotation.projects.services import save_protocol
from annotation.projects.templates import template_called, templates


class Command(BaseCommand):
    """Shows a project's protocol, or puts a new version in force."""

    help = "Show or set what a project asks: from a JSON file, or from a ready-made template."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("project", nargs="?", help="name or id of the project")
        parser.add_argument("file", nargs="?", type=Path, help="JSON of questions and settings")
        parser.add_argument("--template", help="name of a ready-made protocol")
        parser.add_argument("--show", action="store_true", help="print the protocol in force as JSON")
        parser.add_argument("--templates", action="store_true", help="list the ready-made protocols")
        parser.add_argument("--schema", action="store_true", help="print the JSON Schema of a protocol")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do what the options say."""
        if options["schema"]:
            self.stdout.write(json.dumps(schema(), indent=2))
        elif options["templates"]:
            self._list()
        elif not options["project"]:
            raise CommandError("name a project, or give --templates or --schema")
        else:
            self._of_project(options)

    def _list(self) -> None:
        for one in templates():
            self.stdout.write(f"{one.name}: {one.title}. {one.standard}")

    def _of_project(self, options: dict[str, Any]) -> None:
        try:
            project = project_called(options["project"])
        except UnknownProjectError as error:
            raise CommandError(str(error)) from error
        current = protocol_in_force(project.pk)
        if options["show"]:
            self.stdout.write(json.dumps(document_in(current).plain(), indent=2, ensure_ascii=False))
            return
        document = chosen(options["file"], options["template"])
        saved = save_protocol(
            project=project, document=document, base_version=current.version, now=timezone.now(), by=None
        )
        if saved == current:
            self.stdout.write(f"{project.name}: nothing changed, version {saved.version} stays in force")
            return
        self.stdout.write(f"{project.name}: version {saved.version} is in force")
        for line in saved.changes.splitlines():
            self.stdout.write(f"  {line}")


def chosen(file: Path | None, template: str | None) -> Document:
    """Read the protocol that a command line names.

    raises: CommandError with every problem.
    """
    if (file is None) == (template is None):
        raise CommandError("give one of them: a FILE, or --template NAME")
    try:
        given = template_called(template).document if template else read(file)
        return document_of(given)
    except ProtocolInvalidError as error:
        raise CommandError("\n".join(f"{one.at}: {one.message}" for one in error.problems)) from error
    except RefusedError as error:
        raise CommandError(str(error)) from error


def read(file: Path | None) -> object:
    """Read JSON.

    raises: CommandError naming the file.
    """
    try:
        return json.loads(Path(file or "").read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{file}: {error}") from error
