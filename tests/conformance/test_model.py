"""Random commands, retries and batches against a naive oracle; after each step all invariants."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import ledgers
from judge import read_oracle, told_by
from ledgers import ANNA, BEN, CASH, DISABLED_TENDER, EXTERNAL, TILL_AND_KIOSK
from makers import Maker, on_every_driver
from oracle import Told
from paydown import audit
from paydown.domain.model import Caller, Command, Kind, Line, Request, Stamp
from paydown.domain.outcomes import KeyConflict, KeyReplayed, Outcome
from paydown.service import encode_outcome
from paydown.storage import store
from paydown.storage.database import Database, Row
from paydown.storage.engine import new_entry_id
from paydown.storage.statements import Statement
from paydown.storage.store import Batch, Store

pytestmark = [
    on_every_driver,
    pytest.mark.no_cover,  # the same again and again, which being measured slows
]

WHOLE, TICK = 17_700_000_000_000_000, 17_700_000_000_000_001
AMOUNTS = [Decimal(text) for text in ("0.01", "1", "1.00", "3.5", "10", "0", "-1", "0.001", "11")]

lines = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 31, 999]),
        st.sampled_from(AMOUNTS),
        st.sampled_from([None, None, "r1", "r2"]),
        st.sampled_from([None, None, "n"]),
        st.sampled_from([None, None, "a"]),
    ),
    max_size=3,
)


@st.composite
def commands(draw: st.DrawFn, callers: list[Caller], accounts: list[int]) -> Command:
    """A command over few items, amounts, dates, references and keys, so that they meet."""
    kind = draw(st.sampled_from([Kind.PAYMENT, Kind.PAYMENT, Kind.WRITE_DOWN]))
    account = st.sampled_from(accounts)
    made = tuple(
        Line(item, amount, None, reference, notes, code)
        if kind is Kind.PAYMENT
        else Line(item, amount, draw(account))
        for item, amount, reference, notes, code in draw(lines)
    )
    value_at = draw(st.sampled_from([WHOLE, TICK]))
    request = Request(
        kind,
        draw(st.sampled_from([ANNA, ANNA, ANNA, BEN, "nobody"])),
        draw(st.sampled_from([EXTERNAL, EXTERNAL, EXTERNAL, CASH, DISABLED_TENDER, 99])),
        value_at,
        str(value_at),
        made,
        draw(st.sampled_from([None, "why"])) if kind is Kind.WRITE_DOWN else None,
    )
    return Command(
        request,
        draw(st.sampled_from(callers)),
        strict=draw(st.booleans()),
        key=draw(st.sampled_from([None, None, "k1", "k2"])),
    )


class Model(RuleBasedStateMachine):
    """Two ledgers get the same commands, one in batches and one singly; an oracle judges both."""

    maker: Maker

    @initialize()
    def open(self) -> None:
        """Both ledgers begin as the template."""
        self.databases = [self.maker.copy() for _ in range(2)]
        self.sessions = [database.session() for database in self.databases]
        self.batched, self.single = (Store(one, encode_outcome) for one in self.sessions)
        self.kept: dict[bytes, Told] = {}
        self.sent: list[Command] = []
        self.ticks = 17_800_000_000_000_000
        self.callers = self._callers(self.databases[0])
        with self.databases[0].read() as connection:
            self.oracle = read_oracle(connection)

    def _callers(self, database: Database) -> list[Caller]:
        books = ledgers.Books(database)
        till, kiosk = (books.caller(name) for name in TILL_AND_KIOSK)
        return [till, kiosk, till._replace(references_shared=True)]

    @rule(data=st.data(), count=st.integers(1, 4))
    def send(self, data: st.DataObject, count: int) -> None:
        """A batch of new commands."""
        accounts = [*list(self.oracle.accounts)[:2], max(self.oracle.accounts), 999]
        drawn = st.lists(commands(self.callers, accounts), min_size=count, max_size=count)
        self._check(data.draw(drawn))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """A batch of commands sent before, in any order, with or without a key or strictness."""
        again = data.draw(st.lists(st.sampled_from(self.sent), min_size=1, max_size=3))
        change = data.draw(st.sampled_from(CHANGES))
        self._check([change(command) for command in again])

    def _check(self, batch: list[Command]) -> None:
        stamps = [self._stamp() for _ in batch]
        together = self.batched.save(Batch(batch, stamps))
        self.batched.commit()
        alone = []
        for command, stamp in zip(batch, stamps, strict=True):
            alone += self.single.save(Batch([command], [stamp]))
            self.single.commit()
        assert together == alone
        for command, recorded in zip(batch, together, strict=True):
            told = told_by(recorded.decision, recorded.answer, self.kept)
            assert told == self.oracle.tell(command)
        self.sent += batch

    def _stamp(self) -> Stamp:
        self.ticks += 1
        return Stamp(new_entry_id(self.ticks), self.ticks, str(self.ticks))

    @invariant()
    def books_hold(self) -> None:
        """Every invariant of ``paydown verify``, and each balance as the oracle has it."""
        if not hasattr(self, "databases"):
            return
        expected = {key: int(item.balance.scaleb(2)) for key, item in self.oracle.items.items()}
        for database in self.databases:
            assert ledgers.Books(database).balances() == expected
            assert [line for found in audit.verify(database) for line in found.detail] == []

    def teardown(self) -> None:
        """Let go of the ledgers."""
        for session in getattr(self, "sessions", ()):
            session.close()


CHANGES: list[Callable[[Command], Command]] = [
    lambda command: command,
    lambda command: command,
    lambda command: command._replace(key=None),
    lambda command: command._replace(key="k1"),
    lambda command: command._replace(strict=not command.strict),
]


@pytest.mark.timeout(240)
def test_random_commands_agree_with_the_oracle(maker: Maker) -> None:
    """Outcomes and balances are the oracle's; a batch of n equals n batches of one."""

    class OnCopies(Model):
        pass

    OnCopies.maker = maker
    run: Any = run_state_machine_as_test
    limits = settings(max_examples=maker.histories_max, stateful_step_count=12, deadline=None)
    run(OnCopies, settings=limits)


