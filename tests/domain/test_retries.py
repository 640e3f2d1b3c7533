"""The retry-proof rules: what is the same request, and what is the same line."""

from typing import Any

import pytest
from rule_tables import (
    CALLER,
    CUSTOMER,
    TICK,
    WHOLE_SECOND,
    make_command,
    make_line,
    say,
    stamp,
    world,
)

from paydown.domain.decide import Facts, apply, decide, place_of, recognisable
from paydown.domain.model import Command, Kind
from paydown.domain.outcomes import Decision, KeyConflict, KeyReplayed, Outcome

PAYMENT, WRITE_DOWN = Kind.PAYMENT, Kind.WRITE_DOWN


class Books:
    """Commands decided one after the other over the same facts, as a batch does it."""

    def __init__(self) -> None:
        self.facts: Facts = world()
        self.count = 0

    def record(self, command: Command) -> Decision:
        """Decide and apply; a keyed answer is the outcome's words."""
        self.count += 1
        customer_id = command.caller.customer_id
        if command.key is not None:
            key = (customer_id, command.caller.login_id, command.request.kind.value, command.key)
            self.facts.kept_answers.setdefault(key, None)
        for line in command.request.lines:
            if recognisable(command, line):
                self.facts.recorded_lines.setdefault(place_of(command, line), [])
        decision = decide(command, self.facts, stamp(self.count))
        answer = str(say(decision)).encode() if isinstance(decision, Outcome) else None
        apply(command, decision, self.facts, answer=answer)
        return decision

    def said(self, command: Command) -> list[str]:
        """The outcome in words."""
        decision = self.record(command)
        assert isinstance(decision, Outcome)
        return say(decision)


def pay(*lines: str, **more: Any) -> Command:
    """A payment of contact A by tender 28."""
    return make_command(PAYMENT, "A", 28, [make_line(line) for line in lines], **more)


def write_down(*lines: str, **more: Any) -> Command:
    """A write-down of contact A by tender 28."""
    return make_command(WRITE_DOWN, "A", 28, [make_line(line) for line in lines], **more)


def with_line(command: Command, **more: Any) -> Command:
    """The command with its one line changed."""
    (line,) = command.request.lines
    return command._replace(request=command.request._replace(lines=(line._replace(**more),)))


SAME = [
    ("a reference", pay("1:4#ref"), pay("1:4.00#ref")),
    ("a date with a fraction", pay("1:4", value_at=TICK), pay("1:4", value_at=TICK)),
    ("a reference beside other notes", with_line(pay("1:4#ref"), notes="a"), pay("1:4#ref")),
    (
        "a write-down's date with a fraction",
        write_down("1:4@50", value_at=TICK, notes="why"),
        write_down("1:4@50", value_at=TICK, notes="why"),
    ),
    (
        "another login of the customer",
        pay("1:4#ref"),
        pay("1:4#ref")._replace(caller=CALLER._replace(login_id=4)),
    ),
    ("a key only the first time", pay("1:4#ref", key="k"), pay("1:4#ref")),
    ("a key only the second time", pay("1:4#ref"), pay("1:4#ref", key="k")),
    (
        "a shared reference with a fraction",
        pay("1:4#batch", value_at=TICK, caller=CALLER._replace(references_shared=True)),
        pay("1:4#batch", value_at=TICK, caller=CALLER._replace(references_shared=True)),
    ),
]

OTHER = [
    ("neither reference nor fraction", pay("1:4"), pay("1:4")),
    ("a write-down on a whole second", write_down("1:4@50"), write_down("1:4@50")),
    ("another reference", pay("1:4#ref"), pay("1:4#other")),
    ("another amount", pay("1:4#ref"), pay("1:4.01#ref")),
    ("another date", pay("1:4#ref"), pay("1:4#ref", value_at=TICK)),
    ("another item", pay("1:4#ref"), pay("4:4#ref")),
    (
        "another authorization code",
        pay("1:4#ref"),
        with_line(pay("1:4#ref"), authorization_code="c"),
    ),
    (
        "other notes without a reference",
        pay("1:4", value_at=TICK),
        with_line(pay("1:4", value_at=TICK), notes="n"),
    ),
    (
        "other notes of a write-down",
        write_down("1:4@50", value_at=TICK, notes="a"),
        write_down("1:4@50", value_at=TICK, notes="b"),
    ),
    (
        "another GL account",
        write_down("1:4@50", value_at=TICK),
        write_down("1:4@52", value_at=TICK),
    ),
    ("the other call", pay("1:4", value_at=TICK), write_down("1:4@28", value_at=TICK)),
    ("another key", pay("1:4#ref", key="k"), pay("1:4#ref", key="l")),
    (
        "the same key of another login",
        pay("1:4#ref", key="k"),
        pay("1:4#ref", key="k")._replace(caller=CALLER._replace(login_id=4)),
    ),
    (
        "a shared reference on a whole second",
        pay("1:4#batch", caller=CALLER._replace(references_shared=True)),
        pay("1:4#batch", caller=CALLER._replace(references_shared=True)),
    ),
    (
        "a shared reference that differs",
        pay("1:4#batch", value_at=TICK, caller=CALLER._replace(references_shared=True)),
        pay("1:4#other", value_at=TICK, caller=CALLER._replace(references_shared=True)),
    ),
    (
        "an amount that no line can have",
        pay("1:4#ref"),
        pay("1:4.001#ref"),
    ),
]


