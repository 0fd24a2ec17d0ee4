import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cluster", "0006_kinds_of_groups")]

    operations = [
        migrations.AddField(
            "cluster",
            "forked_from",
            models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="forks",
                to="cluster.cluster",
            ),
        ),
        migrations.AddField("cluster", "forked_at", models.DateTimeField(blank=True, editable=False, null=True)),
        migrations.AddField("cluster", "forked_by", models.CharField(blank=True, editable=False, max_length=150)),
    ]
