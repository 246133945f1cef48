"""Asks scikit-activeml, baal, laplace, cleanlab, umap-learn, in a process that has them: arrays in and out.

python -m tests.mlworker.oracles NAME IN.npz OUT.npz
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.peers import Arrays, answer


def scores(given: Arrays) -> Arrays:
    """Uncertainty of one prediction and of several heads."""
    from baal.active.heuristics import BALD, Entropy, Margin
    from skactiveml.pool import uncertainty_scores

    mean, heads = given["mean"], given["heads"]
    return {
        "activeml_margin": uncertainty_scores(mean, method="margin_sampling"),
        "activeml_entropy": uncertainty_scores(mean, method="entropy"),
        "baal_margin": Margin().compute_score(mean),
        "baal_entropy": Entropy().compute_score(mean),
        "baal_bald": BALD().compute_score(heads.transpose(0, 2, 1)),
    }


def badge(given: Arrays) -> Arrays:
    """Picks of several seeds, and the chances of every second draw."""
    from skactiveml.base import SkactivemlClassifier
    from skactiveml.pool import Badge

    class Known(SkactivemlClassifier):  # type: ignore[misc]  # nothing is known of its types
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "Known":  # noqa: N803
            return self

        def predict_proba(self, X: Any) -> Any:  # noqa: N803
            return given["mean"]

    labels = np.full(len(given["features"]), np.nan)
    picks, seconds = [], []
    for seed in range(int(given["seeds"])):
        found, chances = Badge(random_state=seed).query(
            given["features"],
            labels,
            Known(),
            fit_clf=False,
            batch_size=int(given["size"]),
            return_utilities=True,
        )
        picks.append(found)
        seconds.append(chances[1])
    return {"picks": np.array(picks), "seconds": np.array(seconds)}


def centre(given: Arrays) -> Arrays:
    """k-centre, labelled cases marked."""
    from skactiveml.pool import k_greedy_center

    picks, _ = k_greedy_center(given["points"], given["labels"], batch_size=int(given["size"]))
    return {"picks": picks}


def typical(given: Arrays) -> Arrays:
    """TypiClust on clusters that are given."""
    from skactiveml.pool import TypiClust

    class Given:
        def __init__(self, n_clusters: int) -> None:
            self.n_clusters = n_clusters

        def fit_predict(self, X: Any) -> Any:  # noqa: N803
            return given["members"]

    strategy = TypiClust(cluster_algo=Given, k=20, random_state=0)
    return {"picks": strategy.query(given["points"], given["labels"], batch_size=int(given["size"]))}


def cover(given: Arrays) -> Arrays:
    """Cases that each pick of ProbCover would cover, every pick being told of those before it."""
    from skactiveml.pool import ProbCover

    labels, worth = given["labels"].copy(), []
    for pick in given["picks"]:
        strategy = ProbCover(n_classes=2, deltas=[float(given["radius"])], random_state=0)
        worth.append(strategy.query(given["points"], labels, batch_size=1, return_utilities=True)[1][0])
        labels[pick] = 0.0
    return {"worth": np.array(worth)}


def laplace(given: Arrays) -> Arrays:
    """Posterior precision of the last layer, weights of one class after the other."""
    import torch
    from laplace import Laplace

    features, labels = torch.tensor(given["features"]), torch.tensor(given["labels"])
    model = torch.nn.Linear(features.shape[1], given["weights"].shape[1], bias=False).double()
    with torch.no_grad():
        model.weight.copy_(torch.tensor(given["weights"].T))
    posterior = Laplace(
        model,
        "classification",
        subset_of_weights="all",
        hessian_structure="full",
        prior_precision=float(given["penalty"]),
    )
    rows = torch.utils.data.TensorDataset(features, labels)
    posterior.fit(torch.utils.data.DataLoader(rows, batch_size=50))
    return {"precision": posterior.posterior_precision.detach().numpy()}


def crowdlab(given: Arrays) -> Arrays:
    """Consensus by majority with its quality, and what model and readers weigh. labels: -1 where absent."""
    from cleanlab.multiannotator import get_label_quality_multiannotator

    labels = np.where(given["labels"] < 0, np.nan, given["labels"])
    found = get_label_quality_multiannotator(
        labels, given["likely"], consensus_method="majority_vote", return_weights=True, verbose=False
    )
    rows = found["label_quality"]
    return {
        "consensus": rows["consensus_label"].to_numpy(),
        "quality": rows["consensus_quality_score"].to_numpy(),
        "model": np.float64(found["model_weight"]),
        "readers": found["annotator_weight"],
    }


def umap(given: Arrays) -> Arrays:
    """Lay vectors out with umap-learn, through Fovea's own call."""
    from mlworker.projection import has_umap, neighbours_kept

    assert has_umap()
    return {"places": neighbours_kept(given["vectors"], seed=0)}


ORACLES: dict[str, Callable[[Arrays], Arrays]] = {
    one.__name__: one for one in (scores, badge, centre, typical, cover, laplace, crowdlab, umap)
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    answer(ORACLES)
