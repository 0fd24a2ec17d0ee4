"""The addresses of the site: Django's admin, the lessons and the dashboard."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import include, path
from django.views.i18n import set_language


def favicon(_request: HttpRequest) -> HttpResponseRedirect:
    """The icon for pages that name none, such as the admin's: browsers ask for this address by themselves."""
    return HttpResponseRedirect(static("img/logo.svg"))


urlpatterns = [
    path("admin/", admin.site.urls),
    path("favicon.ico", favicon),
    path("language/", set_language, name="set_language"),
    path("room/", include("clusterviz.classroom.rooms.urls")),
    path("lessons/", include("clusterviz.classroom.urls")),
    path("", include("clusterviz.dashboard.urls")),
]