@pytest.mark.parametrize(("first", "second"), [row[1:] for row in SAME], ids=[r[0] for r in SAME])
def test_the_same_line_is_answered_as_the_first_time(first: Command, second: Command) -> None:
    """A retry records nothing and gets the first answer's values."""
    books = Books()
    books.said(first)
    assert books.said(pay("1:1")) == ["ok", "5.00"]

    assert books.said(second) == ["ok", "=6.00"]
    assert books.said(pay("1:1")) == ["ok", "4.00"]


@pytest.mark.parametrize(("first", "second"), [row[1:] for row in OTHER], ids=[r[0] for r in OTHER])
def test_another_line_is_another_payment(first: Command, second: Command) -> None:
    """What differs in anything that identifies it is judged by itself."""
    books = Books()
    books.facts.accounts[CUSTOMER, 52] = books.facts.accounts[CUSTOMER, 50]
    books.facts.accounts[CUSTOMER, 28] = books.facts.accounts[CUSTOMER, 50]
    assert books.said(first) == ["ok", "6.00"]

    assert not books.said(second)[1].startswith("=")


def test_a_replay_survives_settlement_and_a_disabled_tender_type() -> None:
    """The first answer stands, whatever became of the item and the tender type."""
    books = Books()
    books.said(pay("1:4#ref"))
    books.said(pay("1:6#rest"))
    tender = books.facts.tender_types[CUSTOMER, 28]
    assert tender is not None
    books.facts.tender_types[CUSTOMER, 28] = tender._replace(active=False)

    assert books.said(pay("1:4#ref")) == ["ok", "=6.00"]
    assert books.said(pay("1:4#ref", "4:1#ref")) == ["inactive_tender_type", "-", "-"]


def test_a_replay_carries_the_first_dates() -> None:
    """Both dates are those that the first answer wrote."""
    books = Books()
    books.record(pay("1:4#ref"))
    second = books.record(pay("1:4#ref"))

    assert isinstance(second, Outcome)
    assert second.entry is None
    assert second.lines[0].recorded_written == "recorded-1"
    assert second.lines[0].value_written == f"value-{WHOLE_SECOND}"
    assert [line.entry_id for line in second.replays] == [stamp(1).entry_id]


def test_a_mixed_request_records_only_what_is_new() -> None:
    """Known lines are replayed, new ones recorded, bad ones refused, in one answer."""
    books = Books()
    books.said(pay("1:4#ref"))

    assert books.said(pay("1:4#ref", "4:1#ref", "2:1#ref")) == [
        "ok",
        "=6.00",
        "6.50",
        "amount_exceeds_balance=0.00",
    ]


def test_strict_handling_counts_a_replay_as_good() -> None:
    """A known line beside a new one passes; beside a bad one nothing is recorded or replayed."""
    books = Books()
    books.said(pay("1:4#ref"))

    assert books.said(pay("1:4#ref", "2:1", strict=True)) == [
        "lines_refused",
        "-",
        "amount_exceeds_balance",
    ]
    assert books.said(pay("1:4#ref", "4:1", strict=True)) == ["ok", "=6.00", "6.50"]


def test_the_earliest_of_several_twins_is_meant() -> None:
    """Two payments told apart by their keys alone are, without a key, the first of them."""
    books = Books()
    books.said(pay("1:4#ref", key="k"))
    books.said(pay("1:4#ref", key="l"))

    assert books.said(pay("1:4#ref")) == ["ok", "=6.00"]


def test_a_key_gives_the_first_answer_again() -> None:
    """Same key, same request by meaning: the kept body; nothing moves."""
    books = Books()
    books.record(pay("1:4", key="k"))

    assert books.record(pay("1:4.00", key="k")) == KeyReplayed(b"['ok', '6.00']")
    assert books.said(pay("1:1")) == ["ok", "5.00"]


@pytest.mark.parametrize(
    "other",
    [
        pay("1:5", key="k"),
        pay("4:4", key="k"),
        pay("1:4#ref", key="k"),
        pay("1:4", key="k", strict=True),
        pay("1:4", key="k", value_at=TICK),
        make_command(PAYMENT, "B", 28, [make_line("1:4")], key="k"),
        make_command(PAYMENT, "A", 4, [make_line("1:4")], key="k"),
        with_line(pay("1:4", key="k"), notes="n"),
        pay("1:4", "4:1", key="k"),
    ],
)
def test_a_key_with_another_request_is_a_conflict(other: Command) -> None:
    """A key stands for one intent, for ever (a trap of another system: old answer, new body)."""
    books = Books()
    books.record(pay("1:4", key="k"))

    assert books.record(other) == KeyConflict()


def test_a_key_belongs_to_one_call() -> None:
    """The same text under the other call is another key."""
    books = Books()
    books.record(pay("1:4", key="k"))

    assert books.said(write_down("1:1@50", key="k")) == ["ok", "5.00"]


def test_a_key_that_recorded_nothing_stays_free() -> None:
    """A refused request, or one of replays alone, leaves nothing to protect."""
    books = Books()
    assert books.said(pay("1:11", key="k")) == ["ok", "amount_exceeds_balance=10.00"]
    assert books.said(pay("1:4#ref", key="k")) == ["ok", "6.00"]
    assert books.said(pay("1:4#ref", key="l")) == ["ok", "2.00"]

    assert books.said(pay("1:3#x")) == ["ok", "amount_exceeds_balance=2.00"]
    assert books.said(pay("4:1#y")) == ["ok", "6.50"]
    assert books.said(pay("4:1#y", key="m")) == ["ok", "=6.50"]
    assert books.said(pay("4:2#z", key="m")) == ["ok", "4.50"]
