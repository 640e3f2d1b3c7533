"""The store: load the facts of a batch, save what was decided, commit once.

Law of this file: a handful of set-based statements a batch, compiled once from the schema and fed
with tuples. Every statement names ``customer_id``. Nothing here decides.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

from sqlalchemy import Exists, Table, and_, bindparam, column, exists, select, update

from paydown.domain import decide, journal
from paydown.domain.decide import Facts
from paydown.domain.model import (
    AccountFact,
    Command,
    Entry,
    ItemFact,
    KeptAnswer,
    Kind,
    Posting,
    RecordedLine,
    Stamp,
    TenderTypeFact,
)
from paydown.domain.outcomes import Decision, Outcome
from paydown.storage import schema
from paydown.storage.database import Asked, Hold, Row, Session
from paydown.storage.statements import Statement, listed, prepare, prepare_insert

Encode = Callable[[Command, Outcome], bytes]


class Batch(NamedTuple):
    """What shares a commit: the commands in order, and each one's stamp, however often tried."""

    commands: Sequence[Command]
    stamps: Sequence[Stamp]


class Recorded(NamedTuple):
    """A command's decision, and the body made for it where that had to be before COMMIT."""

    decision: Decision
    answer: bytes | None


def _find(table: Table, key: Sequence[str], wanted: Sequence[str]) -> Statement:
    """Rows of the table by listed keys; a key that is not there gives no row."""
    rows = listed(table.c[name] for name in key)
    matches = and_(*(table.c[name] == rows.c[name] for name in key))
    columns = (table.c[name] for name in (*key, *wanted))
    return prepare(select(*columns).select_from(rows.join(table, matches)))


def _find_recorded_lines(*, referenced: bool) -> Statement:
    """Postings by place that stand, with what of their entries identifies a line, oldest first.

    The columns stand in the order of a place, ``RecordedLine`` and ``Posting``. Lines without a
    reference have a statement of their own, because NULL equals nothing.
    """
    entry, posting = schema.entry, schema.posting
    rows = listed(
        [posting.c[name] for name in ("customer_id", "billing_id", "value_at")]
        + [posting.c.reference]
    )
    found = rows.join(
        posting,
        and_(
            posting.c.customer_id == rows.c.customer_id,
            posting.c.billing_id == rows.c.billing_id,
            posting.c.value_at == rows.c.value_at,
            (
                posting.c.reference == rows.c.reference
                if referenced
                else posting.c.reference.is_(None)
            ),
        ),
    ).join(
        entry,
        and_(entry.c.customer_id == posting.c.customer_id, entry.c.entry_id == posting.c.entry_id),
    )
    of_entry = [entry.c[name] for name in RecordedLine._fields[:-1] if name in entry.c]
    of_posting = [posting.c[name] for name in Posting._fields]
    return prepare(
        select(posting.c.customer_id, posting.c.billing_id, posting.c.value_at, posting.c.reference)
        .add_columns(*of_entry, *of_posting)
        .select_from(found)
        .where(~_reversed(posting))
        # Without statistics SQLite takes the primary key's first column for the better way in.
        .with_hint(posting, f"INDEXED BY {schema.posting_history.name}", "sqlite")
        .order_by(entry.c.recorded_at, entry.c.entry_id, posting.c.line_no)
    )


def _reversed(posting: Table) -> Exists:
    """That the posting was reversed: its line may be recorded anew."""
    return exists().where(
        schema.reversal.c.customer_id == posting.c.customer_id,
        schema.reversal.c.reversed_entry_id == posting.c.entry_id,
        schema.reversal.c.reversed_line_no == posting.c.line_no,
    )


def _lower_balance() -> Statement:
    """Relative, so that the CHECK on the balance judges even a decision gone wrong."""
    item = schema.billing_item
    rows = listed([item.c.customer_id, item.c.billing_id, column("moved", item.c.balance.type)])
    return prepare(
        update(item)
        .where(item.c.customer_id == rows.c.customer_id, item.c.billing_id == rows.c.billing_id)
        .values(balance=item.c.balance - rows.c.moved)
    )


