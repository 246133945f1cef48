"""The search job's body: examples and vectors in, the most similar unread cases out."""

import time

import numpy as np

from annotation.learning.models import Encoder, SimilaritySearch
from annotation.learning.similar import keep_hits
from annotation.queue.pool import PoolRow, rows_of, rows_to_ask_for
from mlworker.runtime import Work
from mlworker.similarity import Floats, Space, most_alike, prototype, similarities
from mlworker.vectors import encoder_of, store_of

HITS = 48


def find_similar(work: Work, search_id: str) -> None:
    """Find the unread cases that are most like a search's examples; the same job again changes nothing."""
    search = SimilaritySearch.objects.select_related("project").get(pk=search_id)
    if search.hits is not None:
        return
    started = time.monotonic()
    encoder = encoder_of(search.project)
    pool, vectors = with_vectors(encoder, rows_to_ask_for(search.project_id))
    like, unlike = (
        with_vectors(encoder, rows_of(search.project_id, numbers))[1]
        for numbers in (search.like, search.unlike)
    )
    if not len(like):
        raise ValueError("no example has been encoded yet: wait until the images are encoded")
    scores = scored(vectors, like, unlike)
    scores[[row.number in {*search.like, *search.unlike} for row in pool]] = -np.inf
    best = [place for place in most_alike(scores, HITS) if np.isfinite(scores[place])]
    hits = [(pool[place].number, round(float(scores[place]), 4)) for place in best]
    with work.commit():
        keep_hits(
            search_id=search.pk, hits=hits, searched=len(pool), seconds=round(time.monotonic() - started, 3)
        )


def scored(vectors: Floats, like: Floats, unlike: Floats) -> Floats:
    """Similarity of each vector; the space is measured on the pool and the examples."""
    if not len(vectors):
        return np.empty(0, dtype=np.float32)
    space = Space.of(np.concatenate([vectors, like, unlike]))
    return similarities(space, vectors, prototype(space, like, unlike))


def with_vectors(encoder: Encoder, rows: list[PoolRow]) -> tuple[list[PoolRow], Floats]:
    """Keep the rows that have been encoded, each with its vector."""
    store = store_of(encoder)
    places = store.rows([row.content_digest for row in rows])
    kept = [row for row, place in zip(rows, places, strict=True) if place >= 0]
    return kept, store.vectors(places[places >= 0])
