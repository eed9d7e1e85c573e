r"""Converts quantities of the package siunitx: `\SI{5}{\kilo\meter\per\hour}` is 5 km/h."""

import re
from collections.abc import Callable, Mapping

from bot.text.latex.macros import SUPERSCRIPTS
from bot.text.latex.reader import OPTIONS, LatexReader

_PREFIXES = {
    "quecto": "q", "ronto": "r", "yocto": "y", "zepto": "z", "atto": "a", "femto": "f", "pico": "p", "nano": "n", "micro": "μ",
    "milli": "m", "centi": "c", "deci": "d", "deca": "da", "deka": "da", "hecto": "h", "kilo": "k", "mega": "M", "giga": "G",
    "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y", "ronna": "R", "quetta": "Q", "kibi": "Ki", "mebi": "Mi",
    "gibi": "Gi", "tebi": "Ti",
}  # fmt: skip
_UNITS = {
    "meter": "m", "metre": "m", "gram": "g", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol", "candela": "cd", "kilogram": "kg",
    "becquerel": "Bq", "celsius": "°C", "degreeCelsius": "°C", "coulomb": "C", "farad": "F", "gray": "Gy", "hertz": "Hz", "henry": "H",
    "joule": "J", "katal": "kat", "lumen": "lm", "lux": "lx", "newton": "N", "ohm": "Ω", "pascal": "Pa", "radian": "rad",
    "siemens": "S", "sievert": "Sv", "steradian": "sr", "tesla": "T", "volt": "V", "watt": "W", "weber": "Wb", "day": "d",
    "hour": "h", "minute": "min", "hectare": "ha", "liter": "L", "litre": "L", "tonne": "t", "degree": "°", "arcminute": "′",
    "arcsecond": "″", "percent": "%", "angstrom": "Å", "barn": "b", "bar": "bar", "decibel": "dB", "bel": "B", "neper": "Np",
    "electronvolt": "eV", "dalton": "Da", "atomicmassunit": "u", "astronomicalunit": "au", "parsec": "pc", "bit": "bit", "byte": "B",
    "mmHg": "mmHg", "knot": "kn", "nauticalmile": "nmi", "clight": "c", "hbar": "ℏ",
}  # fmt: skip
_SHORT = {
    f"{prefix}{unit}": f"{'μ' if prefix == 'u' else prefix}{symbol}"
    for unit, symbol in {
        "m": "m", "g": "g", "s": "s", "A": "A", "Hz": "Hz", "eV": "eV", "V": "V", "W": "W", "J": "J", "N": "N", "Pa": "Pa", "mol": "mol",
        "l": "L", "L": "L", "K": "K", "F": "F", "ohm": "Ω",
    }.items()
    for prefix in ("", "f", "p", "n", "u", "m", "c", "d", "k", "M", "G", "T")
}  # fmt: skip
r"""`\km`, `\GHz`: siunitx's abbreviations."""
_POWERS = {"square": "2", "squared": "2", "cubic": "3", "cubed": "3"}
_PIECE = re.compile(r"\\(?P<name>[A-Za-z]++)|\{(?P<power>-?\d{1,3})\}|(?P<plain>[^\\{}\s]++)")


def spelled_unit(raw: str) -> str:
    r"""Return the unit that siunitx's macros name.

    >>> spelled_unit(r"\kilo\gram\per\cubic\metre")
    'kg/m³'
    >>> spelled_unit("km/h")
    'km/h'
    """
    factors: list[tuple[str, str]] = []
    """Each unit, with the sign before it."""
    prefix, power, before = "", "", ""
    for piece in _PIECE.finditer(raw):
        name = piece["name"]
        if name in _PREFIXES:
            prefix += _PREFIXES[name]
        elif name in ("square", "cubic"):
            power = _POWERS[name]
        elif name == "per":
            before = "/"
        elif factors and (raised := _POWERS.get(name or "", piece["power"])):
            sign, unit = factors[-1]
            factors[-1] = sign, unit + raised.translate(SUPERSCRIPTS)
        elif name and name not in ("tothe", "raiseto", "of"):
            unit = _UNITS.get(name) or _SHORT.get(name) or name
            factors.append((before or "·", prefix + unit + power.translate(SUPERSCRIPTS)))
            prefix = power = before = ""
        elif piece["plain"]:
            factors.append(("", piece["plain"].replace("~", "·")))
    return "".join(sign + unit for sign, unit in factors).removeprefix("·")


def _unit(reader: LatexReader) -> str:
    raw = reader.raw_group()
    return spelled_unit(raw) if raw is not None else ""


def _joined(amount: str, unit: str) -> str:
    """A quantity with its unit. The signs of angles follow without a blank."""
    return f"{amount}{'' if unit[:1] in ('', '/', '′', '″') or unit == '°' else ' '}{unit}"


def quantity(reader: LatexReader) -> str:
    r"""`\SI{5}{\kilo\meter}`, `\qty[options]{5}{km}`."""
    reader.take(OPTIONS)
    return _joined(reader.argument(), _unit(reader))


def unit(reader: LatexReader) -> str:
    r"""`\si{\milli\second}`; with the units package `\unit[5]{km}`."""
    amount = reader.take(OPTIONS)
    name = _unit(reader)
    return _joined(amount[0].strip(" []"), name) if amount and "=" not in amount[0] else name


def span(reader: LatexReader) -> str:
    r"""`\SIrange{1}{10}{\giga\hertz}`."""
    reader.take(OPTIONS)
    return _joined(f"{reader.argument()}–{reader.argument()}", _unit(reader))


def numbers(reader: LatexReader) -> str:
    r"""`\numrange{1}{10}`."""
    reader.take(OPTIONS)
    return f"{reader.argument()}–{reader.argument()}"


def several(reader: LatexReader) -> str:
    r"""`\SIlist{1;2;5}{\meter}`."""
    reader.take(OPTIONS)
    return _joined(reader.argument().replace(";", ", "), _unit(reader))


def angle(reader: LatexReader) -> str:
    r"""`\ang{45}`, `\ang{12;30;5}`."""
    reader.take(OPTIONS)
    parts = reader.argument().split(";")
    return "".join(part + sign for part, sign in zip(parts, "°′″", strict=False) if part)


UNITS: Mapping[str, Callable[[LatexReader], str]] = {
    "SI": quantity, "qty": quantity, "si": unit, "unit": unit, "SIrange": span, "qtyrange": span, "numrange": numbers,
    "SIlist": several, "qtylist": several, "ang": angle,
}  # fmt: skip
