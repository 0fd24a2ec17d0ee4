"""What stands in the cells of kubectl's tables."""

from __future__ import annotations

import re
from typing import Any

from clusterviz.engine.controllers.work import seconds
from clusterviz.engine.objects import Obj

_STEP = re.compile(r"\.?([^.\[\]]+)|\[(?:'([^']*)'|\"([^\"]*)\"|(\d+))\]")


def at(obj: Any, *path: str) -> Any:
    """A nested field, None when absent."""
    for name in path:
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def jsonpath(obj: Any, path: str) -> Any:
    """The simple paths printer columns use: names, quoted names and indexes."""
    path = path.replace("\\.", "\0")
    for match in _STEP.finditer(path):
        name, single, double, index = match.groups()
        if index is not None:
            obj = obj[int(index)] if isinstance(obj, list) and int(index) < len(obj) else None
        else:
            obj = at(obj, next(part for part in (name, single, double) if part is not None).replace("\0", "."))
    return obj


def age(stamp: str, now: float) -> str:
    """How long ago, as kubectl writes it."""
    when = seconds(stamp)
    return human(now - when) if when else "<unknown>"


def human(passed: float) -> str:
    """A duration in kubectl's words: 5s, 2m5s, 3h10m, 2d4h, 10d."""
    total = int(passed)
    if total < -1:
        return "<invalid>"
    total = max(0, total)
    minutes, hours, days = total // 60, total // 3600, total // 86400
    if total < 120:
        return f"{total}s"
    if minutes < 10:
        return f"{minutes}m{total % 60}s" if total % 60 else f"{minutes}m"
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    if days < 730:
        return f"{days}d"
    years, rest = divmod(days, 365)
    return f"{years}y{rest}d" if years < 8 and rest else f"{years}y"


def listed(items: Any) -> str:
    """A list in one cell."""
    return ",".join(map(str, items)) if items else "<none>"


def pairs(items: Any, absent: str = "<none>") -> str:
    """A map in one cell."""
    return ",".join(f"{key}={value}" for key, value in sorted(items.items())) if items else absent


def condition(obj: Obj, kind: str) -> str:
    """The status of a condition."""
    found = [one for one in at(obj, "status", "conditions") or () if one.get("type") == kind]
    return str(found[0].get("status", "Unknown")) if found else "Unknown"


def _statuses(obj: Obj) -> list[Obj]:
    found: list[Obj] = at(obj, "status", "containerStatuses") or []
    return found


def pod_ready(obj: Obj) -> str:
    """``1/2``."""
    ready = sum(bool(one.get("ready")) for one in _statuses(obj))
    return f"{ready}/{len(at(obj, 'spec', 'containers') or ())}"


def pod_status(obj: Obj) -> str:
    """The phase, or what keeps the containers from running."""
    phase = str(at(obj, "status", "reason") or at(obj, "status", "phase") or "Pending")
    running = False
    for one in reversed(_statuses(obj)):
        state = one.get("state") or {}
        waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
        if waiting.get("reason"):
            phase = waiting["reason"]
        elif ended:
            code = f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"
            phase = ended.get("reason") or code
        elif one.get("ready") and "running" in state:
            running = True
    if phase == "Completed" and running:
        phase = "Running" if condition(obj, "Ready") == "True" else "NotReady"
    if obj["metadata"].get("deletionTimestamp"):
        return "Unknown" if at(obj, "status", "reason") == "NodeLost" else "Terminating"
    return phase


def pod_restarts(obj: Obj, now: float) -> str:
    """How often containers were restarted, and when last."""
    count = sum(int(one.get("restartCount") or 0) for one in _statuses(obj))
    ends = [at(one, "lastState", "terminated", "finishedAt") for one in _statuses(obj)]
    last = max((seconds(end) for end in ends if isinstance(end, str)), default=0.0)
    return f"{count} ({human(now - last)} ago)" if count and last else str(count)


def readiness_gates(obj: Obj) -> str:
    """Ready gates of all."""
    gates = at(obj, "spec", "readinessGates") or ()
    if not gates:
        return "<none>"
    return f"{sum(condition(obj, str(one.get('conditionType'))) == 'True' for one in gates)}/{len(gates)}"


