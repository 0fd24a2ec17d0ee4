"""The sentences of `explain`: a table of reason codes, (novice, operator).

Names in braces are facts of the step, or words `explain` finds in its headers: ``opens``, ``proto``, ``refusal``,
``ttl``, ``arrival``.
"""

from __future__ import annotations

from clusterviz.engine.sentences_ongoing import ONGOING

SENTENCES: dict[str, tuple[str, str]] = {
    "resolved": (
        "The name {name} is looked up first: {answered} is known and leads to {address}.",
        "Asked in order: {tries}; answer {address}, to be kept {ttl} s.",
    ),
    "resolved_outside": (
        "The name {name} is not the cluster's: after the cluster's own names it is asked outside and leads to {address}.",
        "Asked in order: {tries}; then upstream: {address}.",
    ),
    "resolved_alias": (
        "The name {asked} is only another name for {name}: the cluster's DNS says so and asks outside for it; it leads to {address}.",
        "Asked in order: {tries}; CNAME {name} (ExternalName), asked upstream: {address}.",
    ),
    "originated_pod": (
        "{container} in pod {pod} {opens} {dst}. The packet carries {carries}, {src}.",
        "Socket in the pod's network namespace: {src} -> {dst}.",
    ),
    "originated_node": (
        "A process on node {node} {opens} {dst}; its packet carries {src}.",
        "Host socket; source {src} is the address of the interface the route chooses.",
    ),
    "originated_outside": (
        "A client outside the cluster, {src}, {opens} {dst}.",
        "Outside client {src} -> {dst}.",
    ),
    "loopback": (
        "{address} is the pod itself: the packet turns round inside the pod and never reaches a cable.",
        "Route table local: {address} dev lo; no veth, no node, no policy.",
    ),
    "no_family": (
        "{address} is an {kind} address and {pod} has none of that kind: it has no way there.",
        "connect: network is unreachable; no {kind} address in {pod}.",
    ),
    "node_no_family": (
        "{address} is an {kind} address and node {node} has none of that kind: it has no way there.",
        "connect: network is unreachable; no {kind} address on {node}.",
    ),
    "node_unrouted": (
        "Node {node} has no way to {address}: {why}.",
        "No route to {address} on {node}: {why}.",
    ),
    "link_cut": (
        "The network between nodes {near} and {target} is cut: the packet is lost, though both nodes look well.",
        "No packet passes from {near} to {target}; the API server sees neither.",
    ),
    "pod_unrouted": (
        "{address} lies in the range of pod addresses, but no node has that part of it: the packet leads nowhere.",
        "No route of {node} covers {address}; lost.",
    ),
    "framed_neighbour": (
        "{target} is on the same bridge, so {pod} addresses the frame straight to it.",
        "ARP for {target} on eth0; the frame's destination MAC is the peer pod's.",
    ),
    "framed_gateway": (
        "{pod} hands the packet to its node: the bridge, {target}, is its way out.",
        "Default route via {target} (cni0); the frame's destination MAC is the bridge's.",
    ),
    "framed": ("The packet gets an Ethernet header for the next cable.", "New Ethernet header {src} -> {dst}."),
    "reframed": (
        "On a new piece of network the packet gets new card addresses; its IP addresses stay.",
        "Layer-2 rewrite: {src} -> {dst}.",
    ),
    "received": ("Node {node} takes the packet from {iface}.", "Received on {iface}; conntrack state NEW."),
    "received_pod": (
        "Pod {pod} gets the packet; the sender it sees is {src}.",
        "Received on eth0 of {pod}, source {src}.",
    ),
    "load_balanced": (
        "{address}:{port} is Service {service}: {door}. The rules on node {node} {drawn}: {pod}.{keeps}",
        "kube-proxy on {node}: {service}, list {choice}, {candidate_s}, p = {probability:.4f}, drew {random}.{keeps}",
    ),
    "dnat": (
        "Node {node} rewrites the destination: {old} becomes {new}. From here on it is an ordinary pod packet.",
        "DNAT {old} -> {new} on {node}; conntrack will turn the reply back.",
    ),
    "no_endpoints": (
        "Service {service} leads to nobody: {lack}. Node {node} refuses at once.",
        "No endpoint anywhere for {service}, {lack}: rejected on {node}.",
    ),
    "no_local_endpoint_refused": (
        "Service {service} may only use pods on node {node} and has none there: {node} refuses at once.",
        "Policy Local and no endpoint for {service} on {node}: refused by IPVS.",
    ),
    "no_local_endpoint": (
        "Service {service} only allows pods on node {node} itself, and there is none: the packet is thrown away silently.",
        "Local traffic policy, no endpoint on {node}: DROP.",
    ),
    "source_range": (
        "Service {service} lets only {ranges} use its load balancer address; {source} is not among them, so it is thrown away.",
        "loadBalancerSourceRanges {ranges}: {source} dropped on {node}.",
    ),
    "vip_port_unknown": (
        "Service {service} has no port {port}/{proto} (it has {ports}); no rule rewrites the packet and it is lost.",
        "No kube-proxy rule for port {port}/{proto} on {service}; {mode} mode lets it fall through to the default route.",
    ),
    "vip_port_refused": (
        "Service {service} has no port {port}/{proto} (it has {ports}); the node refuses it.",
        "{mode} mode rejects ports a ClusterIP does not have.",
    ),
    "vip_icmp_refused": (
        "{address} is the address of Service {service}: only its ports lead anywhere. The rules of node {node} refuse everything else for it, a ping too.",
        "cluster-ips-check on {node}: ip daddr @cluster-ips reject.",
    ),
    "vip_icmp": (
        "A ping to {address} gets no answer: a Service address is only a rule for its ports, no machine has it.",
        "No rule for ICMP on {service}; nothing owns {address}.",
    ),
    "vip_unrouted": (
        "No machine has {address} and no rule rewrites it: the packet leads nowhere.",
        "{address} lies in the Service range, no rule matched on {node}; lost on the default route.",
    ),
    "vip_unallocated": (
        "No Service has {address}, and the rules of node {node} drop what goes to such an address of the Service range.",
        "cluster-ips-check on {node}: {address} lies in the Service range {range} and belongs to no Service: drop.",
    ),
    "unroutable": (
        "No router carries a packet to {address}: {why}.",
        "{address} cannot be routed on {node}: {why}.",
    ),
    "service_untouched": (
        "{address} is an address of Service {service}, but no rule of node {node} is asked for this packet: it leaves as it is, no machine has that address, and nobody answers.",
        "{service}: no rule hears {address} on {node} (no endpoints and filter OUTPUT lacks KUBE-EXTERNAL-SERVICES, or no ClusterIP of this family).",
    ),
    "host_port": (
        "Port {old} of node {node} is the hostPort of pod {pod}: the destination becomes {new}.",
        "CNI portmap on {node}: DNAT {old} -> {new} for {pod}.",
    ),
    "switched_dnat": (
        "After the rewrite the receiver is on the same bridge: only the address of the receiver's card changes, TTL untouched.",
        "Bridged on after DNAT: destination MAC of {address}, no routing, TTL untouched.",
    ),
    "switched": (
        "Both pods hang on the same bridge: it passes the frame on like a network switch. Nothing is rewritten.",
        "Layer-2 switching on cni0 to {address}; IP header and TTL untouched.",
    ),
    "routed_local": ("{address} is node {node} itself.", "Route table local: INPUT on {node}."),
    "routed_bridge": (
        "{address} is a pod on node {node}: out through the bridge to it.",
        "{route}: to cni0 on {node}; {ttl}.",
    ),
    "routed_overlay": (
        "{address} is a pod on node {target}: the route says over the overlay network.",
        "{route}; {ttl}.",
    ),
    "routed_direct": (
        "{address} is a pod on node {target}: the route says straight to that node, nothing is wrapped.",
        "{route} (host-gw); {ttl}.",
    ),
    "routed_onlink": ("{address} is node {target}, on the same network as {node}.", "{route}."),
    "routed_beside": (
        "{address} is no machine of the cluster, but on the same network as node {node}: the packet goes straight to it.",
        "{route}: on-link, none of the cluster's nodes.",
    ),
    "routed_default": (
        "{address} is not in the cluster: the packet goes out by the default route of node {node}.",
        "{route}: leaves the cluster.",
    ),
    "policy_not_isolated": (
        "No NetworkPolicy selects {pod} for {way}, so everything may pass.",
        "{pod} is not isolated for {way}.",
    ),
    "policy_allowed": (
        "A NetworkPolicy guards {pod}, and one of its rules allows this {way}.",
        "{way} of {pod}: allowed by {allowed_by}; isolated by {policies}.",
    ),
    "policy_own_node": (
        "A pod's own node may always talk with it, whatever the policies say.",
        "{peer} belongs to {pod}'s node: exempt.",
    ),
    "policy_itself": ("A pod always reaches itself.", "Source and destination are {pod}: exempt."),
    "policy_host_network": ("Policies do not guard pods that use the node's network.", "{pod} is hostNetwork: exempt."),
    "policy_not_enforced": (
        "Nothing in this cluster enforces NetworkPolicy: it is only text here.",
        "The network plugin does not enforce NetworkPolicy.",
    ),
    "policy_denied": (
        "NetworkPolicy {policies} keeps {pod} shut: no rule allows this {way} ({peer}, port {port}), so the packet is dropped.",
        "{way} of {pod} denied by {policies}; nearest miss: {nearest}.",
    ),
    "masqueraded": (
        "Node {node} puts its own address, {address}, as sender, because {why}: so the answer comes back here.",
        "MASQUERADE to {address} ({dev}): {why}.",
    ),
    "masqueraded_egress": (
        "Leaving the pod network, the packet gets the node's address {address} as sender: whoever is no pod need not know the way to one.",
        "Egress MASQUERADE to {address} on {node}.",
    ),
    "session_made": (
        "Node {node} remembers this connection, so that the answer finds its way back.",
        "conntrack entry on {node} ({nat}).",
    ),
    "encapsulated": (
        "The packet is wrapped in another one from node to node: {near} to {far}. The inside is not touched.",
        "VXLAN {vni}: outer {near} -> {far} UDP {port}.",
    ),
    "encapsulated_other": (
        "The packet is wrapped in another one from node to node ({kind}): {near} to {far}. The inside is not touched.",
        "{kind}: outer {near} -> {far}, {overhead} bytes more.",
    ),
    "decapsulated": (
        "Node {node} unwraps the packet: inside, sender and receiver are as they were, {src} to {dst}.",
        "Outer headers removed; inner {src} -> {dst}.",
    ),
    "wire": ("Over the cable to node {target}.", "Packet {src} -> {dst} on the node network."),
    "wire_encapsulated": (
        "On the cable only the nodes are visible: {src} to {dst}. The pod's packet rides inside.",
        "Outer packet {src} -> {dst} on the node network.",
    ),
    "delivered": (
        "{container} in pod {pod} listens on port {port} and answers. It sees {src} as its caller.",
        "Socket on {port}; peer {src}.",
    ),
    "delivered_in_pod": (
        "{container} in the same pod listens on port {port}: containers of a pod share one address and one port space.",
        "Loopback socket on {port} in {pod}.",
    ),
    "delivered_host": (
        "Pod {pod} uses the network of node {node} itself and listens on port {port}.",
        "hostNetwork socket on {port}; peer {src}.",
    ),
    "delivered_node": (
        "A process of node {node} listens on port {port}: a Service names this address as its endpoint.",
        "Host socket on {port}; peer {src}.",
    ),
    "health_check": (
        "kube-proxy on node {node} says how many ready pods of {service} are here, {count}: HTTP {status}.",
        "healthCheckNodePort of {service}: {local_s}, {status}.",
    ),
    "proxy_circle": (
        "The request leads from one Ingress controller to the next and never to an application.",
        "Proxy loop through {pod}.",
    ),
    "ping_answered": ("{pod} answers the ping.", "ICMP echo reply from {pod}."),
    "nobody_listening": (
        "Nothing in pod {pod} listens on {atport}: its kernel refuses the connection.",
        "{refusal}: no {proto} socket on {port} in {pod}.",
    ),
    "nobody_listening_node": (
        "Nothing on node {node} listens on {atport}, and {nodeport}.",
        "{refusal} from {node}: no {proto} socket on {port}; {nodeport}.",
    ),
    "pod_unaddressed": (
        "There is nobody to call yet: {why}.",
        "No address: {why}.",
    ),
    "pod_not_running": ("Pod {pod} is {phase}: no process is there to answer.", "{pod} phase {phase}."),
    "pod_gone": (
        "No pod on node {node} has the address {address}; nobody answers for it.",
        "ARP for {address} on cni0 of {node} gets no answer; host unreachable after some seconds.",
    ),
    "node_down": ("Node {node} is down: whatever is sent to it is lost.", "{node} does not answer."),
    "ttl_expired": ("The packet has been passed on too often and is thrown away.", "TTL 0 on {node}."),
    "hairpin_off": (
        "The Service chose the caller itself, and this bridge never sends a packet back through the door it came in by.",
        "hairpin_mode is off on the bridge port of {pod}: dropped.",
    ),
    "mtu_exceeded": (
        "The packet of {length} bytes is too large for the way on (at most {mtu}) and may not be split.",
        "{length} > {mtu} with DF on {node}: ICMP fragmentation needed.",
    ),
    "exited": (
        "The packet reaches {address} outside the cluster; that server sees {src} as its caller.",
        "Left the cluster with source {src}.",
    ),
    "handed_on": (
        "{old} is the address of node {node} outside: the provider's gateway leads the packet to it, as {new}.",
        "ExternalIP {old} of {node}: translated to {new}.",
    ),
    "reply_bypasses": (
        "Node {node} rewrites {called} to {receiver} and keeps the sender: {receiver} on another node will answer {src} directly, with an address {src} never called, and {src} throws the answer away.",
        "DNAT without masquerade on {node}, receiver elsewhere: the reply does not pass {node}, nothing undoes the DNAT.",
    ),
    "hung": (
        "The datagram reaches the socket of pod {pod}, but its process hangs and never reads it.",
        "Queued on port {port} of {pod}; the process reads nothing.",
    ),
    "hung_request": (
        "Pod {pod} takes the connection, for its kernel does that alone, but the process hangs: the request gets no answer.",
        "Handshake done by the kernel of {pod}; the request on port {port} is never read.",
    ),
    "no_way_back": (
        "The packet reaches node {node} with the pod address {src}, to which {node} has no route: whatever answers here is lost.",
        "No masquerade on the way, no route to {src} on {node}: any reply is lost.",
    ),
    "no_egress_nat": (
        "The packet leaves with the pod address {src}, which nobody outside can answer to.",
        "No masquerade on {node}; no route back to {src}.",
    ),
    "unroutable_outside": (
        "{address} is {what}: routers outside the cluster do not know it.",
        "No route from outside to {address}.",
    ),
    "balancer_chose": (
        "The load balancer of {service} passes the connection to node {node}, 1 of {count} that are fit for it.",
        "Balancer picked {node} of {count} (externalTrafficPolicy {policy}).",
    ),
    "balancer_port_unknown": (
        "The load balancer of {service} has no port {port} (it has {ports}): nobody takes the packet.",
        "No listener for {port} on the balancer of {service}.",
    ),
    "no_lb_backend": (
        "No node passes the health check of {service}: the load balancer has nowhere to send.",
        "All nodes fail the health check of {service}.",
    ),
    "balancer_proxied": (
        "This balancer opens a connection of its own from {address} to node port {target}.",
        "ipMode Proxy: {address} -> {target}.",
    ),
    "proxy_chose": (
        "The Ingress controller reads the request for {host}{path}, finds its rule, and picks pod {pod} of Service {service}.",
        "{controller}: {host}{path} -> {service}, {endpoint_s}, picked {pod}.",
    ),
    "proxied": (
        "The client's connection ends here. The {proxy} opens a new one from {source} straight to the pod {target}: the Service's address is not used.",
        "Second connection {source} -> {target}; X-Forwarded-For: {client}.",
    ),
    "gateway_chose": (
        "The gateway reads the request for {host}{path}: rule {index} of HTTPRoute {route} takes it, {share} of its requests go to Service {service}, and pod {pod} is picked.",
        "{controller}: {host}{path} -> {route} rule {index} -> {service} ({share}), {endpoint_s}, picked {pod}.",
    ),
    "tls_ended": (
        "TLS ends here: the {proxy} shows its certificate ({certificate}). Behind it the request travels as plain HTTP.",
        "TLS terminated, certificate {certificate}.",
    ),
    "no_route_rule": (
        "No route takes {host}{path}: the gateway answers 404 itself ({why}).",
        "404 for {host}{path}: {why}.",
    ),
    "no_listener": (
        "The Gateway does not listen there: {why}.",
        "No listener: {why}.",
    ),
    "backend_invalid": (
        "The rule for {host}{path} leads nowhere: {why}. The gateway answers {status}.",
        "{why}: {status}.",
    ),
    "redirected": (
        "The {proxy} answers the request for {host}{path} itself: go to {location} ({status}).",
        "{status} Location: {location}.",
    ),
    "no_ingress_rule": (
        "No Ingress rule fits {host}{path}: the controller answers 404 itself.",
        "No rule and no default backend for {host}{path}: 404.",
    ),
    "proxy_no_endpoints": (
        "The rule leads to Service {service}, but {why}: the {proxy} answers 503.",
        "{service} port {port}: {why}; 503.",
    ),
    "dns_blocked": (
        "The name {name} cannot be looked up: the question to DNS itself is not answered ({why}).",
        "DNS query for {name} failed: {why}.",
    ),
    "name_not_found": (
        "The name {name} leads nowhere, so no connection is tried: {why}.",
        "{name}: {why}.",
    ),
    "no_lb_provider": ("There is no address to call: {why}.", "{why}."),
    "no_ingress_controller": ("There is no address to call: {why}.", "{why}."),
    "answered": ("{place} answers.", "Reply leaves {place}."),
    "answered_handshake": (
        "The kernel of {place} answers the handshake; the request itself will get no answer.",
        "Handshake reply leaves {place}; nothing follows.",
    ),
    "answered_error": ("{place} answers with HTTP {status}.", "HTTP {status} from {place}."),
    "refused_reply": ("{place} answers with a refusal.", "{refusal} from {place}."),
    "reply_delivered": (
        "{arrival}",
        "{answer} delivered at {place}, source {src}.",
    ),
    "reply_session": ("The node knows this connection and lets the answer pass.", "conntrack hit at {place}, no NAT."),
    "un_nat": (
        "Node {node} remembers what it rewrote and turns it back: {changes}.",
        "conntrack reverse NAT on {node}: {changes}.",
    ),
    "reply_permitted": (
        "Answers need no rule of their own: policy was judged when the connection began.",
        "{state}: not judged again.",
    ),
    "reply_forwarded": ("{place} passes the answer on.", "Forwarded at {place}."),
    "reply_encapsulated": ("The answer is wrapped for the way between the nodes.", "Outer headers put on at {place}."),
    "reply_decapsulated": ("{place} unwraps the answer.", "Outer headers taken off at {place}."),
    "reply_proxied": (
        "The proxy passes the answer on in the client's own connection.",
        "Proxied back at {place}.",
    ),
    **ONGOING,
}
