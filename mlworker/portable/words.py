"""What goes with a model that leaves: its card, what it learned from, and whose it is."""

from pathlib import Path
from typing import Any, Final

from annotation.exchange.out.archive import Archive, as_json
from annotation.learning.cards import markdown_of
from annotation.learning.models import ModelVersion
from mlworker.portable.building import Portable

HOW: Final = Path(__file__).with_name("pixels.md")


def add_papers(made: Portable, archive: Archive, folder: str = "") -> None:
    """Add the model card, the data card, the licence and how it is used."""
    card = card_of(made.version)
    archive.add(f"{folder}README.md", f"{markdown_of(card)}\n{how_to(made)}")
    archive.add(f"{folder}model_card.json", as_json(card))
    archive.add(f"{folder}data_card.md", data_card(card))
    archive.add(f"{folder}license.txt", licence(made.version))


def card_of(version: ModelVersion) -> dict[str, Any]:
    """Read a version's card; of one from before there were cards, what can be told."""
    if hasattr(version, "card"):
        content: dict[str, Any] = version.card.content
        return content
    from annotation.learning.cards import described

    return described(version, [], {})


def how_to(made: Portable) -> str:
    """Say what goes in and what comes out."""
    how = made.how
    answers = ", ".join(f"`{value}`" for value in made.version.classes)
    numbers = {"slices": how.slices, "size": how.size, "mean": how.mean, "deviation": how.deviation}
    return HOW.read_text(encoding="utf-8").format(answers=answers, **numbers)


def data_card(card: dict[str, Any]) -> str:
    """Tell what the model learned from and was judged on: counts alone, nobody's name."""
    data, labels = card["data"], card["labels"]
    counts = [f"- {words}: {count}" for words, count in data["cases"].items()]
    by_class = [f"- {value}: {count}" for value, count in labels["by_class"].items()]
    parts = [
        "# Data card",
        "",
        "De-identified images of one project, read by its readers. No image and no name is in this file.",
        "",
        f"- data set: {data['dataset']}",
        f"- patients: {data['patients']}",
        *counts,
        "",
        f"## Labels learned from: {labels['count']} (snapshot {labels['snapshot'][:12]})",
        "",
        *by_class,
        "",
        f"Judged on {card['evaluation']['cases']} cases of the audit stream, drawn at random by patient.",
    ]
    return "\n".join(parts) + "\n"


def licence(version: ModelVersion) -> str:
    """Say whose the weights are."""
    encoder = version.encoder
    return (
        f"Encoder: {encoder.name}\n"
        f"  licence of its weights: {encoder.licence or 'not stated by its source'}\n"
        f"  weights from: {encoder.source or 'made here'}\n"
        "Heads: learned from the readings of one project; they belong to whom the readings belong to.\n"
        "Nothing here grants a right to the images or the readings. No medical device: not for diagnosis.\n"
    )
