"""Budgets in one DynamoDB table that any number of processes share: one atomic write a request (SESS-01).

    rate.py    exact rates as numbered grants                              pure
    books.py   what a batch of acts does to accounts and rates             pure
    items.py   how both lie in the table, and its indexes                  pure
    table.py   reads, and writes on condition that nothing changed
    lane.py    batches of what comes for the same credentials, tried again until they hold
    ledger.py  the port

What is written was decided on what was read, and holds only if it is still so. Thus no limit is ever exceeded, and no
request refused for what another process has given back. Reached with credentials of one session where a role is given
for it (api/identity.py). See docs/decisions/0018-ledger-in-dynamodb.md.
"""

from caisson.adapters.aws.ledger.ledger import DynamoLedger

__all__ = ["DynamoLedger"]
