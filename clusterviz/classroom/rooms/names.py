"""Names that students choose: what is allowed, and when two are the same."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext as _

LONGEST = 20
# Letters of any script with their marks, digits, spaces, and what stands inside names.
_ALLOWED = re.compile(r"[\w\u00b7\u2019'.\- ]+")
_MOST_MARKS = 4


class UnfitNameError(ValueError):
    """A name that cannot be had; the message is for the person who chose it."""


def tidy(name: str) -> str:
    """The name as it will be shown. Raises `UnfitNameError`."""
    text = " ".join(unicodedata.normalize("NFKC", name[: LONGEST * 8]).split())
    if not text:
        raise UnfitNameError(_("choose a name"))
    if len(text) > LONGEST:
        raise UnfitNameError(
            _("that name has %(count)s characters; at most %(most)s are allowed")
            % {"count": len(text), "most": LONGEST}
        )
    marks = sum(unicodedata.category(letter) == "Mn" for letter in text)
    if marks > _MOST_MARKS or not _ALLOWED.fullmatch(text) or not any(letter.isalnum() for letter in text):
        raise UnfitNameError(_("a name is made of letters, digits, spaces and . - '"))
    return text


def same(name: str) -> str:
    """Equal for names that look alike: without case, marks and what stands between letters."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in plain if letter.isalnum())
