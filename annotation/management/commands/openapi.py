"""Write the API's description, from which the front end's client is generated."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from annotation.api.http import api


def description() -> str:
    """Describe the JSON API as OpenAPI 3.1."""
    return json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), indent=1, default=str) + "\n"


class Command(BaseCommand):
    """manage.py openapi [--check]."""

    help = "Write frontend/src/api/openapi.json; --check only says whether it is current."

    def add_arguments(self, parser: CommandParser) -> None:
        """Offer --check."""
        parser.add_argument("--check", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write, or compare."""
        path: Path = settings.ROOT / "frontend" / "src" / "api" / "openapi.json"
        text = description()
        if not options["check"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            raise CommandError(f"{path.relative_to(settings.ROOT)} is old: run manage.py openapi")
        self.stdout.write(f"{path.relative_to(settings.ROOT)} is current")
