"""Django's admin for clusters and everything in them."""

from django.contrib import admin

from clusterviz.cluster.admin import clusters, kinds, layouts

admin.site.site_header = "ClusterViz"
admin.site.site_title = "ClusterViz"
admin.site.index_title = "Clusters and their objects"

__all__ = ["clusters", "kinds", "layouts"]
