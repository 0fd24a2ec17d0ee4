"""Which pods serve an Ingress, and at which address (ING-01)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from clusterviz.engine.addresses import canonical, public_address
from clusterviz.engine.datapath.ordered import Ordered, oldest_first
from clusterviz.engine.indexes import CLASS_FLAG, flag
from clusterviz.engine.objects import Ingress, IngressClass, Node, Pod, Service
from clusterviz.engine.parse_rules import CLASS_ANNOTATION

if TYPE_CHECKING:
    from clusterviz.engine.cluster import Cluster

# What spec.controller of an IngressClass says -> the app.kubernetes.io/name its pods carry.
KNOWN = {
    "k8s.io/ingress-nginx": "ingress-nginx",
    "nginx.org/ingress-controller": "nginx-ingress",
    "traefik.io/ingress-controller": "traefik",
    "haproxy.org/ingress-controller/haproxy": "kubernetes-ingress",
    "haproxy-ingress.github.io/controller": "haproxy-ingress",
    "projectcontour.io/projectcontour/contour": "contour",
    "ingress-controllers.konghq.com/kong": "kong",
}
CLASS_NAMES = {"nginx": "ingress-nginx", "traefik": "traefik", "haproxy": "haproxy-ingress", "kong": "kong"}

# App name of a controller's pods and spec.controller of its class.
Kind = tuple[str, str]
# A snapshot never changes, so what was found for it holds as long as it lives.
_GROUPS: WeakKeyDictionary[Cluster, dict[Kind, list[Ingress]]] = WeakKeyDictionary()
_SERVED: WeakKeyDictionary[Cluster, dict[tuple[str, str], Ordered]] = WeakKeyDictionary()
_FRONTS: WeakKeyDictionary[Cluster, dict[Kind, Service | None]] = WeakKeyDictionary()

HTTP_PORTS = ("http", "https", "web", "websecure", "http-web", "proxy", "proxy-ssl")


def class_name(cluster: Cluster, ingress: Ingress) -> str:
    """The class an Ingress has: the one it names, else the default, else the one of the settings (ING-01).

    Of several defaults the newest is taken, then the first by name, as the admission of Ingresses does.
    """
    if ingress.ingress_class:
        return ingress.ingress_class
    defaults = sorted((one for one in cluster.ingress_classes.values() if one.default), key=lambda one: one.name)
    newest = max(defaults, key=lambda one: one.created, default=None)
    return newest.name if newest else cluster.settings.ingress_class


def class_of(cluster: Cluster, ingress: Ingress) -> IngressClass | None:
    """The IngressClass object of an Ingress, if there is one."""
    return cluster.ingress_classes.get(("", class_name(cluster, ingress)))


def served(cluster: Cluster, ingress: Ingress) -> bool:
    """Whether a controller may feel responsible for an Ingress, as far as its class goes (ING-01).

    Objects without any IngressClass are taken to be partial. An old class annotation needs no IngressClass.
    """
    found = class_of(cluster, ingress)
    if found is not None:
        return cluster.settings.ingress_controller in ("", found.controller)
    if CLASS_ANNOTATION in ingress.annotations or class_name(cluster, ingress) == cluster.settings.ingress_class != "":
        return True
    return not cluster.ingress_classes


def app_name(cluster: Cluster, ingress: Ingress) -> str:
    """The app.kubernetes.io/name of the controller's pods, "" when no class applies."""
    if not served(cluster, ingress):
        return ""
    found = class_of(cluster, ingress)
    if found is not None:
        return KNOWN.get(found.controller, found.controller.rpartition("/")[2])
    name = class_name(cluster, ingress)
    return CLASS_NAMES.get(name) or KNOWN.get(cluster.settings.ingress_controller if name else "", "")


def option(cluster: Cluster, pod: Pod, name: str) -> str:
    """The value of a flag (``--name=value`` or ``--name value``) of a pod's processes, "" without it."""
    return flag(cluster.objects.get(("Pod", pod.namespace, pod.name), {}), name)


def _is_of(cluster: Cluster, pod: Pod, app: str, controller: str) -> bool:
    """Whether a pod is a controller of this app, and of this class when its --controller-class says one."""
    own = option(cluster, pod, CLASS_FLAG) if (pod.namespace, pod.name) in cluster.classed_pods else ""
    if own and controller:
        return own == controller
    return bool(app) and is_controller(pod, app)


def _kind_of(cluster: Cluster, ingress: Ingress) -> Kind:
    found = class_of(cluster, ingress) if served(cluster, ingress) else None
    return app_name(cluster, ingress), found.controller if found else ""


