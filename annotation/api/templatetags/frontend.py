"""Tags for the built front end and for how values read on a page."""

import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext, to_locale
from django.utils.translation import gettext_noop as _

from annotation.learning.catalogue import INPUTS
from annotation.learning.models import Encoder, TrainingRun
from annotation.learning.training import MODES

register = template.Library()

NOT_BUILT = _(
    "The front end is not built, so this page cannot do all it should. "
    "Run “make run”, or “npm ci && npm run build” in frontend/, and reload."
)


@register.simple_tag
def vite(entry: str) -> SafeString:
    """Write the elements that load one entry by Vite's manifest; a clear notice where it is not built.

    Plain URLs: a manifest storage would load the bundle twice under two names.
    """
    try:
        manifest = read_manifest(settings.FRONTEND_MANIFEST)
        chunk = manifest[entry]
    except (FileNotFoundError, KeyError):
        return format_html('<p class="notice bad" role="alert">{}</p>', gettext(NOT_BUILT))
    chunks = reachable(manifest, entry)
    preloads = [(built(manifest[name]["file"]),) for name in chunks[1:]]
    styles = dict.fromkeys(url for name in chunks for url in manifest[name].get("css", []))
    return SafeString(
        format_html_join("", '<link rel="stylesheet" href="{}">', ((built(url),) for url in styles))
        + format_html_join("", '<link rel="modulepreload" href="{}">', preloads)
        + format_html('<script type="module" src="{}"></script>', built(chunk["file"]))
    )


def built(name: str) -> str:
    """Where a built file is served."""
    return static(f"app/{name}")


def reachable(manifest: dict[str, Any], entry: str) -> list[str]:
    """Names of the entry and of every chunk that it imports at once, the entry first."""
    found, waiting = [], [entry]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.append(name)
            waiting.extend(manifest[name].get("imports", []))
    return found


