"""A rehearsal: the same system file on this machine, in a folder of its own, with a model that is ours to command.

What must not be done to a running system is done to it: processes are killed, and its model is hostile.
"""
