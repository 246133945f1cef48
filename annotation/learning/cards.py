"""Model cards: what a version is, learned from and was found to do (Mitchell 2019): facts, and a page."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from annotation.learning.figures import Figures, by_answer, kinds_in, named, overall
from annotation.learning.models import Evaluation, ModelCard, ModelVersion
from annotation.projects.models import Case
from annotation.projects.rules import NOTHING_CHOSEN
from annotation.projects.selectors import question_learned

CALIBRATION = "calibration_error"
USE = (
    "Ranks the unread cases of its own project and suggests answers to the project's readers. "
    "It is no medical device: nothing it says replaces a reading."
)


def write_card(
    model: ModelVersion, labels: Sequence[Mapping[str, Any]], found: Mapping[str, Any], *, now: datetime
) -> ModelCard:
    """Write a version's card, in the transaction that makes the version.

    found: what the worker measured beside the metrics: {"groups", "temperature", "training", …}.
    """
    return ModelCard.objects.create(model=model, content=described(model, labels, found), created_at=now)


def described(
    model: ModelVersion, labels: Sequence[Mapping[str, Any]], found: Mapping[str, Any]
) -> dict[str, Any]:
    """Say what a card says. labels, found: as for `write_card`."""
    evaluation = Evaluation.objects.get(model=model)
    question = question_learned(model.project_id)
    return {
        "model": {
            "number": model.number,
            "project": model.project.name,
            "origin": model.get_origin_display(),
            "made_at": model.created_at.isoformat(timespec="seconds"),
            "classes": list(model.classes),
            "words": {value: question.words_of(value) for value in model.classes},
            "question": question.prompt,
            "use": USE,
        },
        "data": data_of(model),
        "labels": {
            "count": model.label_count,
            "by_class": dict(Counter(value for label in labels for value in told(label.get("label", "")))),
            "snapshot": model.snapshot.digest,
        },
        "encoder": encoder_of(model),
        **judged(evaluation, model.classes),
        "calibration": {
            "temperature": found.get("temperature"),
            "expected_error": evaluation.metrics.get(CALIBRATION),
        },
        "groups": dict(found.get("groups", {})),
        "training": dict(found.get("training", {})),
        "lineage": lineage_of(model),
    }


def told(label: str | Sequence[str]) -> Sequence[str]:
    """Name what a label says: one choice, or those of several that were made."""
    return [label] if isinstance(label, str) else (label or [NOTHING_CHOSEN])


def data_of(model: ModelVersion) -> dict[str, Any]:
    """Count what the project holds, by what it is used for."""
    streams = Counter(model.project.cases.order_by().values_list("stream", flat=True))
    return {
        "dataset": model.project.dataset.name,
        "cases": {words: streams[value] for value, words in Case.Stream.choices},
        "patients": model.project.cases.order_by().values("patient").distinct().count(),
    }


def encoder_of(model: ModelVersion) -> dict[str, Any]:
    """Describe the encoder whose vectors the heads learned on."""
    encoder = model.encoder
    return {
        "name": encoder.name,
        "digest": encoder.digest,
        "licence": encoder.licence,
        "source": encoder.source,
        "dimension": encoder.dimension,
        "preprocessing": encoder.preprocessing,
    }


def judged(evaluation: Evaluation, values: Sequence[str]) -> dict[str, Any]:
    """Sort what the audit stream said: overall and of each answer, or why it says nothing."""
    metrics = evaluation.metrics
    return {
        "evaluation": {
            "cases": evaluation.case_count,
            "reason": evaluation.reason,
            "metrics": overall(metrics),
        },
        "answers": by_answer(metrics, values),
    }


def answers_in(card: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Read what a card says of each answer; older ones told how much of it is recognised, and no more."""
    older = {value: {"recall": one} for value, one in card.get("per_class", {}).items()}
    found: dict[str, dict[str, Any]] = card.get("answers", older)
    return {value: one for value, one in found.items() if one}


