"""The logging account (zone 6): the trail's store, the archive, the event queue, log groups with alarms, and watching.

The zone's own code, which reads the queue and writes the archive, comes with its AWS adapters.
"""
