"""JSON that somebody wrote into a form."""

import json

from annotation.projects.problems import Problem


class UnreadableError(ValueError):
    """What was written cannot be read; problem: why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read_json(written: str, *, what: str, most: int) -> object:
    """Read JSON of at most so many characters.

    what:   names it, as the first words of a sentence that goes on "at most".
    raises: UnreadableError where it is none, or too much.
    """
    if len(written) > most:
        raise UnreadableError(Problem("", "too_long", f"{what} at most {most // 1024} kB"))
    try:
        if "\\u0000" in written or "\0" in written:  # no database keeps it
            raise ValueError
        return json.loads(written)
    except (ValueError, RecursionError):
        text = "this is not JSON: mend it, or load the page again"
        raise UnreadableError(Problem("", "no_json", text)) from None
