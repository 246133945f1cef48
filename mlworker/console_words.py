"""What the ML console shows, in lines of text. Pure: rows in, lines out."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Rows = Mapping[str, Any]
BALANCED: Final = "balanced_accuracy"


def interval(found: Rows) -> str:
    """Write a value with its 95 % interval."""
    return f"{found['value']:.3f} ({found['low']:.3f} – {found['high']:.3f})"


def summary(rows: Rows) -> Iterator[str]:
    """Tell what matters first."""
    kinds = ", ".join(f"{count} {stream}" for stream, count in rows["labels"].items())
    yield f"Labels        {sum(rows['labels'].values())} ({kinds})"
    yield f"Cases         {', '.join(f'{count} {state}' for state, count in rows['cases'].items())}"
    budget = f" of {rows['budget_hours']:g}" if rows["budget_hours"] else ""
    yield f"Expert hours  {rows['spent_hours']:.1f}{budget}"
    yield f"Model         {model_words(rows['model'])}; the next after {rows['until_refit']} readings"
    yield f"Advice        {rows['advice']['words']}"
    yield from (f"Replay        {words}" for words in rows["active"])
    yield from (f"Job           {one['name']} {one['state']} {one['job']}" for one in rows["running"])
    if rows["failed"]:
        yield f"Failed        {rows['failed']['name']}: {rows['failed']['error']}"


def model_words(model: Rows | None) -> str:
    """Name the model in use."""
    if not model:
        return "none yet"
    known = model["metrics"].get(BALANCED)
    told = f"balanced accuracy {interval(known)}" if known else "not judged yet"
    return f"{model['number']}, {told}"


def policy(rows: Rows) -> Iterator[str]:
    """Write one setting a line."""
    for name, value in rows.items():
        told = "none" if value is None else ("yes" if value else "no") if isinstance(value, bool) else value
        yield f"{name:<18}{told:.2f}" if name == "spent_hours" else f"{name:<18}{told}"


def advice(rows: Rows) -> Iterator[str]:
    """Write the verdict, its signs and the forecast."""
    yield rows["words"]
    marks = {True: "yes", False: "no", None: "too early"}
    yield from (f"{marks[one['met']]:<10}{one['words']}" for one in rows["signs"])
    if rows["forecast"]:
        yield rows["forecast"]


def curve(rows: Rows) -> Iterator[str]:
    """Write one model a line."""
    if not rows["points"]:
        yield f"No model was judged by {rows['metric']} yet."
    for one in rows["points"]:
        yield f"{one['labels']:>7} labels  {interval(one)}  model {one['model_number']}"


def agreement(rows: Rows) -> Iterator[str]:
    """Write each question's overall statistic, and what is confused most."""
    if rows["measured_at"] is None:
        yield "Nobody has measured yet: add --ask."
        return
    yield f"{rows['readings']} readings, {rows['readings_since']} came since"
    for key, row in rows["questions"].items():
        overall = row["overall"]
        told = interval(overall) if overall["value"] is not None else overall.get("why", "not known")
        yield f"{key}: {row['measure']} {told}, {row['cases']} cases"
        for pair in row.get("confusions", [])[:5]:
            yield f"  {pair['one']} – {pair['other']}: {pair['count']}, cases {listed(pair['cases'][:12])}"


def labels(rows: Rows) -> Iterator[str]:
    """Write likely wrong labels, hasty readings, readers who changed."""
    if rows["checked_at"] is None:
        yield "Nobody has checked yet: add --ask."
        return
    yield f"{rows['labels']} labels and {rows['readings']} readings looked at"
    for one in rows["doubted"]:
        shares = f"{one['label_share']:.0%} against {one['thought_share']:.0%}"
        yield f"case {one['number']}: {one['label']}, likely {one['thought']} ({shares})"
    for one in rows["hasty"]:
        reader = rows["authors"].get(one["reader"], "")
        yield f"case {one['number']}: {reader} took {one['seconds']:.1f} s, usually {one['usual']:.1f}"
    for one in rows["drifts"]:
        if one["change"]:
            reader = rows["authors"].get(one["reader"], "")
            before, after = one["change"]["before"]["value"], one["change"]["after"]["value"]
            yield f"{reader}: right {before:.0%}, since {one['change']['since']} {after:.0%}"


def drift(rows: Rows) -> Iterator[str]:
    """Write the newest measurement."""
    if rows["value"] is None:
        yield f"Not known: {rows['reason']}"
    else:
        images = f"{rows['new_images']} new images against {rows['labelled_images']} labelled ones"
        yield f"{interval(rows)}, {images}; 0.5: not to be told apart, 1: always"


def mistakes(rows: Rows) -> Iterator[str]:
    """Write kinds of mistakes, then cases."""
    if not rows["is_judged"]:
        yield f"Nobody has judged model {rows['model']}: models --project … compare {rows['model']}"
        return
    yield f"Model {rows['model']}: {rows['count']} mistakes"
    for kind in rows["kinds"]:
        about = f"{kind['choice']}: " if kind["choice"] else ""
        yield f"{kind['count']:>5}  {about}{kind['truth']} taken for {kind['thought']}"
    for one in rows["cases"]:
        about = f"{one['choice']}: " if one["choice"] else ""
        place = ", ".join(filter(None, (one["site"], one["scanner"])))
        told = f"case {one['number']}: {about}{one['truth']} taken for {one['thought']}"
        yield f"{told}, {one['share']:.0%} sure{f'; {place}' if place else ''}"


def maps(rows: Rows) -> Iterator[str]:
    """Write one map a line."""
    if not rows["maps"]:
        yield "Nobody has drawn a map yet: add --ask."
    for one in rows["maps"]:
        facts = ", ".join(f"{name} {value}" for name, value in one["facts"].items())
        yield f"{one['method']}: {one['cases']} cases, {one['drawn_at']:%Y-%m-%d %H:%M}; {facts}"


def anchoring(rows: Rows) -> Iterator[str]:
    """Write one question a line."""
    if not rows["questions"]:
        yield "No reading had a suggestion yet."
    for one in rows["questions"]:
        yield f"{one['key']}: {one['verdict']}"


def listed(numbers: list[int]) -> str:
    """Name cases."""
    return ", ".join(map(str, numbers))


WORDS: Final[Mapping[str, Callable[[Rows], Iterator[str]]]] = {
    "summary": summary,
    "policy": policy,
    "advice": advice,
    "curve": curve,
    "agreement": agreement,
    "labels": labels,
    "drift": drift,
    "mistakes": mistakes,
    "map": maps,
    "anchoring": anchoring,
}
