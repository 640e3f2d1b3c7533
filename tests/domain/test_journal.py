"""How a command stands in the books."""

import hashlib

from rule_tables import CUSTOMER, WHOLE_SECOND, make_command, make_line, stamp, world

from paydown.domain import journal
from paydown.domain.decide import decide
from paydown.domain.model import Entry, Kind, Posting
from paydown.domain.outcomes import Outcome


def entry_of(kind: Kind, *lines: str) -> Entry:
    """The entry that the lines make for contact A."""
    command = make_command(kind, "A", 28, [make_line(line) for line in lines], request_id="r-1")
    facts = world()
    facts.recorded_lines[CUSTOMER, 1, WHOLE_SECOND, "ref"] = []
    outcome = decide(command, facts, stamp(5))
    assert isinstance(outcome, Outcome)
    assert outcome.entry is not None
    return outcome.entry


def test_a_payment_debits_clearing_and_credits_receivables() -> None:
    """The tender type's clearing account gets what the item's receivables account loses."""
    entry = entry_of(Kind.PAYMENT, "1:4.00#ref", "4:7.50")

    assert entry.postings == (
        Posting(1, 1, 400, 28, 10, 600, "ref", None, None),
        Posting(2, 4, 750, 28, 10, 0, None, None, None),
    )


def test_a_write_down_debits_the_lines_account() -> None:
    """The chosen GL account bears what the member no longer owes."""
    entry = entry_of(Kind.WRITE_DOWN, "1:4.00@50")

    assert entry.postings == (Posting(1, 1, 400, 50, 10, 600, None, None, None),)


def test_refused_lines_leave_no_gap_in_the_postings() -> None:
    """Postings are numbered from one, whatever stood between them."""
    entry = entry_of(Kind.PAYMENT, "1:1", "2:1", "4:1")

    assert [posting.line_no for posting in entry.postings] == [1, 2]


def test_the_digest_says_everything_and_can_be_recomputed() -> None:
    """It is the SHA-256 of a documented JSON text, and any changed field changes it."""
    entry = entry_of(Kind.PAYMENT, "1:4.00#ref")
    text = (
        '[7,"00000000000000000000000000000005","payment","A",28,3,null,null,"r-1","",'
        '17700000000000000,"value-17700000000000000",1005,"recorded-5",null,'
        '[1,1,400,28,10,600,"ref",null,null]]'
    )

    assert journal.digest(entry) == hashlib.sha256(text.encode()).digest()
    assert journal.digest(entry._replace(notes="x")) != journal.digest(entry)


def test_the_digest_of_a_charge_says_what_the_items_are() -> None:
    """Behind the postings each item has its own array, so a change of any of them shows."""
    entry = entry_of(Kind.PAYMENT, "1:4.00#ref")
    said: journal.Said = (1, "A", "Locker", 400, "2026-04-01", 10, 1, "B", 77, None, 0)
    text = (
        '[7,"00000000000000000000000000000005","payment","A",28,3,null,null,"r-1","",'
        '17700000000000000,"value-17700000000000000",1005,"recorded-5",null,'
        '[1,1,400,28,10,600,"ref",null,null],[1,"A","Locker",400,"2026-04-01",10,1,"B",77,null,0]]'
    )

    assert journal.digest(entry, [said]) == hashlib.sha256(text.encode()).digest()
