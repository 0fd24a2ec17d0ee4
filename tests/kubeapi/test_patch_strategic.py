"""Strategic merge patches: lists merge by the keys of the published schemas, and every directive does its work."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.kubeapi.patch import PatchError, strategic_merge
from clusterviz.kubeapi.schema import ANY, schema_for

DEPLOYMENT = schema_for(("apps", "v1", "Deployment"))
SERVICE = schema_for(("", "v1", "Service"))
NODE = schema_for(("", "v1", "Node"))


def deployment(*containers, **spec):
    return {"spec": {"template": {"spec": {"containers": list(containers)}}, **spec}}


def containers(obj):
    return obj["spec"]["template"]["spec"]["containers"]


def test_a_container_is_found_by_its_name():
    old = deployment({"name": "web", "image": "nginx:1", "tty": True}, {"name": "log", "image": "fluent"})
    new = strategic_merge(old, deployment({"name": "web", "image": "nginx:2"}), DEPLOYMENT)
    assert containers(new) == [
        {"name": "web", "image": "nginx:2", "tty": True},
        {"name": "log", "image": "fluent"},
    ]


def test_a_new_container_stands_after_the_old_and_null_removes_a_field():
    old = deployment({"name": "web", "image": "nginx:1", "tty": True})
    patch = deployment({"name": "web", "tty": None}, {"name": "log", "image": "fluent", "tty": None})
    assert containers(strategic_merge(old, patch, DEPLOYMENT)) == [
        {"name": "web", "image": "nginx:1"},
        {"name": "log", "image": "fluent"},
    ]


def test_a_container_that_the_patch_alone_names_stands_first():
    new = strategic_merge(deployment({"name": "web"}), deployment({"name": "log"}), DEPLOYMENT)
    assert [item["name"] for item in containers(new)] == ["log", "web"]


def test_patch_delete_and_replace_of_elements():
    old = deployment({"name": "web"}, {"name": "log"})
    gone = strategic_merge(old, deployment({"name": "log", "$patch": "delete"}), DEPLOYMENT)
    assert containers(gone) == [{"name": "web"}]
    other = strategic_merge(old, deployment({"$patch": "replace"}, {"name": "new"}), DEPLOYMENT)
    assert containers(other) == [{"name": "new"}]


def test_patch_replace_of_a_map():
    old = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    new = strategic_merge(old, {"metadata": {"labels": {"$patch": "replace", "c": "3"}}}, DEPLOYMENT)
    assert new == {"metadata": {"labels": {"c": "3"}}}
    assert strategic_merge(old, {"metadata": {"labels": {"$patch": "delete"}}}, DEPLOYMENT) == {
        "metadata": {"labels": {}}
    }


def test_a_directive_for_a_map_that_is_not_there_does_nothing():
    patch = {"spec": {"template": {"spec": {"nodeSelector": {"$patch": "replace", "a": "b"}}}}}
    assert strategic_merge(deployment({"name": "web"}), patch, DEPLOYMENT) == deployment({"name": "web"})


def test_retain_keys_drops_what_the_other_strategy_needed():
    old = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic_merge(old, patch, DEPLOYMENT) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_delete_from_a_primitive_list():
    old = {"metadata": {"finalizers": ["a", "b", "c"]}}
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["b"], "finalizers": ["d"]}}
    assert strategic_merge(old, patch, DEPLOYMENT) == {"metadata": {"finalizers": ["d", "a", "c"]}}


def test_set_element_order_orders_and_leaves_the_servers_own_where_they_were():
    old = deployment({"name": "a"}, {"name": "injected"}, {"name": "b"})
    patch = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}], "containers": [{"name": "a", "tty": True}]}
    new = strategic_merge(old, {"spec": {"template": {"spec": patch}}}, DEPLOYMENT)
    assert containers(new) == [{"name": "injected"}, {"name": "b"}, {"name": "a", "tty": True}]


def test_a_renamed_container_stands_where_the_old_one_left_room():
    old = deployment({"name": "old"}, {"name": "injected"})
    changes = [{"name": "old", "$patch": "delete"}, {"name": "new"}]
    patch = {"$setElementOrder/containers": [{"name": "new"}], "containers": changes}
    new = strategic_merge(old, {"spec": {"template": {"spec": patch}}}, DEPLOYMENT)
    assert containers(new) == [{"name": "injected"}, {"name": "new"}]


def test_ports_of_a_service_merge_by_port_and_a_plain_list_is_replaced():
    old = {"spec": {"ports": [{"port": 80, "nodePort": 30080}], "externalIPs": ["1.1.1.1"]}}
    patch = {"spec": {"ports": [{"port": 80, "name": "web"}, {"port": 443}], "externalIPs": ["2.2.2.2"]}}
    assert strategic_merge(old, patch, SERVICE) == {
        "spec": {"ports": [{"port": 80, "nodePort": 30080, "name": "web"}, {"port": 443}], "externalIPs": ["2.2.2.2"]}
    }


def test_taints_have_no_merge_key_so_cordon_and_taint_send_the_whole_list():
    old = {"spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}
    patch = {"spec": {"unschedulable": True, "taints": [{"key": "b", "effect": "NoExecute"}]}}
    assert strategic_merge(old, patch, NODE) == patch


def test_without_a_schema_lists_are_replaced():
    assert strategic_merge({"spec": {"list": [{"name": "a"}]}}, {"spec": {"list": [{"name": "b"}]}}, ANY) == {
        "spec": {"list": [{"name": "b"}]}
    }


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        (deployment({"image": "x"}), "does not contain declared merge key: name"),
        (deployment(["x"]), "lists of lists"),
        (deployment("x"), "without merge key"),
        (deployment({"name": "web", "$patch": "merge"}), "$patch"),
        ({"spec": {"$patch": "blend"}}, 'Unrecognized $patch directive "blend"'),
        ({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}}, "lacks rollingUpdate"),
        ({"spec": {"strategy": {"$retainKeys": "type"}}}, "must be a list"),
        ({"metadata": {"$deleteFromPrimitiveList/finalizers": "x"}}, "must be a list"),
        ({"metadata": {"$setElementOrder/finalizers": "x"}}, "must be a list"),
        ({"metadata": {"$setElementOrder/finalizers": ["a"], "finalizers": ["b"]}}, "order in patch list"),
        ("text", "must be an object"),
    ],
)
def test_what_does_not_fit_is_said(patch, words):
    with pytest.raises(PatchError) as caught:
        strategic_merge(deployment({"name": "web"}), patch, DEPLOYMENT)
    assert words in str(caught.value)


NAMES = st.sampled_from(["a", "b", "c", "d"])
CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": NAMES}, optional={"image": NAMES, "tty": st.booleans()}),
    unique_by=lambda item: item["name"],
    max_size=4,
)
SPECS = st.fixed_dictionaries(
    {"containers": CONTAINERS},
    optional={"hostname": NAMES, "nodeSelector": st.dictionaries(NAMES, NAMES, min_size=1, max_size=2)},
)


def fields_patch(old, new):
    gone = {key: None for key in old if key not in new}
    return gone | {key: value for key, value in new.items() if old.get(key) != value}


def kubectls_patch(old, new):
    """The patch that kubectl computes for two pod specs."""
    patch = fields_patch(old, new)
    if isinstance(new.get("nodeSelector"), dict):
        patch["nodeSelector"] = fields_patch(old.get("nodeSelector", {}), new["nodeSelector"])
    before = {item["name"]: item for item in old["containers"]}
    after = {item["name"] for item in new["containers"]}
    changes = [{**fields_patch(before.get(item["name"], {}), item), "name": item["name"]} for item in new["containers"]]
    gone = [{"$patch": "delete", "name": name} for name in before if name not in after]
    order = [{"name": item["name"]} for item in new["containers"]]
    return patch | {"containers": changes + gone, "$setElementOrder/containers": order}


@given(SPECS, SPECS)
def test_the_patch_that_kubectl_computes_gives_the_target(old, new):
    pod = schema_for(("", "v1", "Pod"))
    source = json.dumps(old)
    assert strategic_merge({"spec": old}, {"spec": kubectls_patch(old, new)}, pod) == {"spec": new}
    assert json.dumps(old) == source
