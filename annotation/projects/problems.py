"""What is wrong with a protocol or with answers, and where. Pure."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Problem:
    """Something to mend.

    at: a path: "finding", "nodules.0.texture"; in a protocol "questions.2.choices.0.value".
    """

    at: str
    code: str
    message: str

    def as_row(self) -> dict[str, str]:
        """Write it as JSON."""
        return asdict(self)


def told(problems: list[Problem]) -> str:
    """Tell the first problem, and how many more there are."""
    more = len(problems) - 1
    return problems[0].message + (f" (and {more} more)" if more else "")
