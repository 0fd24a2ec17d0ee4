"""Server-side apply and managedFields: who owns a field, who may change it, and when it goes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusterviz.kubeapi.patch import ApplyConflict, PatchError, managed, server_side_apply
from clusterviz.kubeapi.patch.fields import from_fields_v1, to_fields_v1
from clusterviz.kubeapi.schema import schema_for

DEPLOYMENT = schema_for(("apps", "v1", "Deployment"))
CONFIG_MAP = schema_for(("", "v1", "ConfigMap"))
NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:05:00Z"


def config(data, **meta):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", **meta}, "data": data}


def deployment(**spec):
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


def pod(*containers):
    return {"template": {"spec": {"containers": list(containers)}}}


def apply(live, applied, manager, *, force=False, schema=CONFIG_MAP, now=NOW, **kwargs):
    obj, fields = server_side_apply(live, applied, manager, force, schema, now=now, **kwargs)
    obj["metadata"]["managedFields"] = fields
    return obj


def write(live, changed, manager, schema=CONFIG_MAP, **kwargs):
    changed = json.loads(json.dumps(changed))
    changed["metadata"]["managedFields"] = managed.update(live, changed, manager, schema, now=LATER, **kwargs)
    return changed


def owned(obj, manager):
    entries = [entry for entry in obj["metadata"]["managedFields"] if entry["manager"] == manager]
    return entries[0]["fieldsV1"] if entries else {}


def test_an_applier_owns_what_it_said():
    obj = apply(None, deployment(replicas=2, **pod({"name": "a", "ports": [{"containerPort": 80}]})), "me",
                schema=DEPLOYMENT)  # fmt: skip
    assert obj["metadata"]["managedFields"] == [
        {
            "manager": "me",
            "operation": "Apply",
            "apiVersion": "apps/v1",
            "time": NOW,
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:spec": {
                    "f:replicas": {},
                    "f:template": {
                        "f:spec": {
                            "f:containers": {
                                'k:{"name":"a"}': {
                                    ".": {},
                                    "f:name": {},
                                    "f:ports": {
                                        'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}
                                    },
                                }
                            }
                        }
                    },
                }
            },
        }
    ]


def test_two_appliers_share_an_object_and_each_keeps_its_own():
    obj = apply(apply(None, config({"a": "1"}), "one"), config({"b": "2"}), "two")
    assert obj["data"] == {"a": "1", "b": "2"}
    assert owned(obj, "one") == {"f:data": {"f:a": {}}}
    assert owned(obj, "two") == {"f:data": {"f:b": {}}}


def test_a_different_value_is_a_conflict_and_the_same_value_is_shared():
    obj = apply(None, config({"a": "1"}), "one")
    with pytest.raises(ApplyConflict) as caught:
        apply(obj, config({"a": "2"}), "two")
    assert str(caught.value) == 'Apply failed with 1 conflict: conflict with "one": .data.a'
    assert [(item.field, item.message) for item in caught.value.conflicts] == [(".data.a", 'conflict with "one"')]
    shared = apply(obj, config({"a": "1"}), "two")
    assert owned(shared, "one") == owned(shared, "two") == {"f:data": {"f:a": {}}}


def test_several_conflicts_are_listed_by_manager():
    obj = apply(None, deployment(replicas=1, **pod({"name": "a", "image": "x"})), "one", schema=DEPLOYMENT)
    obj = write(obj, obj | {"spec": obj["spec"] | {"replicas": 5}}, "scaler", DEPLOYMENT, subresource="scale")
    with pytest.raises(ApplyConflict) as caught:
        apply(obj, deployment(replicas=3, **pod({"name": "a", "image": "y"})), "two", schema=DEPLOYMENT)
    assert str(caught.value) == (
        'Apply failed with 2 conflicts: conflicts with "one":\n'
        '- .spec.template.spec.containers[name="a"].image\n'
        'conflicts with "scaler" with subresource "scale" using apps/v1:\n'
        "- .spec.replicas"
    )


def test_force_takes_the_field_from_its_owner():
    obj = apply(apply(None, config({"a": "1", "b": "1"}), "one"), config({"a": "2"}), "two", force=True)
    assert obj["data"] == {"a": "2", "b": "1"}
    assert owned(obj, "one") == {"f:data": {"f:b": {}}}
    assert owned(obj, "two") == {"f:data": {"f:a": {}}}


def test_a_field_the_applier_gave_up_goes_unless_another_owns_it():
    obj = apply(apply(None, config({"a": "1", "b": "1"}), "one"), config({"b": "1"}), "two")
    obj = apply(obj, config({}), "one")
    assert obj["data"] == {"b": "1"}
    assert owned(obj, "one") == {"f:data": {}}
    assert owned(obj, "two") == {"f:data": {"f:b": {}}}


def test_a_container_goes_with_its_only_owner_but_a_default_in_a_kept_one_stays():
    first = apply(None, deployment(**pod({"name": "a"}, {"name": "b", "image": "x"})), "me", schema=DEPLOYMENT)
    first["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always"
    first["spec"]["template"]["spec"]["containers"][1]["imagePullPolicy"] = "Always"
    second = apply(first, deployment(**pod({"name": "a"})), "me", schema=DEPLOYMENT)
    assert second["spec"] == pod({"name": "a", "imagePullPolicy": "Always"})


@pytest.mark.parametrize(
    ("live", "applied", "expected"),
    [
        (["a", "b"], ["c"], ["a", "b", "c"]),
        (["a", "x", "b"], ["b", "a"], ["x", "b", "a"]),
        (["a", "x", "b"], ["a", "c", "b"], ["a", "x", "c", "b"]),
    ],
)
def test_applied_elements_stand_in_the_appliers_order_after_those_that_stood_before_them(live, applied, expected):
    obj = apply(None, deployment(**pod(*({"name": name} for name in live))), "one", schema=DEPLOYMENT)
    obj = apply(obj, deployment(**pod(*({"name": name} for name in applied))), "two", schema=DEPLOYMENT)
    assert [item["name"] for item in obj["spec"]["template"]["spec"]["containers"]] == expected


def test_an_ordinary_write_takes_ownership_of_what_it_changed_only():
    obj = apply(None, config({"a": "1", "b": "1"}), "one")
    new = write(obj, obj | {"data": {"a": "2", "b": "1", "c": "3"}}, "kubectl-edit")
    assert owned(new, "one") == {"f:data": {"f:b": {}}}
    assert owned(new, "kubectl-edit") == {"f:data": {"f:a": {}, "f:c": {}}}
    gone = write(new, config({"b": "1"}, managedFields=new["metadata"]["managedFields"]), "kubectl-edit")
    assert owned(gone, "kubectl-edit") == {}


def test_creating_by_an_ordinary_write_owns_everything_but_the_structs_that_are_always_there():
    spec = deployment(replicas=1, selector={"matchLabels": {"a": "b"}}, **pod({"name": "a"}))
    spec["metadata"] |= {"labels": {"x": "y"}, "uid": "1", "resourceVersion": "7"}
    obj = write(None, spec | {"status": {"replicas": 0}}, "kubectl-create", DEPLOYMENT)
    assert owned(obj, "kubectl-create") == {
        "f:metadata": {"f:labels": {".": {}, "f:x": {}}},
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:template": {"f:spec": {"f:containers": {'k:{"name":"a"}': {".": {}, "f:name": {}}}}},
        },
    }


def test_status_belongs_to_the_status_subresource():
    obj = write(None, deployment(replicas=1), "kubectl-create", DEPLOYMENT)
    new = write(obj, obj | {"status": {"replicas": 1}}, "controller", DEPLOYMENT, subresource="status")
    assert owned(new, "controller") == {"f:status": {"f:replicas": {}}}
    assert [entry.get("subresource") for entry in new["metadata"]["managedFields"]].count("status") == 1


def test_fields_that_nobody_tracked_belong_to_before_first_apply():
    with pytest.raises(ApplyConflict, match="before-first-apply"):
        apply(config({"a": "1"}), config({"a": "2"}), "me")
    assert owned(apply(config({"a": "1"}), config({"a": "1"}), "me"), "before-first-apply") == {
        "f:data": {".": {}, "f:a": {}}
    }


def test_kubectl_may_take_over_what_client_side_apply_set():
    note = json.dumps(config({"a": "1"}))
    live = write(
        None,
        config({"a": "1", "b": "1"}, annotations={"kubectl.kubernetes.io/last-applied-configuration": note}),
        "kubectl-client-side-apply",
    )
    assert apply(live, config({"a": "2"}), "kubectl")["data"] == {"a": "2", "b": "1"}
    with pytest.raises(ApplyConflict):
        apply(live, config({"a": "2"}), "other")
    with pytest.raises(ApplyConflict) as caught:
        apply(live, config({"a": "2", "b": "2"}), "kubectl")
    assert [item.field for item in caught.value.conflicts] == [".data.b"]


def test_many_writers_become_ancient_changes():
    obj = config({})
    for at in range(15):
        before = obj if at else None
        obj = write(before, config({**obj["data"], f"k{at}": "v"}, managedFields=obj["metadata"].get("managedFields")),
                    f"writer-{at}")  # fmt: skip
    assert len(obj["metadata"]["managedFields"]) == 10
    everything = frozenset().union(
        *(owner.fields for owner in managed.decode(obj["metadata"]["managedFields"]).values())
    )
    assert {("f:data", f"f:k{at}") for at in range(15)} <= everything


def test_a_client_may_replace_or_clear_the_managed_fields():
    obj = write(None, config({"a": "1"}), "kubectl-client-side-apply")
    renamed = json.loads(json.dumps(obj).replace("kubectl-client-side-apply", "kubectl"))
    assert [entry["manager"] for entry in managed.update(obj, renamed, "kubectl", CONFIG_MAP, now=NOW)] == ["kubectl"]
    cleared = obj | {"metadata": {"name": "c", "managedFields": [{}]}}
    assert managed.update(obj, cleared, "kubectl", CONFIG_MAP, now=NOW) == []


@pytest.mark.parametrize(
    ("applied", "words"),
    [
        (deployment(**pod({"image": "x"})), 'omits key field "name"'),
        (deployment(**pod({"name": "a"}, {"name": "a"})), 'duplicate entries for key [name="a"]'),
        (deployment(**pod("a")), "non-map elements"),
        ({"metadata": {"managedFields": [{}]}}, "metadata.managedFields must be nil"),
    ],
)
def test_what_cannot_be_applied_is_said(applied, words):
    with pytest.raises(PatchError) as caught:
        apply(None, applied, "me", schema=DEPLOYMENT)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "entries", ["x", [1], [{"operation": "Steal"}], [{"operation": "Apply", "fieldsV1": {"x": 1}}]]
)
def test_malformed_managed_fields_are_refused(entries):
    with pytest.raises(PatchError):
        managed.decode(entries)


NAMES = st.sampled_from(["a", "b", "c"])
CONTAINERS = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES},
        optional={"image": NAMES, "ports": st.sampled_from([[{"containerPort": 1}], [{"containerPort": 2}]])},
    ),
    unique_by=lambda item: item["name"],
    min_size=1,
    max_size=3,
)
WISHES = st.builds(
    lambda containers, replicas, labels: {
        **deployment(**replicas, **pod(*containers)),
        "metadata": {"name": "web", "labels": labels},
    },
    CONTAINERS,
    st.fixed_dictionaries({}, optional={"replicas": st.integers(0, 2)}),
    st.dictionaries(NAMES, NAMES, min_size=1, max_size=2),
)
MANAGERS = st.sampled_from(["one", "two", "three"])


def contains(obj, wish):
    if isinstance(wish, dict):
        return all(key in obj and contains(obj[key], value) for key, value in wish.items())
    if isinstance(wish, list):
        return all(any(contains(item, want) for item in obj) for want in wish)
    return obj == wish


def fields_of(obj):
    return managed.decode(obj["metadata"]["managedFields"])


@given(st.lists(st.tuples(MANAGERS, WISHES), min_size=1, max_size=5))
def test_applying_is_idempotent_and_loses_no_ownership_silently(steps):
    obj, last = None, {}
    for manager, wish in steps:
        before = fields_of(obj) if obj else {}
        obj = apply(obj, wish, manager, force=True, schema=DEPLOYMENT)
        assert contains(obj, wish)
        again = apply(obj, wish, manager, schema=DEPLOYMENT, now=LATER)
        assert again == obj
        after = fields_of(obj)
        last[manager] = after[manager, "Apply", "", ""].fields
        for identity, owner in before.items():
            lost = owner.fields - (after[identity].fields if identity in after else frozenset())
            takers = last[manager] | before.get((manager, "Apply", "", ""), owner).fields
            assert identity[0] == manager or lost <= takers


@given(st.lists(st.tuples(MANAGERS, WISHES), min_size=1, max_size=4), WISHES)
def test_every_field_has_an_owner_and_every_owned_field_exists(steps, edit):
    obj = None
    for manager, wish in steps:
        obj = apply(obj, wish, manager, force=True, schema=DEPLOYMENT)
    obj = write(obj, {**edit, "metadata": {**obj["metadata"], **edit["metadata"]}}, "editor", DEPLOYMENT)
    every = frozenset().union(*(owner.fields for owner in fields_of(obj).values()))
    bare = json.loads(json.dumps(obj))
    del bare["metadata"]["managedFields"]
    present = fields_of(write(None, bare, "x", DEPLOYMENT))["x", "Update", "apps/v1", ""].fields
    leaves = {path for path in present if not any(other[: len(path)] == path != other for other in present)}
    assert leaves <= every
    assert every <= present | {path for path in every if path[-1] in {"f:labels", "f:containers", "f:template"}}


PATHS = st.frozensets(st.lists(st.sampled_from(["f:a", "f:b", 'k:{"n":1}', "v:2"]), min_size=1, max_size=4).map(tuple))


@given(PATHS)
def test_fields_v1_keeps_every_path(paths):
    assert from_fields_v1(json.loads(json.dumps(to_fields_v1(paths)))) == paths
