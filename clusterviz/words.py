"""Languages: what stands in locale/ is compiled where Django looks for it, and what a page's scripts need goes with it.

A machine that runs ClusterViz need not have gettext's tools, so polib compiles; `manage.py words` collects.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import DjangoTranslation, parse_accept_lang_header

LOCALE = Path(settings.BASE_DIR) / "locale"
# Python, templates and lessons; and scripts, whose words go to the browser.
DOMAINS = ("django", "djangojs")


def catalogues() -> list[Path]:
    """Every file of translations, LANGUAGE/LC_MESSAGES/DOMAIN.po below locale/."""
    return sorted(LOCALE.glob("*/LC_MESSAGES/*.po"))


def compile_if_changed() -> int:
    """Compile each catalogue that is not compiled as it is now; how many were. Safe where several processes do."""
    done = 0
    for source in catalogues():
        target = Path(settings.LOCALE_PATHS[0]) / source.relative_to(LOCALE).with_suffix(".mo")
        stamp = source.stat().st_mtime_ns
        if target.exists() and target.stat().st_mtime_ns == stamp:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(f".{os.getpid()}")
        polib.pofile(str(source)).save_as_mofile(str(draft))
        os.utime(draft, ns=(stamp, stamp))
        draft.replace(target)
        done += 1
    return done


@lru_cache
def for_scripts(language: str) -> str:
    """What scripts say in a language, as JSON: the English words -> the others; empty for English."""
    if language.startswith("en"):
        return ""
    found = DjangoTranslation(language, domain="djangojs", localedirs=[])
    words = {name: found.gettext(name) for name in _names(language)}
    return json.dumps(words, ensure_ascii=False, separators=(",", ":"))


def _names(language: str) -> list[str]:
    path = LOCALE / translation.to_locale(language) / "LC_MESSAGES" / "djangojs.po"
    return [one.msgid for one in polib.pofile(str(path)) if one.msgstr] if path.exists() else []


def language_of(scope: Mapping[str, Any]) -> str:
    """The language of a websocket, from its cookie or else what its browser prefers, as LocaleMiddleware does."""
    chosen = (scope.get("cookies") or {}).get(settings.LANGUAGE_COOKIE_NAME, "")
    headers = dict(scope.get("headers") or ())
    wanted = parse_accept_lang_header(headers.get(b"accept-language", b"").decode("latin-1"))
    for code in (chosen, *(one for one, _ in wanted)):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return settings.LANGUAGE_CODE


def context(_request: HttpRequest) -> dict[str, object]:
    """``script_words`` of a page, in the language it is shown in, and the ``languages`` by their own names."""
    words = SimpleLazyObject(lambda: for_scripts(translation.get_language() or "en"))
    return {"script_words": words, "languages": settings.LANGUAGES}
