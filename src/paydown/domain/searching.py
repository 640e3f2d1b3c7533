"""How names are compared in a search: without case, accents or the width of a space."""

import unicodedata


def fold(text: str) -> str:
    """The text as a search sees it. Folding it again changes nothing."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return " ".join(bare.split())


def make_search_text(name: str, reference: str | None) -> str:
    """What a search for a contact looks for its words in."""
    return fold(f"{name} {reference or ''}")
