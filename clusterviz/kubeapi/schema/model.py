"""The part of an OpenAPI schema that patches and validation look at."""

from __future__ import annotations

from typing import Any, Final

import msgspec

__all__ = ["ANY", "Definitions", "Schema", "Walker", "crd_walker"]

REF_PREFIX: Final = "#/$defs/"
# The one key of an associative list that clients leave out; kube-apiserver declares this default for it.
KEY_DEFAULTS: Final = {"protocol": "TCP"}


class GroupVersionKind(msgspec.Struct, frozen=True):
    group: str
    version: str
    kind: str


class Schema(msgspec.Struct, frozen=True):
    """One node of a published schema; descriptions are left in the file."""

    ref: str = msgspec.field(name="$ref", default="")
    type: str | tuple[str, ...] = ()
    format: str = ""
    properties: dict[str, Schema] = {}
    items: Schema | None = None
    additional: Schema | bool = msgspec.field(name="additionalProperties", default=False)
    required: tuple[str, ...] = ()
    enum: tuple[Any, ...] = ()
    one_of: tuple[Schema, ...] = msgspec.field(name="oneOf", default=())
    patch_strategy: str = msgspec.field(name="x-kubernetes-patch-strategy", default="")
    merge_key: str = msgspec.field(name="x-kubernetes-patch-merge-key", default="")
    list_type: str = msgspec.field(name="x-kubernetes-list-type", default="")
    list_keys: tuple[str, ...] = msgspec.field(name="x-kubernetes-list-map-keys", default=())
    map_type: str = msgspec.field(name="x-kubernetes-map-type", default="")
    int_or_string: bool = msgspec.field(name="x-kubernetes-int-or-string", default=False)
    open: bool = msgspec.field(name="x-kubernetes-preserve-unknown-fields", default=False)
    kinds: tuple[GroupVersionKind, ...] = msgspec.field(name="x-kubernetes-group-version-kind", default=())


Definitions = dict[str, Schema]
_NOTHING: Final = Schema()


class Walker(msgspec.Struct, frozen=True):
    """A place in a schema: the field's own node, and what its $ref leads to.

    Both matter: `strategy` of a Deployment says retainKeys beside the $ref, a LabelSelector says atomic behind it.
    """

    definitions: Definitions
    node: Schema = _NOTHING

    @property
    def name(self) -> str:
        """The definition's name behind the $ref ("io.k8s.api.core.v1.PodSpec"), or ""."""
        return self.node.ref.removeprefix(REF_PREFIX)

    @property
    def target(self) -> Schema:
        """The node that says what the value looks like."""
        return self.definitions.get(self.name, _NOTHING) if self.node.ref else self.node

    @property
    def known(self) -> bool:
        """Whether the schema says anything about the value here."""
        return bool(self.types or self.target.properties or self.target.one_of or self.target.int_or_string)

    @property
    def types(self) -> tuple[str, ...]:
        """The JSON types allowed, without null."""
        kind = self.target.type
        return tuple(item for item in ((kind,) if isinstance(kind, str) else kind) if item != "null")

    def declares(self, field: str) -> bool:
        """Whether `field` is a field of a struct here, not a key of a map."""
        return field in self.target.properties

    def field(self, field: str) -> Walker:
        """The place of `field` of a struct, or of any value of a map."""
        target = self.target
        node = target.properties.get(field)
        if node is None and isinstance(target.additional, Schema):
            node = target.additional
        return Walker(self.definitions, node or _NOTHING)

    @property
    def item(self) -> Walker:
        """The place of an element of the list."""
        return Walker(self.definitions, self.target.items or _NOTHING)

    @property
    def list_keys(self) -> tuple[str, ...]:
        """The keys that tell elements of an associative list of objects apart; () for any other list."""
        kind = self.node.list_type or self.target.list_type
        if kind == "map":
            return self.node.list_keys or self.target.list_keys
        if not kind and "merge" in self.strategies and self.merge_key:
            return (self.merge_key,)
        return ()

    @property
    def is_set(self) -> bool:
        """Whether the list is a set of scalars."""
        kind = self.node.list_type or self.target.list_type
        return kind == "set" or (not kind and "merge" in self.strategies and not self.merge_key)

    @property
    def atomic_map(self) -> bool:
        """Whether an object here has one owner as a whole."""
        return "atomic" in {self.node.map_type, self.target.map_type}

    @property
    def strategies(self) -> frozenset[str]:
        """x-kubernetes-patch-strategy, as a set: merge, replace, retainKeys."""
        words = self.node.patch_strategy or self.target.patch_strategy
        return frozenset(words.split(",")) if words else frozenset()

    @property
    def merge_key(self) -> str:
        """The key by which a strategic merge finds an element of this list."""
        return self.node.merge_key or self.target.merge_key


ANY: Final = Walker({})


def crd_walker(openapi_v3_schema: dict[str, Any], definitions: Definitions) -> Walker:
    """The place of a custom resource's root, from `spec.versions[].schema.openAPIV3Schema`.

    `metadata` is ObjectMeta, whatever the schema says about it. Raises ValueError when it is no schema.
    """
    try:
        root = msgspec.convert(openapi_v3_schema, Schema)
    except msgspec.ValidationError as error:
        raise ValueError(f"spec.versions.schema.openAPIV3Schema: {error}") from error
    meta = Schema(ref=REF_PREFIX + "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")
    text = Schema(type="string")
    properties = {"apiVersion": text, "kind": text} | root.properties | {"metadata": meta}
    return Walker(definitions, msgspec.structs.replace(root, properties=properties))