_ITEM_KEY = ("customer_id", "billing_id")
_ANSWER_KEY = ("customer_id", "login_id", "kind", "idempotency_key")
_FIND_CONTACTS = _find(schema.contact, ("customer_id", "contact_id"), ())
_FIND_TENDER_TYPES = _find(
    schema.tender_type, ("customer_id", "tender_type_id"), TenderTypeFact._fields
)
_FIND_ACCOUNTS = _find(schema.account, ("customer_id", "account_id"), AccountFact._fields)
_FIND_ITEMS = _find(schema.billing_item, _ITEM_KEY, ItemFact._fields)
_FIND_ANSWERS = _find(schema.kept_answer, _ANSWER_KEY, KeptAnswer._fields)
_FIND_REFERENCED = _find_recorded_lines(referenced=True)
_FIND_UNREFERENCED = _find_recorded_lines(referenced=False)
_FIND_ENTRY = prepare(
    select(schema.entry.c.entry_id).where(
        schema.entry.c.customer_id == bindparam("customer"),
        schema.entry.c.entry_id == bindparam("entry"),
    )
)
_FIND_REPLAY = prepare(
    select(schema.replay.c.line_no).where(
        schema.replay.c.customer_id == bindparam("customer"),
        schema.replay.c.replayed_at == bindparam("at"),
        schema.replay.c.entry_id == bindparam("entry"),
    )
)
_ADD_ENTRY = prepare_insert(schema.entry)
_ADD_POSTING = prepare_insert(schema.posting)
assert tuple(schema.entry.c.keys()) == (*Entry._fields[:-1], "digest")
assert tuple(schema.posting.c.keys()) == ("customer_id", "entry_id", "value_at", *Posting._fields)
_ADD_ANSWER = prepare_insert(schema.kept_answer)
_ADD_REPLAY = prepare_insert(schema.replay)
_LOWER_BALANCE = _lower_balance()


class Store:
    """Records batches of commands in a session's transactions, each begun, saved and committed."""

    def __init__(self, session: Session, encode: Encode) -> None:
        self._session = session
        self._encode = encode

    def save(self, batch: Batch) -> list[Recorded]:
        """Begin, decide the commands in order, and write what they record; ``commit`` is next.

        Raises ``StoreUnavailable``, or whatever a bug raises; nothing is recorded then.
        """
        facts = _asked(batch.commands)
        found = self._session.begin(_hold(facts), _questions(facts))
        try:
            _fill_in(facts, found)
            recorded = self._decide_all(batch, facts)
            self._write(batch, recorded)
        except BaseException:
            self._session.rollback()
            raise
        return recorded

    def commit(self) -> None:
        """The durability point. Raises ``StoreUnavailable``, which says if the outcome is known."""
        try:
            self._session.commit()
        except BaseException:
            self._session.rollback()
            raise

    def found(self, batch: Batch, recorded: Sequence[Recorded]) -> bool:
        """Whether a batch whose outcome was unknown is recorded: asked of the store opened anew.

        A batch is recorded whole or not at all, so its first row tells. The batch's own hold is
        taken again: while its first attempt is still under way somewhere, this waits for its end.
        """
        question = _first_row(batch, recorded)
        if question is None:
            return False
        session = self._session
        session.disconnect()
        session.begin(_hold(_asked(batch.commands)))
        try:
            there = session.fetch_one(*question)
        finally:
            session.rollback()
        if there:
            session.settle()
        return bool(there)

    def _decide_all(self, batch: Batch, facts: Facts) -> list[Recorded]:
        """Decide in order; each sees what those before it did."""
        recorded: list[Recorded] = []
        for command, stamp in zip(*batch, strict=True):
            decision = decide.decide(command, facts, stamp)
            answer = None
            if command.key and isinstance(decision, Outcome) and decision.entry:
                answer = self._encode(command, decision)
            recorded.append(Recorded(decision, answer))
            if len(recorded) < len(batch.commands):
                decide.apply(command, decision, facts, answer=answer)
        return recorded

    def _write(self, batch: Batch, recorded: Sequence[Recorded]) -> None:
        entries: list[Row] = []
        postings: list[Row] = []
        answers: list[Row] = []
        replays: list[Row] = []
        moved: dict[tuple[int, int], int] = {}
        for command, stamp, (decision, answer) in zip(*batch, recorded, strict=True):
            if entry := _entry_of(decision):
                entries.append(_entry_row(entry))
                postings += _posting_rows(entry)
                for posting in entry.postings:
                    assert posting.billing_id is not None, "a line of the two calls is for an item"
                    place = (entry.customer_id, posting.billing_id)
                    moved[place] = moved.get(place, 0) + posting.amount
                if answer is not None:
                    answers.append(_answer_row(command, entry, answer))
            if isinstance(decision, Outcome):
                replays += [_replay_row(command, stamp, line) for line in decision.replays]
        # In one order for all writers, so that no two wait for each other's keys.
        answers.sort()
        self._session.add(_ADD_ENTRY, entries)
        self._session.add(_ADD_POSTING, postings)
        self._session.add(_ADD_ANSWER, answers)
        self._session.add(_ADD_REPLAY, replays)
        self._session.change(_LOWER_BALANCE, [(*place, amount) for place, amount in moved.items()])
        self._session.flush()


