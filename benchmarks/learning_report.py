"""Label efficiency as tables and plots for docs/benchmarks.md."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

BEGIN, END = "<!-- label efficiency: begin -->", "<!-- label efficiency: end -->"
PEERS = ("entropy", "margin", "bald", "badge", "typiclust", "skactiveml_badge", "baal_bald")
WORDS = {
    "default": "default policy",
    "skactiveml_badge": "BADGE (scikit-activeml)",
    "baal_bald": "BALD (baal)",
    "badge": "BADGE (ours)",
    "bald": "BALD (ours)",
    "typiclust": "TypiClust",
}
Found = Mapping[str, Mapping[str, Any]]


def markdown(found: Found) -> str:
    """Write all tables, one set a line."""
    parts = [labels_table(found), area_table(found), paired_table(found)]
    return "\n\n".join(part for part in parts if part)


def labels_table(found: Found) -> str:
    """Labels to 95 % of the full-pool score."""
    head = [
        "set",
        "seeds",
        "all labels give",
        "default policy",
        "random, same encoder",
        "ratio (95 %)",
        "random, from scratch",
        "ratio",
        "worst class at the end, policy / random",
    ]
    return rows_of(head, [labels_row(name, one) for name, one in found.items()])


def labels_row(name: str, one: Mapping[str, Any]) -> list[str]:
    """Say when the target is reached."""
    ours, chance = (one["strategies"][key] for key in ("default", "random"))
    ratio = against(one, "default", "random")["labels_ratio"]
    scratch = one.get("scratch")
    return [
        name,
        f"{one['seeds']}",
        f"{one['full']:.3f}",
        reach(ours, one["budget"]),
        reach(chance, one["budget"]),
        ratio_words(ratio),
        "–" if scratch is None else scratch_words(scratch),
        "–" if scratch is None else scratch_ratio(ours, scratch),
        f"{ours['worst_class_recall'][-1][1]:.2f} / {chance['worst_class_recall'][-1][1]:.2f}",
    ]


def reach(strategy: Mapping[str, Any], budget: int) -> str:
    """Labels to the target with their interval, or that the budget ended before."""
    found = strategy["labels_to_target"]
    low, high = found["interval"]
    if found["value"] is None:
        return f"> {budget}"
    return f"{found['value']:.0f} ({number(low, budget)} – {number(high, budget)})"


def number(value: float | None, budget: int) -> str:
    """One end of an interval."""
    return f"> {budget}" if value is None else f"{value:.0f}"


def ratio_words(ratio: Mapping[str, Any]) -> str:
    """Labels of ours per label of the other."""
    if ratio["value"] is None:
        return "–"
    low, high = ("?" if end is None else f"{end:.2f}" for end in ratio["interval"])
    return f"{'≤ ' if ratio['at_most'] else ''}**{ratio['value']:.2f}** ({low} – {high})"


def scratch_words(scratch: Mapping[str, Any]) -> str:
    """Labels that training from scratch needs."""
    reached = scratch["labels_to_target"]
    return f"not with {scratch['most']}" if reached is None else f"{reached:.0f}"


def scratch_ratio(ours: Mapping[str, Any], scratch: Mapping[str, Any]) -> str:
    """Labels of ours per label from scratch; an upper bound where scratch never got there."""
    mine, its = ours["labels_to_target"]["value"], scratch["labels_to_target"]
    if mine is None:
        return "–"
    return f"{'≤ ' if its is None else ''}**{mine / (its or scratch['most']):.2f}**"


def area_table(found: Found) -> str:
    """Normalised areas with their intervals."""
    names = [
        name
        for name in ("default", "random", *PEERS)
        if all(name in one["strategies"] for one in found.values())
    ]
    rows = [[set_name, *(area(one["strategies"][name]) for name in names)] for set_name, one in found.items()]
    return rows_of(["mean height of the curve", *(WORDS.get(name, name) for name in names)], rows)


def area(strategy: Mapping[str, Any]) -> str:
    """Mean height with its interval."""
    low, high = strategy["area_interval"]
    return f"{strategy['area_mean']:.3f} ({low:.3f} – {high:.3f})"


def paired_table(found: Found) -> str:
    """Set the default policy against each other strategy, seed by seed."""
    rows = [
        [name, *paired(against(one, "default", other))]
        for name, one in found.items()
        for other in ("random", *PEERS)
        if other in one["strategies"]
    ]
    head = ["set", "against", "difference (95 %)", "won / tied / lost", "p (Holm)"]
    return rows_of(head, rows)


def paired(row: Mapping[str, Any]) -> list[str]:
    """One comparison."""
    return [
        WORDS.get(row["against"], row["against"]),
        f"{row['difference']:+.3f} ({row['low']:+.3f} – {row['high']:+.3f})",
        f"{row['wins']} / {row['ties']} / {row['losses']}",
        f"{row['p_holm']:.2g}",
    ]


def against(one: Mapping[str, Any], name: str, other: str) -> Mapping[str, Any]:
    """Find a comparison."""
    found: Mapping[str, Any] = next(
        row for row in one["comparisons"] if (row["name"], row["against"]) == (name, other)
    )
    return found


def rows_of(head: list[str], rows: list[list[str]]) -> str:
    """Write a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write(found: Found, docs: Path) -> None:
    """Put tables and plots where the report has its place.

    raises: ValueError where docs/benchmarks.md has no such place.
    """
    page = docs / "benchmarks.md"
    text = page.read_text()
    if BEGIN not in text or END not in text:
        raise ValueError(f"{page} has no {BEGIN} … {END}")
    for name, one in found.items():
        draw(one, docs / "images" / f"label_efficiency_{name}.svg")
    pictures = "\n\n".join(f"![{name}](images/label_efficiency_{name}.svg)" for name in found)
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    page.write_text(f"{text[:start]}\n\n{markdown(found)}\n\n{pictures}\n\n{text[end:]}")


def draw(one: Mapping[str, Any], path: Path) -> None:
    """Plot a set's curves: ours and random with their intervals, the others as lines."""
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams["svg.hashsalt"] = "fovea"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.5, 4.4))
    for name, strategy in one["strategies"].items():
        curve, band = np.array(strategy["curve"]), np.array(strategy["curve_interval"])
        main = name in ("default", "random")
        (line,) = axes.plot(curve[:, 0], curve[:, 1], lw=2.0 if main else 0.9, label=WORDS.get(name, name))
        if main:
            axes.fill_between(band[:, 0], band[:, 1], band[:, 2], alpha=0.2, color=line.get_color())
    scratch = np.array(one.get("scratch", {}).get("curve", []))
    if len(scratch):
        inside = scratch[scratch[:, 0] <= one["budget"]]
        axes.plot(inside[:, 0], inside[:, 1], "k--", lw=1.2, marker="o", ms=3, label="random, from scratch")
    axes.axhline(one["target"], linestyle=":", color="grey", label="95 % of all labels")
    axes.set(
        xlabel="readings, audit stream included",
        ylabel=f"balanced accuracy ({one['judge']})",
        title=f"{one['data']}: {one['seeds']} seeds",
    )
    axes.legend(loc="lower right", fontsize=7, ncols=2)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
