"""Penalised linear models: many fits over one set of features in one solve.

Features are centred and whitened by the curvature that they have in common (a Cholesky factor of the Gram
matrix), so that a few dozen steps of L-BFGS suffice however alike the features are. Large problems run in
single precision; the heads start from the one that sees every case with its mean weight.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from mlworker.acquisition.arrays import blocks

Floats = NDArray[np.floating]
Labels = NDArray[np.integer]
ITERATIONS = 200
EXACT_BELOW = 2_000  # cases; above, products are in single precision
CURVATURE = 0.15  # of the loss by a score, typically: p (1 - p)


@dataclass(frozen=True)
class Slopes:
    """Loss and slopes of every case and head.

    loss: (case, head). by_score: (case, head, output). by_bias: (case, head, bias).
    """

    loss: Floats
    by_score: Floats
    by_bias: Floats


Link = Callable[[Floats, Floats], Slopes]
"""(case, head, output) scores without bias, (head, bias) → slopes."""


@dataclass(frozen=True)
class Solution:
    """weights: (head, feature, output). bias: (head, bias), for features as they were given."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True)
class Problem:
    """What is fitted. features: (case, feature). weights: (head, case), 0 leaves a case out.

    penalties: (head,) on |W|²/2; the bias is free. outputs: scores a case. start: (bias,), the first guess.
    shifts: (output, bias), how a bias moves when all scores of an output do.
    """

    features: Floats
    weights: Floats
    penalties: Floats
    outputs: int
    start: Floats
    shifts: Floats
    link: Link


def solved(problem: Problem) -> Solution:
    """Minimise Σ weight · loss + penalty/2 · |W|² for every head at once.

    With fewer cases than features the solve is done in the span of the cases: the penalised solution lies
    in it (representer theorem), so nothing is lost.
    raises: ArithmeticError where the solution is not finite.
    """
    # One thread: the products are small, and threads that wait for each other by spinning made this solve
    # sixty times slower on two busy cores.
    with threadpool_limits(limits=1, user_api="blas"):
        mean = problem.features.mean(axis=0, dtype=np.float64)
        span, coordinates = _span(problem.features, mean)
        inner, bias = _started(coordinates, problem)
        weights = np.einsum("fr,hrc->hfc", span, inner, optimize=True)
    found = Solution(
        weights.astype(np.float32), (bias - (mean @ weights) @ problem.shifts).astype(np.float32)
    )
    if not (np.isfinite(found.weights).all() and np.isfinite(found.bias).all()):
        raise ArithmeticError("a head's weights are not finite: check the embeddings and the labels")
    return found


def _span(features: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """Find an orthonormal basis (feature, rank) and the centred cases' coordinates in it (case, rank)."""
    cases, width = features.shape
    if cases < width:
        basis, triangle = np.linalg.qr((features.astype(np.float64) - mean).T)
        return basis, triangle.T
    kind = np.float64 if cases <= EXACT_BELOW else np.float32
    return np.eye(width), features.astype(kind) - mean.astype(kind)


def _started(coordinates: Floats, problem: Problem) -> tuple[Floats, Floats]:
    """Fit the mean of all heads first where there are several, and start every head from it."""
    whitening = _whitening(coordinates, float(np.exp(np.log(problem.penalties).mean())))
    white = coordinates @ whitening.astype(coordinates.dtype)
    nothing: Floats = np.zeros((1, coordinates.shape[1], problem.outputs))
    shared = nothing, problem.start[None]
    if len(problem.weights) > 1:
        mean = problem.weights.mean(axis=0, keepdims=True)
        shared = _solve(white, whitening, problem, (mean, problem.penalties.mean(keepdims=True)), shared)
    start = [np.repeat(part, len(problem.weights), axis=0) for part in shared]
    inner, bias = _solve(
        white, whitening, problem, (problem.weights, problem.penalties), (start[0], start[1])
    )
    return np.einsum("rs,hsc->hrc", whitening, inner, optimize=True), bias


def _whitening(coordinates: Floats, penalty: float) -> Floats:
    """Inverse of the transposed Cholesky factor of the common curvature: (rank, rank)."""
    gram = np.zeros((coordinates.shape[1],) * 2)
    for rows in blocks(len(coordinates)):
        gram += coordinates[rows].T @ coordinates[rows]
    lower = np.linalg.cholesky(CURVATURE * gram + penalty * np.eye(len(gram)))
    return np.asarray(solve_triangular(lower, np.eye(len(gram)), lower=True).T)


def _solve(
    white: Floats,
    whitening: Floats,
    problem: Problem,
    weighing: tuple[Floats, Floats],
    start: tuple[Floats, Floats],
) -> tuple[Floats, Floats]:
    """Fit some heads in whitened coordinates: weights (head, rank, output) and bias (head, bias)."""
    weights, penalties = weighing
    heads, (cases, rank) = len(weights), white.shape
    shape, split = (heads, rank, problem.outputs), heads * rank * problem.outputs
    weight = weights.T.astype(white.dtype)
    scale = 1.0 / np.sqrt(CURVATURE * cases)  # of the biases, which are not whitened
    shrink = whitening.T @ whitening

    def loss(flat: Floats) -> tuple[float, Floats]:
        inner, bias = flat[:split].reshape(shape), scale * flat[split:].reshape(heads, -1)
        columns = inner.transpose(1, 0, 2).reshape(rank, -1).astype(white.dtype)
        slopes = problem.link((white @ columns).reshape(cases, heads, -1), bias.astype(white.dtype))
        value = float(np.einsum("ih,ih->", weight, slopes.loss, dtype=np.float64))
        error = (weight[:, :, None] * slopes.by_score).reshape(cases, -1)
        gradient = (white.T @ error).astype(np.float64).reshape(rank, heads, -1).transpose(1, 0, 2)
        pulled = penalties[:, None, None] * np.matmul(shrink, inner)
        by_bias = scale * np.einsum("ih,ihb->hb", weight, slopes.by_bias, dtype=np.float64)
        return value + 0.5 * float((inner * pulled).sum()), np.concatenate(
            [(gradient + pulled).ravel(), by_bias.ravel()]
        )

    first = np.concatenate([start[0].ravel(), start[1].ravel() / scale])
    options = {"maxiter": ITERATIONS, "gtol": 1e-4, "ftol": 1e-9 if white.dtype == np.float64 else 1e-7}
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options=options).x
    return found[:split].reshape(shape), scale * found[split:].reshape(heads, -1)
