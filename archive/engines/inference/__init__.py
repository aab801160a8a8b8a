"""One process for each GPU owns the networks, and runs the pictures of many workers in batches.

    processes.py   how many processes, which GPU each sees, their start, end and replacement: what an engine calls
    server.py      such a process: serves workers, each over a connection of its own
    remote.py      a worker's end: sessions that run there
    messages.py    what goes over the connection
    blocks.py      memory that a worker and its process both see: pictures lie there, only their places are sent

A worker that dies disturbs nobody; its block is freed. If the process dies, each of its workers breaks down with a
sentence, what they did is tried again as after any breakdown, and the next worker finds a new process.
"""
