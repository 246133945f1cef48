"""Data cards: what a snapshot holds, told by its content alone (Gebru 2021, Datasheets for Datasets)."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

USE = (
    "Answers of the readers of one project to its protocol, on de-identified images."
    " Not for diagnosis, and not for finding out who patients or readers are."
)


class CardOf:
    """Counts a snapshot's lines, one after the other."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.head: Mapping[str, Any] = {}
        self.counts = {
            name: Counter[str]()
            for name in (
                "stream",
                "split",
                "modality",
                "body_part_examined",
                "manufacturer",
                "protocol",
                "source",
            )
        }
        self.answers: dict[str, Counter[str]] = {}
        self.readers: set[str] = set()
        self.patients: set[str] = set()
        self.cases = self.images = self.readings = self.revisions = self.references = 0
        self.seconds = 0.0

    def add(self, line: Mapping[str, Any]) -> None:
        """Count one line."""
        if line["kind"] == "project":
            self.head = line
            return
        self.cases += 1
        self.images += sum(one["frames"] for one in line["instances"])
        self.patients.add(line["patient"])
        for name in ("stream", "split", "modality", "body_part_examined", "manufacturer"):
            self.counts[name][line[name] or "not given"] += 1
        for reading in line["readings"]:
            self.reading(reading)
        if line["reference"]:
            self.reference(line["reference"]["answers"])

    def reading(self, reading: Mapping[str, Any]) -> None:
        """Count one reader's answers."""
        self.readings += 1
        self.revisions += len(reading["revisions"])
        if reading.get("source"):
            self.counts["source"][reading["source"]] += 1
        else:
            self.readers.add(reading["reader"])
        self.seconds += sum(one["seconds"] for one in reading["revisions"])
        self.counts["protocol"][f"version {reading['revisions'][-1]['protocol']}"] += 1

    def reference(self, answers: Mapping[str, Any]) -> None:
        """Count a reference standard's answers; of what was drawn that it is there."""
        self.references += 1
        for key, answer in answers.items():
            for value in values_of(answer):
                self.answers.setdefault(key, Counter())[value] += 1

    def plain(self) -> dict[str, Any]:
        """Give the card as JSON."""
        return {
            "project": self.project,
            "dataset": self.head.get("dataset", ""),
            "use": USE,
            "cases": self.cases,
            "images": self.images,
            "patients": len(self.patients),
            "readers": len(self.readers),
            "readings": self.readings,
            "revisions": self.revisions,
            "reference_standards": self.references,
            "expert_hours": round(self.seconds / 3600, 3),
            **{
                f"by_{name}": dict(sorted(counted.items()))
                for name, counted in self.counts.items()
                if counted or name != "source"
            },
            "reference_answers": {
                key: dict(sorted(one.items())) for key, one in sorted(self.answers.items())
            },
        }


def values_of(answer: object) -> list[str]:
    """Put an answer into countable words."""
    if isinstance(answer, str):
        return [answer[:128]] if len(answer) <= 128 else ["free words"]
    if isinstance(answer, list) and all(isinstance(one, str) for one in answer):
        return [str(one) for one in answer] or ["none"]
    if isinstance(answer, int | float):
        return ["a number"]
    if isinstance(answer, list):
        return [str(one.get("label", "drawn")) for one in answer if isinstance(one, dict)]
    if isinstance(answer, dict) and isinstance(answer.get("classes"), dict):
        return sorted(answer["classes"])
    return ["answered image by image"]


def text_of(card: Mapping[str, Any]) -> str:
    """Write a card as a page of Markdown."""
    lines = [f"# {card['project']}", "", str(card["use"]), ""]
    for name, value in card.items():
        if name in ("project", "use"):
            continue
        words = name.replace("_", " ").capitalize()
        if isinstance(value, dict):
            lines += ["", f"## {words}", ""]
            lines += [f"- {key}: {told(one)}" for key, one in value.items()]
        else:
            lines.append(f"- {words}: {value}")
    return "\n".join(lines) + "\n"


def told(value: object) -> str:
    """Put a count, or counts by value, into a line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {count}" for key, count in value.items())
    return str(value)
