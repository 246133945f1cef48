"""Of what people are told: kinds as data. Sentences name projects, people, counts; nothing of a patient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext, gettext_noop


@dataclass(frozen=True)
class Kind:
    """One kind: its title in the settings, its sentence, and whether it goes out by mail by default."""

    name: str
    title: str
    sentence: str
    is_mailed: bool = True


_ = gettext_noop
KINDS: Final[Mapping[str, Kind]] = {
    one.name: one
    for one in (
        Kind(
            "work_due",
            _("Work that is due"),
            _("Cases of “%(project)s” left to read until %(day)s: %(left)s."),
        ),
        Kind("question", _("Questions to me"), _("%(who)s asks you about case %(number)s of “%(project)s”.")),
        Kind(
            "answered",
            _("Answers to my questions"),
            _("%(who)s answered your question about case %(number)s of “%(project)s”."),
            is_mailed=False,
        ),
        Kind(
            "adjudication_waiting",
            _("Cases to adjudicate"),
            _("Readers differ about case %(number)s of “%(project)s”: it waits for a decision."),
        ),
        Kind(
            "adjudication_returned",
            _("Cases sent back to me"),
            _("Case %(number)s of “%(project)s” was sent back to you: please read it again."),
        ),
        Kind("job_failed", _("Failed jobs"), _("A job failed: %(job)s.")),
        Kind("training_finished", _("Finished training"), _("A training is done: %(job)s."), is_mailed=False),
        Kind(
            "quarantine_waiting",
            _("Images in quarantine"),
            _("Files of “%(project)s” in quarantine: %(count)s."),
        ),
    )
}


def sentence_of(kind: str, facts: Mapping[str, Any]) -> str:
    """Say a notice in the language in force; of a kind that is gone, its name."""
    known = KINDS.get(kind)
    if known is None:
        return kind
    try:
        return gettext(known.sentence) % facts
    except KeyError:
        return gettext(known.title)


def checked_facts(kind: str, facts: Mapping[str, Any]) -> dict[str, str]:
    """Take what a kind's sentence names, short.

    raises: KeyError where the kind is unknown, or its sentence names more than was given.
    """
    told = {name: str(value)[:100] for name, value in facts.items()}
    _checked = KINDS[kind].sentence % told
    return told
