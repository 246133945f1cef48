"""What the job of a label import does: the check, or, once somebody agreed, the writing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from annotation.exchange.labels import importing, services
from annotation.exchange.labels.checking import Progress
from annotation.exchange.labels.models import LabelImport
from annotation.exchange.labels.naming import MappingError
from annotation.exchange.labels.statements import LabelFileError

State = LabelImport.State


def take_step(
    asked: LabelImport,
    *,
    now: datetime,
    progress: Progress,
    commit: Callable[[], AbstractContextManager[object]],
) -> None:
    """Check a file, or write it; run again, the same rows are there. A file that cannot be read fails.

    raises: ForbiddenError, DoorBrokenError.
    """
    if asked.state not in (State.CHECKING, State.WRITING):
        with commit():
            return
    services.check_requester(asked)
    try:
        with services.as_file(asked) as path:
            if asked.state == State.CHECKING:
                found, state = importing.preview(services.asked_of(asked), path, progress), State.CHECKED
            else:
                found = importing.write(
                    services.asked_of(asked), path, use=asked.use, now=now, progress=progress
                )
                state = State.DONE
    except (LabelFileError, MappingError) as error:
        with commit():
            services.fail(asked=asked, error=str(error))
        return
    with commit():
        services.finish(asked=asked, state=state, found=found, now=now)
