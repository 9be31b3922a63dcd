"""Embedding models of Amazon Bedrock."""

from caisson.adapters.aws.embedder.bedrock import BedrockEmbedder

__all__ = ["BedrockEmbedder"]
