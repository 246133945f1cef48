"""What is kept out of the logs: an address may name a study as its hospital does."""

import logging


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
