"""The system file: what one `caisson.yaml` may say, what it resolves to, and what is wrong with it."""
