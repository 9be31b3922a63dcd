"""Archived events in log groups of CloudWatch, by class: what metric filters count and alarms watch (LOG-03, LOG-05).

The archive is the evidence; this is for seeing soon. Each event goes there once it is archived, and as it is there.

    batches.py    what a call may hold; pure
    announcer.py  from the archive into the groups
"""

from caisson.adapters.aws.log_groups.announcer import Announcer

__all__ = ["Announcer"]
