"""AWS services as the gateway calls them on the request path: signed by ourselves, over one pool of connections.

endpoint.py    where a service answers in a Region
calls.py       one attempt of a call, bounded, with what its failure means
markup.py      XML answers and errors, without declarations
identity.py    credentials that sign: those of the process, and those of one session (STS with session tags)
"""
