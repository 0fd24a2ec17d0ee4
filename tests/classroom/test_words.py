"""Languages: every word that is said is in the catalogues, every catalogue says it whole, and pages speak it."""

import re
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from clusterviz import words
from clusterviz.classroom import library, shelf
from clusterviz.classroom import run as runs
from clusterviz.classroom.lesson import choice
from clusterviz.classroom.management.commands.words import collected
from clusterviz.classroom.tongue import spoken, texts

TEMPLATES = Path(settings.BASE_DIR) / "templates"
LANGUAGES = [code for code, _ in settings.LANGUAGES if not code.startswith("en")]
CATALOGUES = [(language, domain) for language in LANGUAGES for domain in words.DOMAINS]
# What must be the same in every language: gaps to fill, rules, addresses and other numbers, code.
FIXED = re.compile(r"%\(\w+\)\w|\{\w+\}|\b[A-Z]{2,4}-\d+\b|\d+(?:\.\d+){3}(?:/\d+)?|\d+|`[^`]*`|https?://[\w./-]+")
# Names that no language changes.
NAMES = {"ClusterViz", "YAML"}


def catalogue(language: str, domain: str) -> polib.POFile:
    return polib.pofile(str(words.LOCALE / language / "LC_MESSAGES" / f"{domain}.po"))


@pytest.fixture(scope="module")
def said() -> dict[str, set[str]]:
    """The words of each domain, as they stand in the sources now."""
    return {domain: set(collected(domain)) for domain in words.DOMAINS}


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_all_that_is_said_is_translated(said: dict[str, set[str]], language: str, domain: str) -> None:
    known = {one.msgid: one for one in catalogue(language, domain)}
    assert said[domain] == set(known), "run `manage.py words` and translate what is new"
    assert [name for name, one in known.items() if not one.translated() or one.fuzzy] == []


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_what_is_not_language_stays(language: str, domain: str) -> None:
    for one in catalogue(language, domain):
        for text in one.msgstr_plural.values() if one.msgid_plural else [one.msgstr]:
            assert sorted(FIXED.findall(text)) == sorted(FIXED.findall(one.msgid)), (one.msgid, text)


def bare(template: str) -> list[str]:
    """Words that a template says without asking for their translation."""
    text = re.sub(
        r"\{% blocktranslate.*?\{% endblocktranslate %\}|\{%.*?%\}|\{\{.*?\}\}", "\0", template, flags=re.DOTALL
    )
    told = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', text)
    told += re.sub(r"<script.*?</script>|<[^>]*>", "\0", text, flags=re.DOTALL).split("\0")
    return [one for part in told if (one := part.strip()) and re.search(r"[A-Za-z]{2}", one) and not part_of_name(one)]


def part_of_name(text: str) -> bool:
    return all(word in NAMES for word in re.findall(r"[A-Za-z]+", text))


def test_no_template_says_what_cannot_be_translated() -> None:
    assert bare('<p title="a word">{% translate "x" %} and {{ y }}</p>') == ["a word", "and"]
    told = {path: path.read_text() for path in TEMPLATES.rglob("*.html")}
    spoken_here = {path for path, text in told.items() if "i18n" in text}
    assert spoken_here >= set((TEMPLATES / "classroom").iterdir())
    assert {path.name: found for path in spoken_here if (found := bare(told[path]))} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lesson_keeps_its_answers_in_every_language(language: str) -> None:
    for path in library.files():
        lesson = library.load(path).lesson
        with translation.override(language):
            other = spoken(lesson)
        assert len(list(texts(other))) == len(list(texts(lesson))), "two sentences became one"
        assert other.title != lesson.title
        for here, there in zip(lesson.steps, other.steps, strict=True):
            if here.predict and there.predict:
                pairs = [
                    (choice(one), choice(two))
                    for one, two in zip(here.predict.choices, there.predict.choices, strict=True)
                ]
                assert [one.value for one, _ in pairs] == [two.value for _, two in pairs], path.name
                assert there.predict.answer == next(two.text for one, two in pairs if one.text == here.predict.answer)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_so_does_not_depend_on_the_language(language: str) -> None:
    play = shelf.play_of("06-fair-shares")
    with translation.override(language):
        other = shelf.play_of("06-fair-shares")
    assert other.stages is play.stages
    for position in range(len(runs.positions(play))):
        here, there = (runs.view(one, runs.Run(lesson="", position=position)) for one in (play, other))
        assert [one.wrong for one in there.facts] == [one.wrong for one in here.facts]
        if here.question and there.question and here.question.right is not None:
            assert (there.question.right, there.question.truth) == (here.question.right, here.question.truth)
            assert there.question.why != here.question.why


def test_a_person_chooses_a_language(client: Client, db: None) -> None:
    assert "One flat network" in client.get("/lessons/").content.decode()
    page = Client(enforce_csrf_checks=True)
    assert page.post("/language/", {"language": "de", "next": "/lessons/"}).status_code == 403
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.get("/lessons/").content.decode())[1]
    chosen = {"language": "de", "next": "/lessons/", "csrfmiddlewaretoken": token}
    answer = page.post("/language/", chosen)
    assert (answer.status_code, answer["Location"]) == (302, "/lessons/")
    german = page.get("/lessons/")
    assert (german["Content-Language"], '<html lang="de">' in german.content.decode()) == ("de", True)
    assert "Ein flaches Netz" in german.content.decode()
    assert "One flat network" not in german.content.decode()
    evil = page.post("/language/", chosen | {"next": "https://elsewhere.example/"})
    assert "elsewhere" not in evil["Location"]


def test_a_browser_that_prefers_german_gets_it(client: Client, db: None) -> None:
    german = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}
    page = client.get("/lessons/05-clusterip/", headers=german).content.decode()
    assert 'name="words" content="{&quot;' in page
    assert "Die Adresse, die niemandem gehört" in page
    told = client.get("/lessons/05-clusterip/at?step=1&done=1", headers=german).json()
    assert told["view"]["question"]["why"].startswith("Die Regeln kennen nur Protokoll")
    refused = client.get("/lessons/05-clusterip/at?step=1&turn=back", headers=german)
    assert refused.json()["error"] == "hier beginnt die Lektion."
    assert 'name="words"' not in client.get("/lessons/05-clusterip/").content.decode()


def test_a_websocket_speaks_the_language_of_its_page() -> None:
    assert words.language_of({"cookies": {"django_language": "de"}}) == "de"
    assert (
        words.language_of({"cookies": {"django_language": "xx"}, "headers": [(b"accept-language", b"de-CH")]}) == "de"
    )
    assert words.language_of({}) == settings.LANGUAGE_CODE


def test_a_catalogue_is_compiled_once_and_anew_when_it_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    book = polib.POFile()
    book.append(polib.POEntry(msgid="a", msgstr="b"))
    book.save(str(folder / "django.po"))
    monkeypatch.setattr(words, "LOCALE", tmp_path / "locale")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(settings, "LOCALE_PATHS", [tmp_path / "built"])
        assert [words.compile_if_changed() for _ in range(2)] == [1, 0]
        book[0].msgstr = "c"
        book.save(str(folder / "django.po"))
        assert words.compile_if_changed() == 1
        built = polib.mofile(str(tmp_path / "built" / "de" / "LC_MESSAGES" / "django.mo"))
    assert [one.msgstr for one in built] == ["c"]
