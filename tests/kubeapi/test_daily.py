"""What a person does every day, where the answer is more than one write."""

import asyncio
from urllib.parse import urlsplit

from clusterviz.kubeapi import removing, tokens, wishes
from clusterviz.live.access import Role
from tests.kubeapi.test_api import AUTHORITY, DEPLOYMENTS, MAPS, PODS, config, until_running


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
    assert "Retry-After" not in dict(editor.headers), "clients would wait in silence"
    assert status["details"]["causes"][0]["reason"] == "DisruptionBudget"
    budget["spec"]["minAvailable"] = 2
    assert (await editor.ask("PUT", f"{budgets}/api", budget))[0] == 200
    async with asyncio.timeout(60):  # until the pods are ready, not only running
        while True:
            if (await editor.get(f"{budgets}/api"))["status"].get("disruptionsAllowed") == 1:
                break
            await asyncio.sleep(0.05)
    both = [editor.ask("POST", f"{PODS}/{name}/eviction", {"metadata": {"name": name}}) for name in mine[:2]]
    assert sorted([code for code, _ in await asyncio.gather(*both)]) == [201, 429], "one may go, not two at once"
    assert (await editor.ask("DELETE", f"{budgets}/api"))[0] == 200
    assert (await editor.ask("POST", f"{PODS}/{mine[0]}/eviction", eviction))[0] == 201


async def test_a_large_collection_is_deleted_in_parts(editor, monkeypatch):
    """Others write meanwhile, and no part takes the simulator longer than a request waits."""
    parts = []
    delete = wishes.delete

    def counted(*args, **more):
        parts.append(args[1])
        return delete(*args, **more)

    monkeypatch.setattr(removing, "AT_ONCE", 2)
    monkeypatch.setattr(wishes, "delete", counted)
    for number in range(5):
        assert (await editor.ask("POST", MAPS, config(f"c{number}")))[0] == 201
    code, answer = await editor.ask("DELETE", f"{MAPS}?fieldSelector=metadata.name!={AUTHORITY}")
    assert code == 200 and len(answer["items"]) == 5
    assert [len(part) for part in parts] == [2, 2, 1]
    assert [one["metadata"]["name"] for one in (await editor.get(MAPS))["items"]] == [AUTHORITY]


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


async def test_deleted_endpoints_come_back_as_others(editor):
    """The controller of Endpoints makes them anew, also where nobody is behind the Service."""
    place = "/api/v1/namespaces/shop/endpoints"
    service = {"metadata": {"name": "empty"}, "spec": {"selector": {"app": "none"}, "ports": [{"port": 80}]}}
    assert (await editor.ask("POST", "/api/v1/namespaces/shop/services", service))[0] == 201
    stream = editor.watch(f"{place}?watch=true&fieldSelector=metadata.name=empty")
    await stream.head()
    made = (await stream.event())["object"]
    assert (await editor.ask("DELETE", f"{place}/empty"))[0] == 200
    assert [(await stream.event())["type"] for _ in range(2)] == ["DELETED", "ADDED"]
    again = await editor.get(f"{place}/empty")
    assert "subsets" not in again and again["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]
    mine = {"metadata": {"name": "empty"}, "subsets": [{"addresses": [{"ip": "10.9.9.9"}], "ports": [{"port": 80}]}]}
    assert (await editor.ask("PUT", f"{place}/empty", mine))[0] == 200
    assert (await editor.ask("DELETE", f"{place}/empty"))[0] == 200
    assert [(await stream.event())["type"] for _ in range(3)] == ["MODIFIED", "DELETED", "ADDED"]
    assert "subsets" not in await editor.get(f"{place}/empty")
    assert "v1 Endpoints is deprecated in v1.33+" in dict(editor.headers)["Warning"]
    await stream.close()


async def test_the_same_job_applied_in_two_ways_is_the_same_job(editor):
    """A server-side apply takes a field with a default away; the default fills it in again (its template is fixed)."""
    name = {"name": "NS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}
    pod = {"containers": [{"name": "c", "image": "i", "env": [name]}], "restartPolicy": "Never"}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": {"template": {"spec": pod}}}
    jobs = "/apis/batch/v1/namespaces/shop/jobs"
    assert (await editor.ask("POST", jobs, job))[0] == 201
    media, query = "application/apply-patch+yaml", "fieldManager=two&force=true"
    code, answer = await editor.ask("PATCH", f"{jobs}/once?{query}", job, media=media)
    assert code == 200, answer
    assert answer["metadata"]["generation"] == 1


async def test_what_comes_after_a_service_is_no_reason_to_warn(editor):
    """kubectl applies one object after the other: a Service often stands before its pods."""
    service = {"metadata": {"name": "early"}, "spec": {"selector": {"app": "later"}, "ports": [{"port": 80}]}}
    assert (await editor.ask("POST", "/api/v1/namespaces/shop/services", service))[0] == 201
    assert "Warning" not in dict(editor.headers)


async def test_the_dashboard_hands_out_the_file_of_ones_own_role(editor, shop, async_client, django_user_model):
    """Who is not signed in, or may not change clusters, gets the viewer's; the editor's opens Secrets too."""
    root = await asyncio.to_thread(
        django_user_model.objects.create_superuser, username="root", password="secret-for-tests"
    )
    for role in (Role.VIEWER, Role.EDITOR):
        if role is Role.EDITOR:
            await async_client.aforce_login(root)
        answer = await async_client.get("/clusters/shop/kubeconfig")
        assert answer.status_code == 200
        assert answer["Content-Disposition"] == 'attachment; filename="shop.kubeconfig"'
        assert "no-store" in answer["Cache-Control"]
        (server,) = (line.split(": ", 1)[1] for line in answer.content.decode().splitlines() if "server:" in line)
        assert urlsplit(server).path == f"/k8s/{await asyncio.to_thread(tokens.token_for, shop, role)}"
        editor.token = urlsplit(server).path.rpartition("/")[2]
        assert (await editor.ask("GET", "/api/v1/namespaces/shop/secrets"))[0] == (200 if role is Role.EDITOR else 403)
