"""The addresses of the site: Django's admin and the dashboard."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("clusterviz.dashboard.urls")),
]
