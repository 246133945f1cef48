"""`manage.py verify-audit`: check the hash chain and print its head."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.services import verify


class Command(BaseCommand):
    """Walk the audit chain; fails when a row was edited, deleted, reordered or cut off."""

    help = "Check the audit chain and print its head, to be kept outside of this system."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the head that an earlier run printed."""
        parser.add_argument("--head", default="", help="sequence:hash as an earlier run printed it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the result; exit with 1 where the chain is broken."""
        result = verify(kept_head=options["head"])
        if not result.intact:
            raise CommandError("The audit chain is broken:\n" + "\n".join(result.problems))
        self.stdout.write(f"{result.count} events, chain intact.\nhead {result.head}")
