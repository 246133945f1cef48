"""Pages of lists by cursor: what is added meanwhile moves nothing, and no page is reached by counting."""

import base64
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Q, QuerySet
from ninja import Field, Schema

from annotation.projects.rules import RefusedError

Row = TypeVar("Row", bound=Model)
NUL = "\0"  # PostgreSQL has no text with it


class CursorError(RefusedError):
    """A cursor is none that a list gave."""

    code = "cursor_invalid"


class After(Schema):
    """Where a page begins, and how long it is."""

    cursor: str = Field("", max_length=500, description="next of the page before")
    size: int = Field(100, ge=1, le=500)


def after(rows: QuerySet[Row], page: After, *, order: Sequence[str]) -> list[Row]:
    """Give a page's rows and one more, in an order whose last field is unique.

    raises: CursorError.
    """
    rows = rows.order_by(*order)
    if not page.cursor:
        return list(rows[: page.size + 1])
    values = read(page.cursor, len(order))
    try:
        return list(rows.filter(beyond(values, order))[: page.size + 1])
    except (ValueError, TypeError, ValidationError) as error:
        raise CursorError("the cursor is none that this list gave: begin without one") from error


def beyond(values: Sequence[Any], order: Sequence[str]) -> Q:
    """Condition on what comes after a row with these values."""
    found, equal = Q(), Q()
    for name, value in zip(order, values, strict=True):
        field, sign = name.removeprefix("-"), "lt" if name.startswith("-") else "gt"
        found |= equal & Q(**{f"{field}__{sign}": value})
        equal &= Q(**{field: value})
    return found


def next_of(rows: Sequence[Model], page: After, *, order: Sequence[str]) -> str | None:
    """Write the cursor of the next page; None where there is none."""
    if len(rows) <= page.size:
        return None
    last = rows[page.size - 1]
    values = [getattr(last, name.removeprefix("-")) for name in order]
    return base64.urlsafe_b64encode(json.dumps(values, cls=ExactEncoder).encode()).decode()


class ExactEncoder(DjangoJSONEncoder):
    """Writes moments to the microsecond, so that a page begins exactly where the last one ended."""

    def default(self, o: Any) -> Any:  # noqa: ANN401  as the base class has it
        """Write what JSON has no word for."""
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


def read(cursor: str, count: int) -> list[Any]:
    """Read a cursor.

    raises: CursorError.
    """
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if not isinstance(values, list) or len(values) != count:
            raise ValueError
        if not all(isinstance(one, str | int) for one in values) or NUL in "".join(map(str, values)):
            raise ValueError
    except ValueError:
        raise CursorError("the cursor is none that this list gave: begin without one") from None
    return values
