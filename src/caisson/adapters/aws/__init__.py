"""Adapters whose other side is AWS, called by the formats of caisson.protocol; botocore resolves credentials only."""
