"""The store: load the facts of a batch, save what was decided, commit once.

Law of this file: a handful of set-based statements a batch, compiled once from the schema and fed
with tuples. Every statement names ``customer_id``. Nothing here decides.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Table, and_, bindparam, insert, select, update

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
from paydown.storage.engine import Row, Session, Statement, listed, prepare

Encode = Callable[[Command, Outcome], bytes]


class Recorded(NamedTuple):
    """A command's decision, and the body made for it where that had to be before COMMIT."""

    decision: Decision
    answer: bytes | None


def _find(table: Table, key: Sequence[str], wanted: Sequence[str]) -> Statement:
    """Rows of the table by listed keys; a key that is not there gives no row."""
    rows, values = listed(len(key))
    matches = and_(*(table.c[name] == value for name, value in zip(key, values, strict=True)))
    columns = (table.c[name] for name in (*key, *wanted))
    return prepare(select(*columns).select_from(rows.join(table, matches)))


def _find_recorded_lines(*, referenced: bool) -> Statement:
    """Postings by place, with what of their entries identifies a line, oldest first.

    The columns stand in the order of a place, ``RecordedLine`` and ``Posting``. Lines without a
    reference have a statement of their own, because NULL equals nothing.
    """
    entry, posting = schema.entry, schema.posting
    rows, (customer_id, billing_id, value_at, reference) = listed(4)
    found = rows.join(
        posting,
        and_(
            posting.c.customer_id == customer_id,
            posting.c.billing_id == billing_id,
            posting.c.value_at == value_at,
            posting.c.reference == reference if referenced else posting.c.reference.is_(None),
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
        # Without statistics SQLite takes the primary key's first column for the better way in.
        .with_hint(posting, f"INDEXED BY {schema.posting_history.name}", "sqlite")
        .order_by(entry.c.recorded_at, entry.c.entry_id, posting.c.line_no)
    )


def _lower_balance() -> Statement:
    """Relative, so that the CHECK on the balance judges even a decision gone wrong."""
    item = schema.billing_item
    return prepare(
        update(item)
        .where(
            item.c.customer_id == bindparam("of_customer"),
            item.c.billing_id == bindparam("of_item"),
        )
        .values(balance=item.c.balance - bindparam("moved"))
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
_ADD_ENTRY = prepare(insert(schema.entry))
_ADD_POSTING = prepare(insert(schema.posting))
assert _ADD_ENTRY.names == (*Entry._fields[:-1], "digest")
assert _ADD_POSTING.names == ("customer_id", "entry_id", "value_at", *Posting._fields)
_ADD_ANSWER = prepare(insert(schema.kept_answer))
_ADD_REPLAY = prepare(insert(schema.replay))
_LOWER_BALANCE = _lower_balance()


class Store:
    """Records batches of commands in a session's transactions, each begun, saved and committed."""

    def __init__(self, session: Session, encode: Encode) -> None:
        self._session = session
        self._encode = encode

    def save(self, commands: Sequence[Command], stamps: Sequence[Stamp]) -> list[Recorded]:
        """Begin, decide the commands in order, and write what they record; ``commit`` is next.

        Raises ``StoreUnavailable``, or whatever a bug raises; nothing is recorded then.
        """
        self._session.begin()
        try:
            facts = self._load(commands)
            recorded = [
                self._decide(command, stamp, facts)
                for command, stamp in zip(commands, stamps, strict=True)
            ]
            self._write(commands, stamps, recorded)
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
        self._session.check_file()

    def found(self, recorded: Sequence[Recorded]) -> bool:
        """Whether a batch whose outcome was unknown is recorded: asked of the store opened anew.

        A batch is recorded whole or not at all, so its first entry tells.
        """
        entries = [entry for one in recorded if (entry := _entry_of(one.decision))]
        if not entries:
            return False
        session = self._session
        session.disconnect()
        session.begin()
        try:
            there = session.fetch_one(_FIND_ENTRY, (entries[0].customer_id, entries[0].entry_id))
        finally:
            session.rollback()
        if there:
            session.settle()
        return bool(there)

    def _load(self, commands: Sequence[Command]) -> Facts:
        facts = _asked(commands)
        fetch = self._session.fetch
        for customer_id, contact_id in fetch(_FIND_CONTACTS, list(facts.contacts)):
            facts.contacts[customer_id, contact_id] = True
        for row in fetch(_FIND_TENDER_TYPES, list(facts.tender_types)):
            facts.tender_types[row[:2]] = TenderTypeFact(*row[2:])
        for row in fetch(_FIND_ACCOUNTS, list(facts.accounts)):
            facts.accounts[row[:2]] = AccountFact(*row[2:])
        for row in fetch(_FIND_ITEMS, list(facts.items)):
            facts.items[row[:2]] = ItemFact(*row[2:])
        for row in fetch(_FIND_ANSWERS, list(facts.kept_answers)):
            facts.kept_answers[row[:4]] = KeptAnswer(*row[4:])
        referenced = [place for place in facts.recorded_lines if place[-1] is not None]
        unreferenced = [place for place in facts.recorded_lines if place[-1] is None]
        for row in fetch(_FIND_REFERENCED, referenced) + fetch(_FIND_UNREFERENCED, unreferenced):
            facts.recorded_lines[row[:4]].append(_recorded_line(row[4:]))
        return facts

    def _decide(self, command: Command, stamp: Stamp, facts: Facts) -> Recorded:
        decision = decide.decide(command, facts, stamp)
        answer = None
        if command.key and isinstance(decision, Outcome) and decision.entry:
            answer = self._encode(command, decision)
        decide.apply(command, decision, facts, answer=answer)
        return Recorded(decision, answer)

    def _write(
        self, commands: Sequence[Command], stamps: Sequence[Stamp], recorded: Sequence[Recorded]
    ) -> None:
        entries: list[Row] = []
        postings: list[Row] = []
        answers: list[Row] = []
        replays: list[Row] = []
        moved: dict[tuple[int, int], int] = {}
        for command, stamp, (decision, answer) in zip(commands, stamps, recorded, strict=True):
            if entry := _entry_of(decision):
                entries.append(_entry_row(entry))
                postings += _posting_rows(entry)
                for posting in entry.postings:
                    place = (entry.customer_id, posting.billing_id)
                    moved[place] = moved.get(place, 0) + posting.amount
                if answer is not None:
                    answers.append(_answer_row(command, entry, answer))
            if isinstance(decision, Outcome):
                replays += [_replay_row(command, stamp, line) for line in decision.replays]
        run = self._session.run
        run(_ADD_ENTRY, entries)
        run(_ADD_POSTING, postings)
        run(_ADD_ANSWER, answers)
        run(_ADD_REPLAY, replays)
        run(_LOWER_BALANCE, [(amount, *place) for place, amount in moved.items()])


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