def _asked(commands: Sequence[Command]) -> Facts:
    """Every fact that the commands could need, each as yet absent."""
    facts = Facts()
    for command in commands:
        request, customer_id = command.request, command.caller.customer_id
        facts.contacts[customer_id, request.contact_id] = False
        facts.tender_types[customer_id, request.tender_type_id] = None
        if key := decide.key_id(command):
            facts.kept_answers[key] = None
        for line in request.lines:
            facts.items[customer_id, line.billing_id] = None
            if line.gl_account_id is not None:
                facts.accounts[customer_id, line.gl_account_id] = None
            if decide.recognisable(command, line):
                facts.recorded_lines[decide.place_of(command, line)] = []
    return facts


def _questions(facts: Facts) -> list[Asked]:
    """What finds every one of the facts that is there."""
    places = list(facts.recorded_lines)
    return [
        (_FIND_CONTACTS, list(facts.contacts)),
        (_FIND_TENDER_TYPES, list(facts.tender_types)),
        (_FIND_ACCOUNTS, list(facts.accounts)),
        (_FIND_ITEMS, list(facts.items)),
        (_FIND_ANSWERS, list(facts.kept_answers)),
        (_FIND_REFERENCED, [place for place in places if place[-1] is not None]),
        (_FIND_UNREFERENCED, [place for place in places if place[-1] is None]),
    ]


def _fill_in(facts: Facts, found: list[list[Row]]) -> None:
    """Let the facts say what the questions found."""
    contacts, tender_types, accounts, items, answers, *lines = found
    for customer_id, contact_id in contacts:
        facts.contacts[customer_id, contact_id] = True
    for row in tender_types:
        facts.tender_types[row[:2]] = TenderTypeFact(*row[2:])
    for row in accounts:
        facts.accounts[row[:2]] = AccountFact(*row[2:])
    for row in items:
        facts.items[row[:2]] = ItemFact(*row[2:])
    for row in answers:
        facts.kept_answers[row[:4]] = KeptAnswer(*row[4:])
    for row in chain.from_iterable(lines):
        facts.recorded_lines[row[:4]].append(_recorded_line(row[4:]))


def _hold(facts: Facts) -> Hold:
    """What must not change while these facts are decided by."""
    customers = sorted({(customer_id,) for customer_id, _ in facts.contacts})
    return Hold(customers, sorted(facts.items))


def _first_row(batch: Batch, recorded: Sequence[Recorded]) -> tuple[Statement, Row] | None:
    """How to ask for the first row that the batch adds; None where it adds none."""
    for command, stamp, (decision, _) in zip(*batch, recorded, strict=True):
        customer_id = command.caller.customer_id
        if entry := _entry_of(decision):
            return _FIND_ENTRY, (customer_id, entry.entry_id)
        if isinstance(decision, Outcome) and decision.replays:
            first = decision.replays[0]
            return _FIND_REPLAY, (customer_id, stamp.recorded_at, first.entry_id)
    return None


def _entry_of(decision: Decision) -> Entry | None:
    return decision.entry if isinstance(decision, Outcome) else None


def _recorded_line(row: Row) -> RecordedLine:
    split = len(RecordedLine._fields) - 1
    kind, *of_entry = row[:split]
    return RecordedLine._make((Kind(kind), *of_entry, Posting._make(row[split:])))


def _entry_row(entry: Entry) -> Row:
    return (*entry[:2], entry.kind.value, *entry[3:-1], journal.digest(entry))


def _posting_rows(entry: Entry) -> list[Row]:
    own = (entry.customer_id, entry.entry_id, entry.value_at)
    return [(*own, *posting) for posting in entry.postings]


def _answer_row(command: Command, entry: Entry, answer: bytes) -> Row:
    key = decide.key_id(command)
    assert key is not None, "only a keyed answer is kept"
    fingerprint = decide.fingerprint(command)
    digest = journal.answer_digest(fingerprint, entry.entry_id, answer)
    return (*key, fingerprint, entry.entry_id, answer, digest)


def _replay_row(command: Command, stamp: Stamp, line: RecordedLine) -> Row:
    return (
        command.caller.customer_id,
        stamp.recorded_at,
        line.entry_id,
        line.posting.line_no,
        command.caller.login_id,
        command.request_id,
        command.address,
    )
