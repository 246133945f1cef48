"""What each route may answer besides what it is for."""

from typing import Any

from annotation.api.schemas import AnswersProblem, Problem

REFUSED: dict[Any, Any] = {frozenset({401}): Problem}
MISSING: dict[Any, Any] = {frozenset({401, 404, 422}): Problem}
WRITE: dict[Any, Any] = {frozenset({401, 403, 404, 422}): Problem}
CONFLICT: dict[Any, Any] = {frozenset({401, 403, 404, 409, 422}): Problem}
ANSWERED: dict[Any, Any] = {frozenset({401, 403, 404, 409, 413}): Problem, 422: AnswersProblem}
