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
