"""The ASGI application: HTTP goes to Django and the Kubernetes API, websockets to the live consumers."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clusterviz.settings")
http = get_asgi_application()  # first: it loads the apps that the next import needs

from clusterviz.classroom.rooms.routing import room_urlpatterns  # noqa: E402
from clusterviz.kubeapi.asgi import beside  # noqa: E402
from clusterviz.live.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": beside(http),
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter([*room_urlpatterns, *websocket_urlpatterns]))
        ),
    }
)
