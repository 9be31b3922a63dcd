"""What the runtime account has: a network without a way out, and the ledger (zones 1 and 2)."""
