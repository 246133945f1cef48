"""While a request is answered, what is audited says from where it came."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from audit.requests import address


class Whence:
    """Middleware around all others: whoever writes an event needs not be told the address."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer; the peer itself counts, never a header that it wrote."""
        before = address.set(str(request.META.get("REMOTE_ADDR", "")))
        try:
            return self.get_response(request)
        finally:
            address.reset(before)
