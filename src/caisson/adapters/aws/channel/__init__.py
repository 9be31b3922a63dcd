"""A channel over a queue of SQS: the sealed segments of the channel on one machine, carried in pieces (decision 21).

The writer appends to segments in a folder of its own, and a courier puts every byte of them into the queue; the reader
puts the pieces together in a folder of its own, and reads them as on one machine. The queue is transport and nothing
else: it may give pieces twice, late, in another order, to anybody who listens; what is changed, cut or made up is found
by seal, signature and chain, as on a disk.

    pieces.py     the bytes of a piece, signed; pure
    queue.py      send, receive, delete, as SQS has them
    writer.py     segments and what carries them away
    arrivals.py   pieces put together, in whatever order they come
    reader.py     takes from the queue, and reads
"""

from caisson.adapters.aws.channel.queue import Queue
from caisson.adapters.aws.channel.reader import QueueReader
from caisson.adapters.aws.channel.writer import QueueWriter

__all__ = ["Queue", "QueueReader", "QueueWriter"]
