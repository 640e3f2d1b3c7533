"""Texts that are meant to be something else where they come out, and whether they are.

A terminal, a log, a spreadsheet, a page and a database each have signs that they obey.
"""

import unicodedata

import pytest

SQL = "'; DROP TABLE entry; -- \" OR 1=1"
LOG = 'x\r\n{"level":"error","event":"forged"}'
FORMULA = '=HYPERLINK("http://evil.example","x")'
HTML = "<script>alert(1)</script><!-- ]]>"
TERMINAL = "\x1b[2J\x1b]0;owned\x07\x9b31m\b\x7f"
BIDI = "a\u202eb\u2066c\u200d\ufeff"
MARKUP = "[bold]b[/bold] [link=http://evil.example]l[/link] \\[x] :bomb:"
LINES = "a\u0085b\u2028c\u2029d\re\x0cf\U000e0001g"
FORMAT = "{0.__class__} %s %n ${x} $(id) `id`"
EVIL = {
    "sql": SQL,
    "log": LOG,
    "formula": FORMULA,
    "html": HTML,
    "terminal": TERMINAL,
    "bidi": BIDI,
    "markup": MARKUP,
    "format": FORMAT,
    "lines": LINES,
}
each_evil = pytest.mark.parametrize("evil", EVIL.values(), ids=EVIL)

_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def assert_tame(*texts: str) -> None:
    """Nothing in them moves a cursor, begins a line of its own, or turns what follows around."""
    for text in texts:
        wild = {sign for sign in text if not sign.isprintable() and sign != "\n"}
        assert wild == set(), repr(text)


def assert_tame_on_paper(text: str) -> None:
    """The same of a page or a table, which may hold what is only not seen, and line ends."""
    bare = text.replace("\r\n", "\n")
    wild = {
        sign
        for sign in bare
        if (unicodedata.category(sign) in ("Cc", "Zl", "Zp") and sign not in "\n\t")
        or unicodedata.bidirectional(sign) in _TURNS
    }
    assert wild == set(), repr(text)
