"""The port: documents are read in processes of their own that can do nothing but compute."""

from caisson.adapters.embedded.extractor.reader import EmbeddedExtractor

__all__ = ["EmbeddedExtractor"]