def controller_of(cluster: Cluster, ingress: Ingress) -> Service | None:
    """The Service in front of the controller's pods; one with an outside address is preferred."""
    known, kind = _FRONTS.setdefault(cluster, {}), _kind_of(cluster, ingress)
    if kind not in known:
        known[kind] = _front(cluster, *kind)
    return known[kind]


def _front(cluster: Cluster, app: str, controller: str) -> Service | None:
    if not app:
        return None
    labelled = ({"app.kubernetes.io/name": app}, {"app": app})
    pods = [pod for space in cluster.pod_namespaces for one in labelled for pod in cluster.pods_selected(space, one)]
    pods += [cluster.pods[name] for name in cluster.classed_pods]
    found = {
        (service.namespace, service.name): service
        for pod in pods
        if _is_of(cluster, pod, app, controller)
        for service in cluster.services_selecting(pod)
        if service.type != "ExternalName"
    }.values()
    rank = {"LoadBalancer": 0, "NodePort": 1, "ClusterIP": 2}
    return min(found, key=lambda s: (rank.get(s.type, 3), not _serves_http(s), s.namespace, s.name), default=None)


def host_nodes(cluster: Cluster, ingress: Ingress) -> tuple[Node, ...]:
    """Nodes where a controller pod has the node's own ports (hostNetwork), usable ones first."""
    app, controller = _kind_of(cluster, ingress)
    found = [
        cluster.nodes[node]
        for node, pods in cluster.host_pods.items()
        if node in cluster.nodes
        and any(pod.phase == "Running" and _is_of(cluster, pod, app, controller) for pod in pods)
    ]
    return tuple(sorted(found, key=lambda node: (node.down, not node.ready, node.name)))


def _serves_http(service: Service) -> bool:
    return any(port.port in (80, 443) for port in service.ports)


def selected(cluster: Cluster, service: Service) -> list[Pod]:
    """Pods a Service's selector matches."""
    return cluster.pods_selected(service.namespace, service.selector or {})


def is_controller(pod: Pod, name: str) -> bool:
    """Whether a pod belongs to the controller of this app name."""
    if pod.labels.get("app.kubernetes.io/name") != name and pod.labels.get("app") != name:
        return False
    return pod.labels.get("app.kubernetes.io/component", "controller") == "controller"


def served_by(cluster: Cluster, pod: Pod) -> Ordered:
    """The Ingresses a controller pod serves, oldest first (ING-12); empty for an ordinary pod."""
    known, name = _SERVED.setdefault(cluster, {}), (pod.namespace, pod.name)
    if name not in known:
        known[name] = _served_by(cluster, pod)
    return known[name]


def _served_by(cluster: Cluster, pod: Pod) -> Ordered:
    groups = _GROUPS.get(cluster)
    if groups is None:
        groups = _GROUPS[cluster] = {}
        for ingress in cluster.ingresses.values():
            groups.setdefault(_kind_of(cluster, ingress), []).append(ingress)
    return oldest_first(
        ingress for kind, found in groups.items() if kind[0] and _is_of(cluster, pod, *kind) for ingress in found
    )


def status_addresses(ingress: Ingress) -> tuple[str, ...]:
    """IPs in an Ingress's status; a balancer known by name has the one its name is taken to have."""
    return tuple(canonical(one) or public_address(one.lower()) for one in ingress.addresses if one)


def managed(cluster: Cluster, ip: str) -> Ordered:
    """Ingresses with this address in their status whose controller is not among the objects, oldest first."""
    return oldest_first(
        ingress
        for ingress in cluster.ingresses.values()
        if ip in status_addresses(ingress)
        and controller_of(cluster, ingress) is None
        and not host_nodes(cluster, ingress)
    )


def takes_requests(cluster: Cluster, pod: Pod, port: int) -> bool:
    """Whether a controller pod routes what comes to this port; its metrics port it answers itself."""
    declared = [one for one in pod.ports if one.port == port]
    if not declared:
        return True
    if port in (80, 443) or any(one.host_port in (80, 443) or one.name in HTTP_PORTS for one in declared):
        return True
    return any(
        one.port in (80, 443) and one.target in (port, *(d.name for d in declared))
        for service in cluster.services_selecting(pod)
        for one in service.ports
    )


def is_any_controller(cluster: Cluster, pod: Pod) -> bool:
    """Whether this pod is an Ingress controller of some class in the cluster."""
    names = {KNOWN.get(c.controller, c.controller.rpartition("/")[2]) for c in cluster.ingress_classes.values()}
    names |= set(CLASS_NAMES.values())
    return any(is_controller(pod, name) and "app.kubernetes.io/component" in pod.labels for name in names)