def read_manifest(path: Path) -> dict[str, Any]:
    """Read the manifest again when it has changed.

    raises: FileNotFoundError where nothing is built.
    """
    return parsed_manifest(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def parsed_manifest(path: Path, _written_ns: int) -> dict[str, Any]:
    """Parse one written state of the manifest."""
    parsed: dict[str, Any] = json.loads(path.read_text())
    return parsed


@register.simple_tag
def page_language() -> str:
    """Name the page's language for <html lang>: zh-hans is written zh-Hans (RFC 5646)."""
    return to_locale(get_language() or settings.LANGUAGE_CODE).replace("_", "-")


@register.filter
def percent(share: float | None) -> str:
    """Write a share as whole per cent; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.0f} %"


@register.filter
def three(value: float | None) -> str:
    """Write a metric with three decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"


@register.filter
def signed(value: float | None) -> str:
    """Write a difference with its sign and three decimals; a dash where there is none."""
    return "–" if value is None else f"{value:+.3f}"


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, in the largest unit that says enough."""
    if moment is None:
        return "–"
    seconds = max(0.0, (timezone.now() - moment).total_seconds())
    for size, words in ((86_400, _("%d d ago")), (3_600, _("%d h ago")), (60, _("%d min ago"))):
        if seconds >= size:
            return gettext(words) % (seconds // size)
    return gettext("just now")


@register.filter
def lasting(seconds: float | None) -> str:
    """Write a duration: 0.42 s, 38 s, 5 min 10 s, 2 h 04 min."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{seconds:.2g} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


JOB_WORDS = {
    "import_delivery": "Import images",
    "import_examples": "Import example images",
    "take_cases": "Make the cases of a data set",
    "pull_studies": "Fetch studies",
    "import_received": "Import what was received",
    "import_labels": "Import labels",
    "send_export": "Send an export to a PACS",
    "embed": "Encode images",
    "refit": "Fit a model and rank the pool",
    "erase": "Erase a patient",
    "backup": "Back everything up",
    "remove_deleted": "Remove what was deleted",
    "remove_originals": "Remove the kept originals",
    "clean_up": "Remove what nobody needs any more",
    "learn_regions": "Learn what readers draw, and propose it",
    "find_similar": "Find similar cases",
    "find_duplicates": "Find near-duplicates",
    "measure_drift": "Measure the drift of new images",
    "compare_models": "Judge models side by side",
    "check_labels": "Look for labels that are likely wrong",
    "measure_agreement": "Compare readers, and fuse their readings",
    "count_readings": "Fuse a reader's cases anew",
    "settle_tests": "Settle readers' tests",
    "place_second_reads": "Ask for second readings where a label is likely wrong",
    "place_split": "Place patients in the split",
    "map_pool": "Draw the map (PCA)",
    "map_pool_umap": "Draw the map (UMAP)",
    "pretrain": "Train the encoder",
    "train": "Fine-tune encoder and head",
    "adopt_encoder": "Change over to an encoder",
    "add_encoder": "Check and use uploaded weights",
    "replay": "Replay strategies on the labels",
}
GAIN_WORDS = {
    "retrieval": "A changed picture finds its own original",
    "probe": "Heads on its vectors, balanced accuracy",
}


@register.filter
def job_words(name: str) -> str:
    """Say what a job does."""
    return JOB_WORDS.get(name, name.replace("_", " ").capitalize())


@register.filter
def words(name: str) -> str:
    """Write a key as words."""
    return name.replace("_", " ").replace(":", " of ").capitalize()


@register.filter
def mode_words(mode: str) -> str:
    """Name how deep a training goes."""
    return MODES.get(mode, mode).partition(":")[0].lower()


@register.filter
def points(value: float) -> str:
    """Write a difference of two shares in percentage points, with its sign."""
    return f"{100 * value:+.1f} points"


@register.filter
def before_colon(words: str) -> str:
    """Take the name of a choice."""
    return words.partition(":")[0]


@register.filter
def after_colon(words: str) -> str:
    """Take the explanation of a choice."""
    return words.partition(":")[2].strip()


@register.filter
def gains(trained: Encoder | TrainingRun) -> list[tuple[str, dict[str, float]]]:
    """List what an encoder's training bought, as far as it was measured."""
    report = trained.report if isinstance(trained, Encoder) else trained.result
    found = [(words, report.get(key)) for key, words in GAIN_WORDS.items()]
    return [
        (words, {**gain, "gain": gain["candidate"] - gain["current"]})
        for words, gain in found
        if isinstance(gain, dict) and {"candidate", "current", "low", "high"} <= gain.keys()
    ]


FACT_WORDS = {
    "from": "Began with",
    "ended": "Ended by",
    "best_epoch": "Epoch that was kept",
    "held_back_loss": "Loss on images held back",
    "judged_on": "Labelled cases that judged it",
    "images": "Images it learned from",
    "sources": "Images of",
    "model": "Model",
    "project_ids": "Projects",
    "accumulate": "Parts of a batch",
    "rank": "Width of the adapters",
    "rate": "Step size",
    "batch": "Images a step",
    "epochs": "Passes over the images",
    "flip": "Mirrored at random",
    "mode": "How deep",
    "seen": "Sees",
    "size": "Pixels a side",
    "own_scale": "Scaled image by image",
    "weights_sha256": "SHA-256 of the weights",
}
EMPTY_WORDS = {"judged_on": "none yet", "processes": "one a GPU, or one"}


@register.filter
def plain_facts(result: dict[str, Any]) -> list[tuple[str, str]]:
    """List the plain values of a run's result in words, numbers shortened."""
    plain = {key: value for key, value in result.items() if isinstance(value, str | int | float)}
    return [
        (fact_words(key), fact(value) if value else EMPTY_WORDS.get(key, fact(value)))
        for key, value in plain.items()
    ]


def fact_words(key: str) -> str:
    """Name one value."""
    return FACT_WORDS.get(key, key.replace("_", " ").capitalize())


def fact(value: str | float) -> str:
    """Write one value."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if value in MODES:
        return mode_words(str(value)).capitalize()
    if value in INPUTS:
        return INPUTS[str(value)]
    return f"{value:.4g}" if isinstance(value, float) else str(value)


STATE_LOOKS = {
    "running": "live",
    "done": "ok",
    "stored": "ok",
    "failed": "bad",
    "quarantined": "warn",
    "checking": "live",
    "writing": "live",
    "checked": "warn",
    "new": "ok",
    "changed": "ok",
    "invalid": "bad",
    "unmatched": "warn",
}


@register.filter
def state_look(state: str) -> str:
    """Choose a badge's look."""
    return STATE_LOOKS.get(state, "")
