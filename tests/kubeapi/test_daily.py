"""What a person does every day, where the answer is more than one write."""

from tests.kubeapi.test_api import DEPLOYMENTS, PODS, until_running


async def test_one_word_changes_the_type_of_a_service(editor):
    place = "/api/v1/namespaces/shop/services/web"
    for kind, ports in (("NodePort", True), ("ClusterIP", False), ("LoadBalancer", True)):
        patch = {"spec": {"type": kind}}
        code, found = await editor.ask("PATCH", place, patch, media="application/merge-patch+json")
        assert code == 200, found
        assert ("nodePort" in found["spec"]["ports"][0]) == ports
        assert ("externalTrafficPolicy" in found["spec"]) == ports
        assert ("allocateLoadBalancerNodePorts" in found["spec"]) == (kind == "LoadBalancer")


async def test_an_eviction_waits_for_its_budget(editor):
    pods = await until_running(editor)
    mine = [one["metadata"]["name"] for one in pods if one["metadata"]["name"].startswith("api-")]
    labels = next(one["metadata"]["labels"] for one in pods if one["metadata"]["name"] == mine[0])
    chosen = {"matchLabels": {"app": labels["app"]}}
    budget = {"metadata": {"name": "api"}, "spec": {"minAvailable": 3, "selector": chosen}}
    budgets = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
    assert (await editor.ask("POST", budgets, budget))[0] == 201
    eviction = {"metadata": {"name": mine[0]}}
    code, status = await editor.ask("POST", f"{PODS}/{mine[0]}/eviction", eviction)
    assert (code, status["reason"]) == (429, "TooManyRequests")
    assert ("Retry-After", "5") in editor.headers and status["details"]["causes"][0]["reason"] == "DisruptionBudget"
    assert (await editor.ask("DELETE", f"{budgets}/api"))[0] == 200
    assert (await editor.ask("POST", f"{PODS}/{mine[0]}/eviction", eviction))[0] == 201


async def test_orphans_stay_without_their_owner(editor):
    before = {one["metadata"]["uid"] for one in await until_running(editor)}
    code, _ = await editor.ask("DELETE", f"{DEPLOYMENTS}/web", {"propagationPolicy": "Orphan"})
    assert code == 200
    sets = (await editor.get("/apis/apps/v1/namespaces/shop/replicasets"))["items"]
    (mine,) = [one for one in sets if one["metadata"]["name"].startswith("web-")]
    assert "ownerReferences" not in mine["metadata"]
    assert {one["metadata"]["uid"] for one in (await editor.get(PODS))["items"]} == before


async def test_a_log_has_the_options_of_kubectl(editor):
    name = (await until_running(editor))[0]["metadata"]["name"]
    for query, words in (("container=none", "not valid"), ("previous=true", "not found"), ("tailLines=x", "tailLines")):
        code, status = await editor.ask("GET", f"{PODS}/{name}/log?{query}")
        assert code == 400 and words in status["message"]
    code, text = await editor.ask("GET", f"{PODS}/{name}/log?limitBytes=5&sinceSeconds=1&timestamps=true")
    assert code == 200 and len(text) <= 5


async def test_what_stands_in_every_cluster_is_listed(editor):
    assert (await editor.get("/api/v1/namespaces/shop/configmaps/kube-root-ca.crt"))["data"] == {"ca.crt": ""}
    assert "subsets" not in await editor.get("/api/v1/namespaces/default/endpoints/kubernetes")
    labels = (await editor.get("/api/v1/nodes/n1"))["metadata"]["labels"]
    assert labels["kubernetes.io/arch"] == "amd64" and labels["kubernetes.io/hostname"] == "n1"
    assert len((await editor.get("/api/v1/nodes?labelSelector=kubernetes.io/arch=amd64"))["items"]) == 3


async def test_an_ingress_whose_address_is_another_one_now_is_told_to_watches(editor):
    pod = {"metadata": {"labels": {"app": "ingress-nginx"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    front = {"selector": {"app": "ingress-nginx"}, "ports": [{"port": 80}], "type": "ClusterIP"}
    made = {
        "ingressclasses": {"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}},
        "ingresses": {
            "metadata": {"name": "i"},
            "spec": {
                "ingressClassName": "nginx",
                "defaultBackend": {"service": {"name": "api", "port": {"number": 80}}},
            },
        },
    }
    networking, core = "/apis/networking.k8s.io/v1", "/api/v1/namespaces/shop"
    assert (await editor.ask("POST", f"{networking}/ingressclasses", made["ingressclasses"]))[0] == 201
    place = f"{networking}/namespaces/shop/ingresses"
    code, ingress = await editor.ask("POST", place, made["ingresses"])
    assert (code, ingress["status"]) == (201, {"loadBalancer": {}})
    stream = editor.watch(f"{place}?watch=true&resourceVersion={ingress['metadata']['resourceVersion']}")
    pod["metadata"]["name"] = "controller"
    assert (await editor.ask("POST", f"{core}/pods", pod))[0] == 201
    service = {"metadata": {"name": "front"}, "spec": {**front, "type": "LoadBalancer"}}
    assert (await editor.ask("POST", f"{core}/services", service))[0] == 201
    await stream.head()
    told = await stream.event()
    assert told["type"] == "MODIFIED" and told["object"]["status"]["loadBalancer"]["ingress"][0]["ip"]
    assert told["object"] == await editor.get(f"{place}/i")
    await stream.close()


async def test_a_pod_of_a_priority_class_that_is_not_there_is_refused(editor):
    spec = {"priorityClassName": "gold", "containers": [{"name": "c", "image": "i"}]}
    pod = {"metadata": {"name": "vip"}, "spec": spec}
    code, status = await editor.ask("POST", PODS, pod)
    words = 'pods "vip" is forbidden: no PriorityClass with name gold was found'
    assert (code, status["reason"], status["message"]) == (403, "Forbidden", words)
    classes = "/apis/scheduling.k8s.io/v1/priorityclasses"
    assert (await editor.ask("POST", classes, {"metadata": {"name": "gold"}, "value": 7}))[0] == 201
    assert (await editor.ask("POST", PODS, pod))[0] == 201
