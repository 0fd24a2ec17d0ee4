"""Django settings. Everything an operator may change is an environment variable named CLUSTERVIZ_*."""

import os
import secrets
from datetime import timedelta
from logging import LogRecord
from pathlib import Path

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from clusterviz.engine.manifests.read import Limits

BASE_DIR = Path(__file__).resolve().parent.parent


def flag(name: str) -> bool:
    """Whether an environment variable is switched on."""
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def whole(name: str, default: int) -> int:
    """A whole number from 1 in an environment variable. Raises `ImproperlyConfigured`."""
    text = os.environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdecimal() and int(text) >= 1):
        raise ImproperlyConfigured(f"{name} is {text[:40]!r}: allowed is a whole number from 1")
    return int(text)


def secret_key(path: Path) -> str:
    """The key in this file, generated at first use and readable by its owner alone."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)  # unlike a rename this never replaces the key another process just made
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()


# --- where things are -------------------------------------------------------------------------
CLUSTERVIZ_DATA = Path(os.environ.get("CLUSTERVIZ_DATA") or BASE_DIR / ".data").resolve()
CLUSTERVIZ_DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
NODE_MODULES = BASE_DIR / "node_modules"

# --- who may talk to us -----------------------------------------------------------------------
DEBUG = flag("CLUSTERVIZ_DEBUG")
SECRET_KEY = secret_key(CLUSTERVIZ_DATA / "secret-key")
EXTRA_HOSTS = [host.strip() for host in os.environ.get("CLUSTERVIZ_ALLOWED_HOSTS", "").split(",") if host.strip()]
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]", *EXTRA_HOSTS]
# Other host names mean other machines: then only TLS (or saying CLUSTERVIZ_PLAIN_HTTP=1) keeps sessions safe.
ENCRYPTED = bool(EXTRA_HOSTS) and not flag("CLUSTERVIZ_PLAIN_HTTP")
CSRF_TRUSTED_ORIGINS = [f"https://{'*' if host.startswith('.') else ''}{host}" for host in EXTRA_HOSTS if host != "*"]
# A reverse proxy ends TLS and overwrites X-Real-IP and X-Forwarded-Proto; without one anybody could send them.
BEHIND_PROXY = flag("CLUSTERVIZ_BEHIND_PROXY")
SECURE_SSL_REDIRECT = ENCRYPTED and BEHIND_PROXY
SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz|metrics)$"]
SECURE_HSTS_SECONDS = 30 * 24 * 3600 if ENCRYPTED else 0
# Whether subdomains speak TLS, and a domain belongs on browsers' lists, is not ours to say.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENCRYPTED
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# Who sends it may read /metrics; without it only staff may.
METRICS_TOKEN = os.environ.get("CLUSTERVIZ_METRICS_TOKEN", "")

# Cytoscape adds this one rule to the page itself; anything else inline is refused.
CYTOSCAPE_STYLE = "'sha256-pgvDUBa4IjFA2yuSJ2cqcyxmNYJMborsd0ORcRv9vw8='"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],  # the nonce is for the import map, the only inline script
        "style-src": [SELF, CYTOSCAPE_STYLE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# Pages that may show a lesson's embed view in a frame; everything else is framed by nobody.
EMBEDDED_BY = [SELF, *os.environ.get("CLUSTERVIZ_EMBEDDED_BY", "").split()]

# --- limits -----------------------------------------------------------------------------------
MEBIBYTE = 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = Limits().size
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * MEBIBYTE
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
DATA_UPLOAD_MAX_NUMBER_FILES = 100
# Of each cluster: what its timeline can go back to is kept in memory, at most this much.
HISTORY_BYTES = whole("CLUSTERVIZ_HISTORY_MB", 64) * MEBIBYTE

# --- the application --------------------------------------------------------------------------
INSTALLED_APPS = [
    "daphne",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "servestatic",
    "channels",
    "csp",
    "axes",
    "clusterviz.cluster",
    "clusterviz.live",
    "clusterviz.kubeapi",
    "clusterviz.classroom",
    "clusterviz.dashboard",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "clusterviz.limits.RequestSizeMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "clusterviz.urls"
ASGI_APPLICATION = "clusterviz.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "clusterviz.words.context",
            ]
        },
    }
]
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}

# --- database ---------------------------------------------------------------------------------
# WAL lets readers go on while the simulator writes; IMMEDIATE makes writers queue instead of
# failing when a transaction that began by reading wants to write.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": CLUSTERVIZ_DATA / "clusterviz.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people -----------------------------------------------------------------------------------
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Guessing: after so many wrong passwords for a name from an address both wait together; a right one forgets them.
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "dashboard/locked.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]

# --- static files -----------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / ".build" / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "clusterviz.assets.VendorFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "clusterviz.assets.HashedStaticFiles"
    },
}
SERVESTATIC_KEEP_ONLY_HASHED_FILES = True
SERVESTATIC_ALLOW_ALL_ORIGINS = False

# --- language, time, logs ---------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", "English"), ("de", "Deutsch")]
# compiled from locale/ by clusterviz.words
LOCALE_PATHS = [BASE_DIR / ".build" / "locale"]
LANGUAGE_COOKIE_SECURE = ENCRYPTED
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = "UTC"
USE_TZ = True


def without_traceback(record: LogRecord) -> bool:
    """A line is enough: strangers who send nonsense must not fill the log."""
    record.exc_info = None
    return True


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"brief": {"()": "django.utils.log.CallbackFilter", "callback": without_traceback}},
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "clusterviz": {"level": os.environ.get("CLUSTERVIZ_LOG_LEVEL", "INFO").upper()},
        "django": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        "django.security.DisallowedHost": {"filters": ["brief"]},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}
