"""`manage.py receive`: images of named senders by C-STORE, until it is stopped."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from annotation.exchange.peers.receiver import Receiver
from annotation.exchange.peers.rules import PeerRefusedError, checked_title


class Command(BaseCommand):
    """Takes images by C-STORE."""

    help = "Receive images by C-STORE from the peers that may send (page Peers)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the command line."""
        parser.add_argument("--title", default=settings.DICOM_TITLE, help="our AE title")
        parser.add_argument("--host", default=settings.DICOM_HOST, help="the address to listen at")
        parser.add_argument("--port", type=int, default=settings.DICOM_PORT)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Listen until told to stop."""
        try:
            title = checked_title(options["title"])
        except PeerRefusedError as error:
            raise CommandError(str(error)) from error
        if not title or not options["port"]:
            raise CommandError("give an AE title and a port: --title, --port, or FOVEA_DICOM_PORT")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            with Receiver(settings.HOME.received, title=title, host=options["host"], port=options["port"]):
                self.stdout.write(f"{title} receives at {options['host']}:{options['port']}")
                self.stdout.flush()
                stop.wait()
        except OSError as error:
            raise CommandError(f"the port cannot be listened at: {error.strerror}") from error
