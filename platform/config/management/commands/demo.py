"""`manage.py demo`: accounts and a project to look at; running it again changes nothing."""

import json
import logging
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts.models import Role, User
from annotation.projects.models import Membership, Project
from annotation.projects.services import set_membership
from config.demo.accounts import ROLES, ensure_people
from config.demo.medmnist import MedmnistError
from config.demo.sources import NoSourceError, Source, sources
from config.home import Home, write_private

MEMBERS = {"reader": Role.READER, "ML staff": Role.ML_STAFF}


class Command(BaseCommand):
    """Prepare the data directory, the demo's accounts and its project."""

    help = "Make the demo: accounts, and a project of the images given or of what can be had."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the images to show."""
        parser.add_argument("--data", default="", help="folder or zip of images, or a MedMNIST .npz file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is not there yet."""
        home: Home = settings.HOME
        logging.getLogger("jobs.broker").setLevel(
            logging.ERROR
        )  # the broker starts later, and the sweep sends
        call_command("migrate", verbosity=0, interactive=False)
        people = ensure_people(home)
        record = home.root / "demo.json"
        known: dict[str, str] = json.loads(record.read_text()) if record.exists() else {}
        if known and not options["data"]:
            return
        try:
            wanted = sources(options["data"], home.spool / "demo")
        except (NoSourceError, MedmnistError) as error:
            raise CommandError(str(error)) from error
        for source in wanted:
            self.fill(source, people, known)
            write_private(record, json.dumps(known, indent=1))

    def fill(self, source: Source, people: dict[str, User], known: dict[str, str]) -> None:
        """Import a source into its project, unless that has been done and no file has changed since."""
        self.stdout.write(source.said)
        fingerprint = source.fingerprint()
        if known.get(source.project) != fingerprint:
            call_command(
                "import",
                str(source.path),
                project=source.project,
                modality=source.modality,
                choices=source.choices,
            )
            known[source.project] = fingerprint
        enrol(Project.objects.get(name=source.project), people)


def enrol(project: Project, people: dict[str, User]) -> None:
    """Make the demo's people members of a project; who is one already stays what they are."""
    members = set(Membership.objects.filter(project=project).values_list("user_id", flat=True))
    for username, role in ROLES.items():
        if role in MEMBERS and people[username].pk not in members:
            set_membership(project=project, user=people[username], role=MEMBERS[role])
