"""Budgets in one SQLite file that several processes share: one atomic reserve a request (SESS-01).

- A reservation counts against its session until it is settled or its deadline passes, whoever made it.
- Rates are exact: no window of any phase holds more than `count` grants.
- Killing a process loses nothing that a call returned; what happens in one turn of the event loop is one transaction.

    accounts      a session each; `tokens_reserved` is the sum of its reservations, lapsed ones included
    reservations  what is under way, a row each
    rate_keys     a number for the name of each rate
    rate_grants   when each grant of a rate was given
"""

from caisson.adapters.embedded.ledger.ledger import EmbeddedLedger

__all__ = ["EmbeddedLedger"]
