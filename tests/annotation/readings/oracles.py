"""Asks statsmodels, krippendorff, crowd-kit and ensemble-boxes, in a process that has them.

python -m tests.annotation.readings.oracles NAME IN.npz OUT.npz
"""

import sys
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np

from tests.peers import Arrays, answer


def kappas(given: Arrays) -> Arrays:
    """Cohen's kappa of two columns of codes with each weight, and Fleiss' of all."""
    from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa

    codes, classes = given["codes"], int(given["classes"])
    table = np.zeros((classes, classes))
    np.add.at(table, (codes[:, 0], codes[:, 1]), 1)
    weights = {"none": None, "linear": "linear", "quadratic": "quadratic"}
    found = {name: cohens_kappa(table, wt=wt, return_results=False) for name, wt in weights.items()}
    counts, _ = aggregate_raters(codes, n_cat=classes)
    return found | {"fleiss": fleiss_kappa(counts)}


def alphas(given: Arrays) -> Arrays:
    """Krippendorff's alpha of numbers, (case, reader), NaN where there is none, at each level."""
    import krippendorff

    rows = given["values"].T
    levels = ("nominal", "ordinal", "interval")
    return {level: krippendorff.alpha(rows, level_of_measurement=level) for level in levels}


def variances(given: Arrays) -> Arrays:
    """Mean squares of cases, readers and what is left, of numbers without a gap."""
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    cases, readers = np.indices(given["values"].shape)
    rows = pd.DataFrame(
        {"y": given["values"].ravel(), "case": cases.ravel(), "reader": readers.ravel()}
    ).astype({"case": "category", "reader": "category"})
    table = anova_lm(ols("y ~ C(case) + C(reader)", rows).fit())
    return {"mean_squares": (table["sum_sq"] / table["df"]).to_numpy()}


def differences(given: Arrays) -> Arrays:
    """Mean and spread of paired differences."""
    from statsmodels.stats.weightstats import DescrStatsW

    found = DescrStatsW(given["one"] - given["other"], ddof=1)
    return {"mean": found.mean, "std": found.std}


def crowds(given: Arrays) -> Arrays:
    """Class distributions by majority, one-coin and Dawid-Skene; (case, class)."""
    # The door of crowd-kit's package brings what only its other halves need: nltk and transformers.
    spec = find_spec("crowdkit")
    door = ModuleType("crowdkit.aggregation")
    door.__path__ = (
        [f"{folder}/aggregation" for folder in spec.submodule_search_locations or []] if spec else []
    )
    sys.modules["crowdkit.aggregation"] = door
    import pandas as pd
    from crowdkit.aggregation.classification.dawid_skene import DawidSkene, OneCoinDawidSkene
    from crowdkit.aggregation.classification.majority_vote import MajorityVote

    rows = pd.DataFrame({"task": given["cases"], "worker": given["readers"], "label": given["labels"]})
    limits: dict[str, Any] = {"n_iter": int(given["rounds"]), "tol": -np.inf}
    methods = {
        "majority": MajorityVote(),
        "one_coin": OneCoinDawidSkene(**limits),
        "dawid_skene": DawidSkene(**limits),
    }
    found = {name: method.fit_predict_proba(rows) for name, method in methods.items()}
    return {name: one.sort_index().sort_index(axis=1).to_numpy() for name, one in found.items()}


def boxes(given: Arrays) -> Arrays:
    """Boxes of several readers by weighted fusion: places, shares of the readers and labels."""
    from ensemble_boxes import weighted_boxes_fusion

    readers, scale = given["readers"], float(given["scale"])
    parts = [given["edges"][readers == one] / scale for one in range(int(given["count"]))]
    labels = [given["labels"][readers == one] for one in range(int(given["count"]))]
    places, shares, named = weighted_boxes_fusion(
        [part.tolist() for part in parts],
        [[1.0] * len(part) for part in parts],
        [one.tolist() for one in labels],
        iou_thr=float(given["threshold"]),
    )
    return {"edges": places * scale, "shares": shares, "labels": named}


ORACLES: dict[str, Callable[[Arrays], Arrays]] = {
    one.__name__: one for one in (kappas, alphas, variances, differences, crowds, boxes)
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    answer(ORACLES)
