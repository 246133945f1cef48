"""Multinomial logistic regression with an L2 penalty: many fits over one set of features in one solve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]
ITERATIONS = 200


@dataclass(frozen=True)
class Heads:
    """weights: (head, feature, class). bias: (head, class)."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logits(self, features: Floats) -> NDArray[np.float32]:
        """(case, feature) → (case, head, class)."""
        count, width, classes = self.weights.shape
        flat = self.weights.transpose(1, 0, 2).reshape(width, count * classes)
        scores = features.astype(np.float32, copy=False) @ flat
        return np.asarray(scores.reshape(-1, count, classes) + self.bias)

    def probabilities(self, features: Floats, *, temperature: float = 1.0) -> NDArray[np.float32]:
        """(case, feature) → (case, head, class), rows sum to 1."""
        return softmax(self.logits(features) / temperature)


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the last axis, in place where it can be."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shifted /= shifted.sum(axis=-1, keepdims=True)
    return np.asarray(shifted)


def fit(features: Floats, labels: Labels, weights: Floats, penalties: Floats, *, classes: int) -> Heads:
    """Minimise Σ weight · cross entropy + penalty/2 · |W|² for every head at once; the bias is free.

    features: (case, feature). labels: (case,) class numbers. weights: (head, case), 0 leaves a case out.
    penalties: (head,). With fewer cases than features the solve is done in the span of the cases: the
    penalised solution lies in it (representer theorem), so nothing is lost.
    raises: ArithmeticError where the solution is not finite.
    """
    # One thread: the products are small, and threads that wait for each other by spinning made this solve
    # sixty times slower on two busy cores.
    with threadpool_limits(limits=1, user_api="blas"):
        span, coordinates = _span(features)
        solved = _solve(coordinates, labels, weights, penalties, classes)
    inner, bias = solved[:, :-1], solved[:, -1]
    heads = Heads(np.einsum("fr,hrc->hfc", span, inner).astype(np.float32), bias.astype(np.float32))
    if not (np.isfinite(heads.weights).all() and np.isfinite(heads.bias).all()):
        raise ArithmeticError("a head's weights are not finite: check the embeddings and the labels")
    return heads


def _span(features: Floats) -> tuple[Floats, Floats]:
    """Find an orthonormal basis (feature, rank) and the cases' coordinates in it (case, rank)."""
    cases, width = features.shape
    exact = features.astype(np.float64)
    if cases >= width:
        return np.eye(width), exact
    basis, triangle = np.linalg.qr(exact.T)
    return basis, triangle.T


def _solve(features: Floats, labels: Labels, weights: Floats, penalties: Floats, classes: int) -> Floats:
    cases, width = features.shape
    heads = len(weights)
    shape = (heads, width + 1, classes)
    truth = np.eye(classes)[labels][:, None, :]
    weight = weights.T[:, :, None]
    shrink = np.broadcast_to(penalties[:, None, None], shape).copy()
    shrink[:, -1] = 0.0
    extended = np.hstack([features, np.ones((cases, 1))])

    def loss(flat: Floats) -> tuple[float, Floats]:
        parameters = flat.reshape(shape)
        scores = (extended @ parameters.transpose(1, 0, 2).reshape(width + 1, -1)).reshape(
            cases, heads, classes
        )
        scores -= scores.max(axis=-1, keepdims=True)
        total = np.exp(scores)
        normaliser = total.sum(axis=-1, keepdims=True)
        value = float((weight * (np.log(normaliser) - (scores * truth).sum(axis=-1, keepdims=True))).sum())
        error = (weight * (total / normaliser - truth)).reshape(cases, heads * classes)
        gradient = (extended.T @ error).reshape(width + 1, heads, classes).transpose(1, 0, 2)
        gradient = gradient + shrink * parameters
        return value + 0.5 * float((shrink * parameters**2).sum()), gradient.ravel()

    options = {"maxiter": ITERATIONS, "gtol": 1e-4, "ftol": 1e-7}
    start = np.zeros(int(np.prod(shape)))
    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x).reshape(shape)
