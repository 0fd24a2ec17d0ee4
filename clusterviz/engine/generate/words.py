"""Names of namespaces and workloads."""

from __future__ import annotations

from itertools import count

SPACES = (
    "shop", "payments", "search", "catalog", "checkout", "accounts", "shipping", "billing", "media", "analytics",
    "messaging", "identity", "pricing", "inventory", "reviews", "recommend", "warehouse", "support", "marketing",
    "fraud", "ledger", "loyalty", "returns", "maps", "video", "ads", "mail", "geo", "auth", "reports", "events",
    "imports", "exports", "partners", "gateway", "experiments", "features", "metrics", "logs", "tracing", "mobile",
    "web", "voice", "chat", "social", "streaming", "music", "news", "travel", "hotels", "flights", "cars", "food",
    "grocery", "health", "sports", "games", "learning", "iot", "sandbox",
)  # fmt: skip
THINGS = (
    "orders", "cart", "users", "sessions", "prices", "stock", "quotes", "invoices", "images", "offers", "tokens",
    "devices", "routes", "alerts", "pages", "labels", "tickets", "ratings", "credits", "rules", "profiles", "feeds",
    "topics", "batches", "events", "members", "plans", "tasks", "notes", "rates", "limits", "coupons", "parcels",
    "claims", "scores", "trips", "stores", "forms", "media", "audit",
)  # fmt: skip


def space_names(number: int) -> list[str]:
    """So many different namespace names; teams come back with a number."""
    return [name if not turn else f"{name}-{turn + 1}" for turn, name in _turns(SPACES, number)]


def _turns(names: tuple[str, ...], number: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for turn in count():
        for name in names:
            if len(found) == number:
                return found
            found.append((turn, name))
    return found


class Namer:
    """Names in one namespace: ``orders-api``, and ``orders-api-2`` once all words are used."""

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def name(self, role: str) -> str:
        """The next free name for a role."""
        number = self._used[role] = self._used.get(role, -1) + 1
        turn, place = divmod(number, len(THINGS))
        # Roles start at different words, so that names that belong together are not all about orders.
        thing = THINGS[(place + 7 * len(role)) % len(THINGS)]
        return f"{thing}-{role}" + (f"-{turn + 1}" if turn else "")
