"""What is kept out of the logs: an address may name a study as its hospital does."""

import json
import logging
import traceback
from datetime import UTC, datetime


class WithoutAddresses(logging.Filter):
    """Django names the address of every request that it refuses: its route stands in the address's place."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record about a request; every record passes."""
        request = getattr(record, "request", None)
        path = getattr(request, "path", "")
        if path:
            match = getattr(request, "resolver_match", None)
            route = f"/{match.route}" if match is not None else "(no such address)"
            record.msg, record.args = record.getMessage().replace(path, route), ()
        return True


class JsonLines(logging.Formatter):
    """One JSON object a line. Of an error its kind and place: what it says may be a value that broke it."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        told: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
        }
        request = getattr(record, "request", None)
        match = getattr(request, "resolver_match", None)
        if match is not None:
            told |= {"route": match.route, "method": getattr(request, "method", "")}
        if record.exc_info and record.exc_info[0]:
            frames = traceback.extract_tb(record.exc_info[2])[-8:]
            told["error"] = record.exc_info[0].__name__
            told["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(told, ensure_ascii=False)
