"""Folders of labelled images for the learning benchmarks, read as the product's replay reads them."""

from mlworker.replay.folders import Images, encoded_images, random_encoder, read_images

__all__ = ["Images", "encoded_images", "random_encoder", "read_images"]
