"""The colours of tokens.css: kinds of traffic stay apart for every kind of eye, text stays readable."""

import itertools
import math
import re

import pytest
from django.conf import settings

TOKENS = (settings.BASE_DIR / "static" / "css" / "tokens.css").read_text()
KINDS = ("kind-ingress", "kind-service", "kind-pod", "kind-egress", "kind-blocked")
SURFACES = ("page", "cluster", "panel", "card")
HEAT = tuple(f"heat-{level}" for level in range(8))
LEAST_DISTANCE = {"dark": 16.0, "light": 16.5}
LEAST_STEP = 4.5
Colour = tuple[float, float, float]

# Machado, Oliveira, Fernandes (2009), severity 1, on linear light.
VISION = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def tokens(theme: str) -> dict[str, str]:
    """The hex colours of one theme by name."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", TOKENS)
    return {name: light if theme == "light" else dark for name, light, dark in pairs}


def linear(colour: str) -> Colour:
    """sRGB to linear light."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return red, green, blue


def seen(colour: str, vision: str) -> Colour:
    """What an eye of this kind makes of it, in linear light."""
    light = linear(colour)
    red, green, blue = (
        min(1.0, max(0.0, sum(m * c for m, c in zip(row, light, strict=True)))) for row in VISION[vision]
    )
    return red, green, blue


def lab(light: Colour) -> Colour:
    """CIELAB under D65."""
    red, green, blue = light
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def hue(a: float, b: float) -> float:
    """The hue angle in degrees, 0 to 360."""
    return math.degrees(math.atan2(b, a)) % 360 if a or b else 0.0


def ciede2000(one: Colour, two: Colour) -> float:
    """The CIEDE2000 colour difference."""
    (l1, a1, b1), (l2, a2, b2) = one, two
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    boost = 1.5 - 0.5 * math.sqrt(mean**7 / (mean**7 + 25.0**7))
    a1, a2 = a1 * boost, a2 * boost
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = hue(a1, b1), hue(a2, b2)
    turn = h2 - h1
    turn += 360 if turn < -180 else -360 if turn > 180 else 0
    dh = 0.0 if c1 * c2 == 0 else 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn) / 2)
    lm, cm = (l1 + l2) / 2, (c1 + c2) / 2
    hm = h1 + h2 if c1 * c2 == 0 else (h1 + turn / 2) % 360
    t = 1 - 0.17 * _cos(hm - 30) + 0.24 * _cos(2 * hm) + 0.32 * _cos(3 * hm + 6) - 0.20 * _cos(4 * hm - 63)
    sl = 1 + 0.015 * (lm - 50) ** 2 / math.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rotation = (
        -2 * math.sqrt(cm**7 / (cm**7 + 25.0**7)) * math.sin(math.radians(60 * math.exp(-(((hm - 275) / 25) ** 2))))
    )
    parts = (l2 - l1) / sl, (c2 - c1) / sc, dh / sh
    return math.sqrt(sum(p * p for p in parts) + rotation * parts[1] * parts[2])


def _cos(degrees: float) -> float:
    return math.cos(math.radians(degrees))


def contrast(one: str, two: str) -> float:
    """The WCAG contrast ratio."""
    bright = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in (linear(one), linear(two)))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


def test_the_distance_formula_agrees_with_published_pairs() -> None:
    assert ciede2000((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert ciede2000((50.0, 2.5, 0.0), (73.0, 25.0, -18.0)) == pytest.approx(27.1492, abs=1e-4)
    assert ciede2000((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514)) == pytest.approx(0.9082, abs=1e-4)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("vision", VISION)
def test_kinds_of_traffic_stay_apart(theme: str, vision: str) -> None:
    colours = tokens(theme)
    for one, two in itertools.combinations(KINDS, 2):
        distance = ciede2000(lab(seen(colours[one], vision)), lab(seen(colours[two], vision)))
        assert distance >= LEAST_DISTANCE[theme], f"{one} and {two}: {distance:.1f} for {vision} eyes, {theme}"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_lines_stand_out_from_every_surface(theme: str) -> None:
    colours = tokens(theme)
    for kind, surface in itertools.product((*KINDS, "kind-traced", "focus"), SURFACES):
        assert contrast(colours[kind], colours[surface]) >= 3.0, f"{kind} on {surface}, {theme}"


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("vision", VISION)
def test_busier_pods_are_seen_as_busier_and_trouble_is_never_taken_for_traffic(theme: str, vision: str) -> None:
    colours = {name: lab(seen(colour, vision)) for name, colour in tokens(theme).items()}
    brightness = [colours[name][0] for name in HEAT]
    assert brightness == sorted(brightness, reverse=theme == "light")
    for one, two in itertools.pairwise(HEAT):
        assert ciede2000(colours[one], colours[two]) >= LEAST_STEP, f"{one} and {two} for {vision} eyes, {theme}"
    for trouble, level in itertools.product(("state-pending", "state-failing"), HEAT):
        distance = ciede2000(colours[trouble], colours[level])
        assert distance >= 30, f"{trouble} and {level}: {distance:.1f} for {vision} eyes, {theme}"
    assert ciede2000(colours["state-pending"], colours["state-failing"]) >= LEAST_DISTANCE[theme]


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_trouble_stands_out_from_every_surface(theme: str) -> None:
    colours = tokens(theme)
    for trouble, surface in itertools.product(("state-pending", "state-failing"), SURFACES):
        assert contrast(colours[trouble], colours[surface]) >= 3.0, f"{trouble} on {surface}, {theme}"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_words_can_be_read_on_every_surface(theme: str) -> None:
    colours = tokens(theme)
    words = [name for name in colours if name.startswith("text")]
    for word, surface in itertools.product(words, SURFACES):
        assert contrast(colours[word], colours[surface]) >= 4.5, f"{word} on {surface}, {theme}"


def test_every_colour_of_the_picture_comes_from_the_tokens() -> None:
    for script in (settings.BASE_DIR / "static" / "js").rglob("*.js"):
        assert not re.search(r"#[0-9a-fA-F]{6}\b", script.read_text()), f"{script} has a colour of its own"
