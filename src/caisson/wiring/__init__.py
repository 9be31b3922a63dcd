"""The only place that joins adapters to zones: one module a process, and what `up` prepares for them.

    provision.py   keys, authority, first configuration, settings of each process
    gateway.py     zones 1 and 2
    control.py     zone 5
    logs.py        zone 6
    system.py      all of them under the supervisor: what `caisson up` runs

Run by the supervisor as `python -m caisson.wiring PROCESS SETTINGS`.
"""
