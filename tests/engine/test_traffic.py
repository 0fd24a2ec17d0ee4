"""Calls over time: what a flow opens, and when."""

from clusterviz.engine import Cluster
from clusterviz.engine.traffic import Traffic


def outside(rate):
    """A cluster that somebody outside calls so often."""
    flow = {
        "apiVersion": "clusterviz.dev/v1",
        "kind": "TrafficFlow",
        "metadata": {"name": "calls", "namespace": "shop"},
        "spec": {
            "from": {"kind": "External", "name": "internet"},
            "to": {"host": "192.0.2.1", "port": 80, "protocol": "TCP"},
            "requestsPerSecond": rate,
        },
    }
    return Cluster.from_objects([flow])


def test_a_flow_that_was_changed_goes_on_after_a_time_when_nobody_looked():
    traffic = Traffic("1", 0.0)
    traffic.update(outside(0.001))
    traffic.update(busy := outside(10))
    traffic.skip(100)
    opened = [connection.time for connection in traffic.run(busy, 110)]
    assert 50 < len(opened) < 200
    assert 100 < min(opened) < max(opened) <= 110
