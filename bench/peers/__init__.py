"""Programs that run in the environments of peers (`make bench-detect-peers`), where Caisson is not installed."""
