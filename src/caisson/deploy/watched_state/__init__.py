"""What AWS Config sees: how each account is, kept in the logging account, and rules that say when it departs (S05)."""
