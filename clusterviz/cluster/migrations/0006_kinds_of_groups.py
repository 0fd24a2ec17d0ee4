"""Kinds of groups that are not Kubernetes's own are kept as ``Kind.group``."""

from typing import Any

from django.db import migrations, models


def qualify(apps: Any, _editor: Any) -> None:
    """Write the group behind the kind."""
    rows = apps.get_model("cluster", "OtherObject").objects
    for pk, kind, version in rows.values_list("pk", "kind", "api_version"):
        group, slash, _ = version.partition("/")
        own = not slash or "." not in group or group.endswith(".k8s.io") or group == "clusterviz.dev"
        if not own and "." not in kind:
            rows.filter(pk=pk).update(kind=f"{kind}.{group}")


class Migration(migrations.Migration):
    dependencies = [("cluster", "0005_owners")]

    operations = [
        migrations.AlterField("otherobject", "kind", models.CharField(max_length=320)),
        migrations.AlterField("change", "kind", models.CharField(max_length=320)),
        migrations.RunPython(qualify, migrations.RunPython.noop),
    ]
