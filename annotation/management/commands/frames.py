"""`manage.py frames htj2k`: bring all stored images into one form, packed or uncompressed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation.studies.forms import Changed, change_all
from annotation.studies.models import Instance
from annotation.studies.packing import PackedFileBrokenError

FORMS = {"htj2k": True, "uncompressed": False}


class Command(BaseCommand):
    """Changes how images are stored while the system runs; what comes in follows FOVEA_FRAMES."""

    help = "Store all images packed as HTJ2K without loss, or uncompressed again; begun anew, it goes on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("form", choices=sorted(FORMS))

    def handle(self, *_args: Any, **options: Any) -> None:
        """Change them, and say what it saved.

        raises: CommandError where a packed file is damaged.
        """
        with tqdm(total=Instance.objects.count(), disable=None, unit="image") as bar:

            def told(_changed: Changed) -> None:
                bar.update()

            try:
                changed = change_all(to_packed=FORMS[options["form"]], told=told)
            except PackedFileBrokenError as error:
                raise CommandError(f"{error}: put the file back from a backup, then begin anew") from None
        self.stdout.write(f"{changed.files} images changed, {changed.kept} left as they were")
        self.stdout.write(f"{changed.before} bytes before, {changed.after} after")
