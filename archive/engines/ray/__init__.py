"""Workers on the nodes of a Ray cluster; docs/cluster.md says how to start one.

engine.py    the engine: passes on what the driver tells
driver.py    a process of its own that speaks with the cluster
crew.py      hires workers on the nodes and hands out tasks
queue.py     what is tried again, where, and how often
cluster.py   the one door to Ray
node.py      what runs on a node
luggage.py   model files and calibration on their way to a node
messages.py  what driver and engine tell each other
"""