def node_status(obj: Obj) -> str:
    """``Ready``, ``NotReady``, ``Unknown``, and whether it is cordoned."""
    found = [one for one in at(obj, "status", "conditions") or () if one.get("type") == "Ready"]
    words = ["Unknown" if not found else "Ready" if found[0].get("status") == "True" else "NotReady"]
    if at(obj, "spec", "unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def node_roles(obj: Obj) -> str:
    """Roles from labels."""
    prefix = "node-role.kubernetes.io/"
    labels = obj["metadata"].get("labels") or {}
    roles = {key.removeprefix(prefix) for key in labels if key.startswith(prefix) and key != prefix}
    roles |= {str(labels[key]) for key in labels if key == "kubernetes.io/role"}
    return listed(sorted(roles))


def node_address(obj: Obj, kind: str) -> str:
    """The first address of a type."""
    found = [one.get("address") for one in at(obj, "status", "addresses") or () if one.get("type") == kind]
    return str(found[0]) if found else "<none>"


def cluster_ip(obj: Obj) -> str:
    """None for headless Services, nothing for ExternalName."""
    return str(at(obj, "spec", "clusterIP") or "<none>")


def balancer(obj: Obj) -> str:
    """Addresses of a load balancer."""
    entries = at(obj, "status", "loadBalancer", "ingress") or ()
    return ",".join(str(one.get("ip") or one.get("hostname") or "") for one in entries)


def external_ip(obj: Obj) -> str:
    """Where it can be reached from outside."""
    kind, given = at(obj, "spec", "type"), list(at(obj, "spec", "externalIPs") or ())
    if kind == "ExternalName":
        return str(at(obj, "spec", "externalName") or "")
    if kind == "LoadBalancer":
        found = [*filter(None, [balancer(obj)]), *given]
        return ",".join(found) if found else "<pending>"
    return listed(given)


def service_ports(obj: Obj) -> str:
    """``80:30080/TCP``."""
    found = []
    for port in at(obj, "spec", "ports") or ():
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        found.append(f"{port.get('port')}{node}/{port.get('protocol', 'TCP')}")
    return listed(found)


def service_selector(obj: Obj) -> str:
    """Its selector."""
    return pairs(at(obj, "spec", "selector"))


def ready_of(obj: Obj) -> str:
    """``2/3``."""
    wanted = at(obj, "spec", "replicas")
    return f"{at(obj, 'status', 'readyReplicas') or 0}/{1 if wanted is None else wanted}"


def _template_containers(obj: Obj) -> list[Obj]:
    found: list[Obj] = at(obj, "spec", "template", "spec", "containers") or []
    return found


def containers(obj: Obj) -> str:
    """Names of a template's containers."""
    return ",".join(str(one.get("name", "")) for one in _template_containers(obj))


def images(obj: Obj) -> str:
    """Images of a template's containers."""
    return ",".join(str(one.get("image", "")) for one in _template_containers(obj))


def _written(found: Any) -> str:
    if not isinstance(found, dict):
        return "<none>"
    terms = [pairs(found.get("matchLabels"), "")]
    for one in found.get("matchExpressions") or ():
        word = {"In": "in", "NotIn": "notin"}.get(str(one.get("operator")))
        key = one.get("key", "")
        terms.append(
            f"{key} {word} ({','.join(one.get('values') or ())})"
            if word
            else (f"!{key}" if one.get("operator") == "DoesNotExist" else str(key))
        )
    return ",".join(filter(None, terms)) or "<none>"


def selector(obj: Obj) -> str:
    """A workload's selector."""
    return _written(at(obj, "spec", "selector"))


def pod_selector(obj: Obj) -> str:
    """A policy's selector."""
    return _written(at(obj, "spec", "podSelector"))


def node_selector(obj: Obj) -> str:
    """The nodes a DaemonSet is for."""
    return pairs(at(obj, "spec", "template", "spec", "nodeSelector"))


def job_status(obj: Obj) -> str:
    """Complete, Failed, Suspended or Running."""
    for word, kind in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if condition(obj, kind) == "True":
            return word
    return "Running"


def last_schedule(obj: Obj, now: float) -> str:
    """How long ago a CronJob started one."""
    found = at(obj, "status", "lastScheduleTime")
    return age(found, now) if isinstance(found, str) else "<none>"


def completions(obj: Obj) -> str:
    """``1/1``."""
    wanted = at(obj, "spec", "completions")
    return f"{at(obj, 'status', 'succeeded') or 0}/{1 if wanted is None else wanted}"


def duration(obj: Obj, now: float) -> str:
    """How long a Job took, or takes."""
    start, end = at(obj, "status", "startTime"), at(obj, "status", "completionTime")
    if not start:
        return ""
    return human((seconds(end) if end else now) - seconds(start))


def endpoints(obj: Obj) -> str:
    """Up to three addresses with ports."""
    found = [
        f"{one.get('ip')}:{port.get('port')}"
        for subset in obj.get("subsets") or ()
        for one in subset.get("addresses") or ()
        for port in subset.get("ports") or ()
    ]
    return _few(found)


def _few(found: list[str]) -> str:
    more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
    return listed(found[:3]) + more


def slice_ports(obj: Obj) -> str:
    """Ports of a slice."""
    ports = [str(one.get("port")) for one in obj.get("ports") or () if one.get("port") is not None]
    return _few(ports) if ports else "<unset>"


def slice_endpoints(obj: Obj) -> str:
    """Addresses of a slice."""
    return _few([str(ip) for one in obj.get("endpoints") or () for ip in one.get("addresses") or ()])


def ingress_class(obj: Obj) -> str:
    """The class."""
    old = (obj["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class")
    return str(at(obj, "spec", "ingressClassName") or old or "<none>")


def ingress_hosts(obj: Obj) -> str:
    """Hosts of its rules."""
    found = [str(one["host"]) for one in at(obj, "spec", "rules") or () if one.get("host")]
    return ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "") if found else "*"


def last_seen(obj: Obj, now: float) -> str:
    """When an event happened last."""
    stamp = obj.get("lastTimestamp") or obj.get("firstTimestamp") or obj.get("eventTime")
    return age(str(stamp or obj["metadata"].get("creationTimestamp", "")), now)


def involved(obj: Obj) -> str:
    """``pod/web-1``."""
    about = obj.get("involvedObject") or {}
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


def controller(obj: Obj) -> str:
    """``statefulset.apps/db``."""
    for one in obj["metadata"].get("ownerReferences") or ():
        if one.get("controller"):
            group = str(one.get("apiVersion", "")).rpartition("/")[0]
            return f"{str(one.get('kind', '')).lower()}{'.' + group if group else ''}/{one.get('name', '')}"
    return "<none>"


def scale_target(obj: Obj) -> str:
    """What an autoscaler scales."""
    ref = at(obj, "spec", "scaleTargetRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def targets(obj: Obj) -> str:
    """``cpu: <unknown>/80%``: there are no metrics to compare with."""
    found = []
    for metric in at(obj, "spec", "metrics") or ():
        source = metric.get(str(metric.get("type", ""))[:1].lower() + str(metric.get("type", ""))[1:]) or {}
        name = source.get("name") or at(source, "metric", "name") or ""
        target = source.get("target") or {}
        percent = target.get("averageUtilization")
        wanted = f"{percent}%" if percent is not None else target.get("averageValue") or target.get("value") or "<auto>"
        found.append(f"{name}: <unknown>/{wanted}" if name else f"<unknown>/{wanted}")
    return ", ".join(found) or "<none>"


def quota(obj: Obj, *, limits: bool) -> str:
    """``pods: 0/10``: what of a quota is used, requests and limits apart."""
    hard, used = at(obj, "status", "hard") or {}, at(obj, "status", "used") or {}
    names = [name for name in sorted(hard) if name.startswith("limits") == limits]
    return ", ".join(f"{name}: {used.get(name, 0)}/{hard[name]}" for name in names)


def claim(obj: Obj) -> str:
    """The claim a volume is bound to."""
    ref = at(obj, "spec", "claimRef") or {}
    return f"{ref.get('namespace', '')}/{ref.get('name', '')}" if ref else ""


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def access_modes(obj: Obj) -> str:
    """``RWO,ROX``."""
    return ",".join(_MODES.get(str(one), str(one)) for one in at(obj, "spec", "accessModes") or ())


def subjects(obj: Obj, kind: str) -> str:
    """The subjects of a binding of one kind."""
    found = [one for one in obj.get("subjects") or () if one.get("kind") == kind]
    return ",".join(
        f"{one['namespace']}/{one['name']}" if "namespace" in one else str(one.get("name")) for one in found
    )


def role(obj: Obj) -> str:
    """What a binding grants."""
    ref = obj.get("roleRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def gateway_address(obj: Obj) -> str:
    """Addresses of a Gateway."""
    found = at(obj, "status", "addresses") or at(obj, "spec", "addresses") or ()
    return ",".join(str(one.get("value", "")) for one in found)


def flow_from(obj: Obj) -> str:
    """Who calls."""
    ref = at(obj, "spec", "from") or {}
    return f"{str(ref.get('kind', '')).lower()}/{ref.get('name') or ref.get('ip') or ''}"


def flow_to(obj: Obj) -> str:
    """Who is called."""
    to = at(obj, "spec", "to") or {}
    return f"{to.get('host', '')}:{to.get('port', '')}"