def test_the_random_commands_reach_every_kind_of_outcome(database: Database) -> None:
    """The oracle and the product agree on a batch that holds each kind at once."""
    books = ledgers.Books(database)
    caller = books.caller()
    session = database.session()
    batch = [
        ledgers.pay(caller, {1: "4"}, key="k1"),
        ledgers.pay(caller, {1: "4"}, key="k1"),
        ledgers.pay(caller, {1: "5"}, key="k1"),
        ledgers.pay(caller, {2: "4"}, reference="r"),
        ledgers.pay(caller, {2: "4"}, reference="r"),
    ]
    stamps = [Stamp(new_entry_id(n), n, str(n)) for n in range(1, 6)]
    recorded = Store(session, encode_outcome).save(Batch(batch, stamps))
    session.commit()
    session.close()

    kinds = [type(one.decision) for one in recorded]
    assert kinds == [Outcome, KeyReplayed, KeyConflict, Outcome, Outcome]


def test_commands_that_share_a_commit_see_each_other(database: Database) -> None:
    """Each is decided on what those before it left, as if it had come alone."""
    caller = ledgers.Books(database).caller()
    batch = [ledgers.pay(caller, {1: amount}) for amount in ("4", "4", "2.01", "2")]
    stamps = [Stamp(new_entry_id(n), n, str(n)) for n in range(1, 5)]
    session = database.session()
    recorded = Store(session, encode_outcome).save(Batch(batch, stamps))
    session.commit()
    session.close()

    told = [told_by(one.decision, one.answer, {}) for one in recorded]
    assert told == [
        ["ok", (Decimal("6.00"), None)],
        ["ok", (Decimal("2.00"), None)],
        ["ok", (Decimal("2.00"), "amount_exceeds_balance")],
        ["ok", (Decimal("0.00"), None)],
    ]
    assert ledgers.Books(database).balances()[1] == 0


def test_keys_are_added_in_one_order(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever order they came in, so that no two servers wait for each other's keys."""
    caller = ledgers.Books(database).caller()
    keys = ["k3", "k1", "k2"]
    batch = [ledgers.pay(caller, {1: "1"}, key=key) for key in keys]
    session = database.session()
    add, added = session.add, []

    def note(statement: Statement, rows: Sequence[Row]) -> None:
        added.extend(row for row in rows if statement is store._ADD_ANSWER)
        add(statement, rows)

    monkeypatch.setattr(session, "add", note)
    stamps = [Stamp(new_entry_id(n), n, str(n)) for n in range(1, 4)]
    Store(session, encode_outcome).save(Batch(batch, stamps))
    session.close()

    assert [row[3] for row in added] == sorted(keys)
