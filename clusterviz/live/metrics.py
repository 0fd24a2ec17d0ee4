"""What Prometheus reads of this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from clusterviz.live import instance
from clusterviz.live.hub import Topic
from clusterviz.live.keeper import Keeper

Read = Callable[[Topic], float]


def _rps(topic: Topic) -> float:
    """Nothing is decided for nobody: what was last told is out of date then."""
    return topic.rps if any(client.wants_traffic for client in topic.clients) else 0.0


#: Of each cluster's stream: name, what it counts, where it is found.
COUNTERS: tuple[tuple[str, str, Read], ...] = (
    ("messages_encoded", "Messages that were turned into text, once for all browsers.", lambda t: t.counts.encoded),
    ("messages_sent", "Messages written to browsers.", lambda t: t.counts.sent),
    ("characters_sent", "Characters written to browsers, before compression.", lambda t: t.counts.characters),
    ("frames_dropped", "Traffic frames a newer one replaced before a browser read them.", lambda t: t.counts.dropped),
    ("resyncs", "Times a browser had to fetch the whole picture again.", lambda t: t.counts.resyncs),
    ("simulator_steps", "Steps of the simulator.", lambda t: t.counts.steps),
    ("simulator_step_seconds", "Seconds the simulator spent in its steps.", lambda t: t.counts.stepping),
)
GAUGES: tuple[tuple[str, str, Read], ...] = (
    ("browsers", "Browsers that watch the cluster.", lambda t: len(t.clients)),
    ("browsers_behind", "Browsers that do not read at the moment.", lambda t: sum(one.paused for one in t.clients)),
    ("simulator_slowest_step_seconds", "The longest step since the process began.", lambda t: t.counts.slowest),
    ("connections_per_second", "Simulated connections, over five seconds.", _rps),
)
KEPT: tuple[tuple[str, str, Callable[[Keeper], float]], ...] = (
    ("leading", "1 where this process steps the cluster, 0 where it follows another.", lambda k: k.leading),
    ("journal_position", "The last line of the cluster's journal the picture includes.", lambda k: k.position),
    ("pods", "Pods of the cluster.", lambda k: len(k.replica.cluster.pods) if k.replica is not None else 0),
)


class LiveCollector:
    """The hub and the crew of the running server, read when Prometheus asks."""

    def collect(self) -> Iterator[Metric]:
        """Nothing but the number of clusters when this process keeps none."""
        live = instance.serving()
        keepers = dict(live.crew.keepers) if live is not None else {}
        yield GaugeMetricFamily("clusterviz_clusters", "Clusters this process keeps.", value=len(keepers))
        if live is None:
            return
        topics = {name: topic for name, topic in live.hub.topics.items() if name in keepers}
        for family, table in ((CounterMetricFamily, COUNTERS), (GaugeMetricFamily, GAUGES)):
            for name, words, read in table:
                metric = family(f"clusterviz_{name}", words, labels=["cluster"])
                for cluster, topic in topics.items():
                    metric.add_metric([cluster], read(topic))
                yield metric
        for name, words, look in KEPT:
            metric = GaugeMetricFamily(f"clusterviz_{name}", words, labels=["cluster"])
            for cluster, keeper in keepers.items():
                metric.add_metric([cluster], look(keeper))
            yield metric


def text() -> bytes:
    """Prometheus' text format: this process, and every cluster it keeps."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    registry.register(LiveCollector())
    return generate_latest(registry)
