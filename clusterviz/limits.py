"""Requests that are too large are refused unread: parsing one would keep the interpreter busy for everybody."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin

MULTIPART_MARGIN = 64 * 1024  # boundaries and heads around the files themselves


class RequestSizeMiddleware(MiddlewareMixin):
    """Answers 413 by the announced length, before CSRF protection looks for its token in the body."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """None lets the request pass."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if not announced.isdigit() or int(announced) <= limit + MULTIPART_MARGIN:
            return None
        return JsonResponse({"error": f"That is too much: at most {limit // 1024**2} MiB at once."}, status=413)
