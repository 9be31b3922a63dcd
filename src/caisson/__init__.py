"""Caisson: run, deploy and prove Amazon Bedrock systems with controls that hold."""

__version__ = "0.1.0"