def word_in(card: Mapping[str, Any], value: str) -> str:
    """Give an answer's words, as the protocol had them; older cards keep its value alone."""
    return str(card["model"].get("words", {}).get(value, value))


def lineage_of(model: ModelVersion) -> dict[str, Any]:
    """Name what the version came from, each by its digest."""
    before = model.project.models.filter(number__lt=model.number).order_by("-number").first()
    return {
        "artefact": model.artefact_digest,
        "job": str(model.job_id),
        "version_before": None if before is None else before.number,
        "artefact_before": None if before is None else before.artefact_digest,
    }


def markdown_of(card: Mapping[str, Any]) -> str:
    """Write a card as a page of Markdown."""
    model, labels, encoder = card["model"], card["labels"], card["encoder"]
    parts = [
        [f"# {model['project']}: model {model['number']}", "", f"{model['origin']}, {model['made_at']}."],
        ["## Use", "", model["use"]],
        ["## Data", "", *facts(_flat(card["data"]))],
        ["## Labels", "", *facts({"count": labels["count"], "snapshot": labels["snapshot"]})],
        table(
            ["answer", "labels"], ((word_in(card, one), count) for one, count in labels["by_class"].items())
        ),
        ["## Encoder", "", *facts(_flat(encoder))],
        ["## Metrics", "", _judged_on(card["evaluation"])],
        _metrics(card["evaluation"]["metrics"]),
        ["## By answer", "", *(_answers(card) or ["Not known yet."])],
        ["## Calibration", "", *facts(_flat(card["calibration"]))],
        ["## Per site and scanner", "", *_groups(card["groups"])],
        ["## Training", "", *(facts(_flat(card["training"])) or ["Heads alone were fitted."])],
        ["## Lineage", "", *facts(card["lineage"])],
    ]
    return "\n".join("\n".join([*part, ""]) for part in parts if part)


def facts(values: Mapping[str, Any]) -> list[str]:
    """One line a fact."""
    return [f"- {name.replace('_', ' ')}: {_said(value)}" for name, value in values.items()]


def table(heads: Sequence[str], rows: Iterable[Iterable[Any]]) -> list[str]:
    """Write a table; nothing without rows."""
    lines = [f"| {' | '.join(_said(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *lines] if lines else []


def _metrics(metrics: Figures) -> list[str]:
    rows = [(named(name), one["value"], _spread(one)) for name, one in metrics.items()]
    return table(["", "value", "95 % interval"], rows)


def _answers(card: Mapping[str, Any]) -> list[str]:
    answers = answers_in(card)
    kinds = kinds_in(answers)
    rows = [
        [
            word_in(card, value),
            *(f"{one[kind]['value']:.3f} ({_spread(one[kind])})" if kind in one else "–" for kind in kinds),
        ]
        for value, one in answers.items()
    ]
    return table(["", *kinds.values()], rows)


def _spread(one: Mapping[str, float]) -> str:
    return f"{one['low']:.3f} – {one['high']:.3f}"


def _judged_on(evaluation: Mapping[str, Any]) -> str:
    if evaluation["reason"]:
        return f"None yet: {evaluation['reason']}."
    return f"On {evaluation['cases']} cases of the audit stream, drawn at random and never learned from."


def _groups(groups: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[str]:
    rows = [
        (kind, name, one["cases"], one.get("accuracy"), _interval(one))
        for kind, members in groups.items()
        for name, one in members.items()
    ]
    told = table(["group", "", "audit cases", "accuracy", "95 % interval"], rows)
    return told or ["The audit cases carry no maker, device or delivery, or none has been read yet."]


def _interval(one: Mapping[str, Any]) -> str:
    return _spread(one) if "low" in one else "too few cases"


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested facts in one row, named by their path."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        nested = isinstance(value, Mapping)
        flat |= _flat(value, f"{prefix}{name} ") if nested else {f"{prefix}{name}": value}
    return flat


def _said(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or "–"
    return "–" if value is None or value == "" else str(value).replace("|", "/")
