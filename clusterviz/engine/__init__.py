"""What a real cluster does with a packet. Pure Python: no Django, no I/O, no clock.

>>> from clusterviz.engine import Cluster, Probe, trace
>>> cluster = Cluster.from_objects(objects)
>>> trace(cluster, Probe.parse("shop/frontend", "http://cartservice.shop:7070/")).verdict
"""

from clusterviz.engine.cluster import Change, Cluster
from clusterviz.engine.decision import Decision, decide
from clusterviz.engine.errors import AddressError, EngineError, ObjectError, ProbeError
from clusterviz.engine.probe import Destination, Probe, Request, Source
from clusterviz.engine.settings import Settings
from clusterviz.engine.trace import Trace, Verdict
from clusterviz.engine.walk import trace

__all__ = [
    "AddressError",
    "Change",
    "Cluster",
    "Decision",
    "Destination",
    "EngineError",
    "ObjectError",
    "Probe",
    "ProbeError",
    "Request",
    "Settings",
    "Source",
    "Trace",
    "Verdict",
    "decide",
    "trace",
]
