"""Decide one command over loaded facts: the rules of the two calls, in their order.

Law of this file: ``decide`` is pure, and its rules stand in the order of ``Refusal``. ``Facts``
holds every fact that a batch could need, absent ones as None: looking up one that was never loaded
is a bug and raises KeyError. ``apply`` lets the batch's next command see what this one did.
"""

import hashlib
import json
from dataclasses import dataclass, field

from paydown.domain import journal, money
from paydown.domain.model import (
    TICKS_PER_SECOND,
    AccountFact,
    AccountType,
    Command,
    ItemFact,
    KeptAnswer,
    Kind,
    Line,
    Posting,
    RecordedLine,
    Stamp,
    TenderTypeFact,
)
from paydown.domain.outcomes import (
    Decision,
    KeyConflict,
    KeyReplayed,
    LineOutcome,
    Outcome,
    Refusal,
)

Id = tuple[int, int]
KeyId = tuple[int, int, str, str]
"""Customer, login, kind of call, and the key's text."""

Place = tuple[int, int, int, str | None]
"""Customer, item, value date and reference: where a line's twins are, few by nature."""


@dataclass(slots=True)
class Facts:
    """Everything the commands of one batch could need, by the full key of each thing."""

    contacts: dict[tuple[int, str], bool] = field(default_factory=dict)
    tender_types: dict[Id, TenderTypeFact | None] = field(default_factory=dict)
    accounts: dict[Id, AccountFact | None] = field(default_factory=dict)
    items: dict[Id, ItemFact | None] = field(default_factory=dict)
    recorded_lines: dict[Place, list[RecordedLine]] = field(default_factory=dict)
    kept_answers: dict[KeyId, KeptAnswer | None] = field(default_factory=dict)


def key_id(command: Command) -> KeyId | None:
    """The scope and text of the command's Idempotency-Key: customer, login, call, key."""
    if command.key is None:
        return None
    caller = command.caller
    return caller.customer_id, caller.login_id, command.request.kind.value, command.key


def fingerprint(command: Command) -> bytes:
    """SHA-256 of what the request means: parsed values and handling, not bytes."""
    request = command.request
    meaning = [
        request.kind,
        request.contact_id,
        request.tender_type_id,
        request.value_at,
        request.notes,
        command.strict,
        [_line_meaning(line) for line in request.lines],
    ]
    return hashlib.sha256(json.dumps(meaning).encode()).digest()


def recognisable(command: Command, line: Line) -> bool:
    """Whether a retry of this line can be told from a second honest payment without a key.

    It can when the line has a reference of its own, or its value date a fraction of a second.
    """
    if command.request.value_at % TICKS_PER_SECOND:
        return True
    return line.reference is not None and not command.caller.references_shared


def place_of(command: Command, line: Line) -> Place:
    """Where a recorded line that this one repeats would be."""
    request = command.request
    return command.caller.customer_id, line.billing_id, request.value_at, line.reference


def decide(command: Command, facts: Facts, stamp: Stamp) -> Decision:
    """What comes of the command. Nothing is changed: ``apply`` does that.

    A dry run's outcome tells what would be recorded or replayed, and has neither to save.
    """
    key = key_id(command)
    kept = facts.kept_answers[key] if key else None
    if kept is not None:
        same = kept.fingerprint == fingerprint(command)
        return KeyReplayed(kept.body) if same else KeyConflict()

    lines = command.request.lines
    if not lines:
        return _refuse_whole(command, Refusal.no_lines)
    if len({line.billing_id for line in lines}) < len(lines):
        return _refuse_whole(command, Refusal.repeated_billing_id)

    twins = [_find_twin(command, line, facts) for line in lines]
    if not all(twins):
        refusal = _check_contact(command, facts) or _check_tender_type(command, facts)
        if refusal:
            return _refuse_whole(command, refusal)
    return _decide_lines(command, twins, facts, stamp)


def _decide_lines(
    command: Command, twins: list[RecordedLine | None], facts: Facts, stamp: Stamp
) -> Outcome:
    """Each line by itself: no BillingId stands on two, so no line can see what another one did."""
    outcomes: list[LineOutcome] = []
    postings: list[Posting] = []
    for line, twin in zip(command.request.lines, twins, strict=True):
        if twin:
            outcomes.append(_replay(line, twin))
            continue
        judged = _judge_line(command, line, facts)
        if isinstance(judged, Refusal):
            outcomes.append(
                LineOutcome(line.billing_id, _visible_balance(command, line, facts), refusal=judged)
            )
        else:
            posting = _post(command, line, facts, line_no=len(postings) + 1, amount=judged)
            postings.append(posting)
            outcomes.append(
                LineOutcome(
                    line.billing_id,
                    posting.balance_after,
                    stamp.recorded_written,
                    command.request.value_written,
                )
            )
    if command.strict and any(outcome.refusal for outcome in outcomes):
        return _refuse_strictly(outcomes)
    if command.dry_run:
        return Outcome(None, tuple(outcomes))
    entry = journal.make_entry(command, stamp, tuple(postings)) if postings else None
    return Outcome(None, tuple(outcomes), entry, tuple(twin for twin in twins if twin))


def apply(command: Command, decision: Decision, facts: Facts, *, answer: bytes | None) -> None:
    """Let the facts say what the decision did. ``answer`` is the body kept under its key."""
    entry = decision.entry if isinstance(decision, Outcome) else None
    if entry is None:
        return
    for posting in entry.postings:
        assert posting.billing_id is not None, "a line of the two calls is for an item"
        item_id = (entry.customer_id, posting.billing_id)
        item = facts.items[item_id]
        assert item is not None, "a posting is made against a loaded item"
        facts.items[item_id] = item._replace(balance=posting.balance_after)
        twins = facts.recorded_lines.get((*item_id, entry.value_at, posting.reference))
        if twins is not None:
            twins.append(journal.recorded_line(entry, posting))
    key = key_id(command)
    if key:
        assert answer is not None, "a keyed answer is made before it is saved"
        facts.kept_answers[key] = KeptAnswer(fingerprint(command), answer)


def _check_contact(command: Command, facts: Facts) -> Refusal | None:
    known = facts.contacts[command.caller.customer_id, command.request.contact_id]
    return None if known else Refusal.unknown_contact


def _check_tender_type(command: Command, facts: Facts) -> Refusal | None:
    tender_type = facts.tender_types[command.caller.customer_id, command.request.tender_type_id]
    if tender_type is None:
        return Refusal.unknown_tender_type
    return None if tender_type.active else Refusal.inactive_tender_type


def _judge_line(command: Command, line: Line, facts: Facts) -> int | Refusal:
    """The amount to post, in minor units, or why nothing is."""
    item = facts.items[command.caller.customer_id, line.billing_id]
    if item is None or item.contact_id != command.request.contact_id:
        return Refusal.unknown_billing_item
    if refusal := _check_gl_account(command, line, facts):
        return refusal
    if line.amount <= 0:
        return Refusal.amount_not_positive
    amount = money.to_minor(line.amount, command.caller.minor_digits)
    if amount is None:
        return Refusal.amount_too_precise
    return Refusal.amount_exceeds_balance if amount > item.balance else amount


def _check_gl_account(command: Command, line: Line, facts: Facts) -> Refusal | None:
    if line.gl_account_id is None:
        return None
    account = facts.accounts[command.caller.customer_id, line.gl_account_id]
    if account is None:
        return Refusal.unknown_gl_account
    if not account.active:
        return Refusal.inactive_gl_account
    return Refusal.receivable_gl_account if account.account_type == AccountType.RECEIVABLE else None


def _post(command: Command, line: Line, facts: Facts, *, line_no: int, amount: int) -> Posting:
    """The posting of a line that has passed every check."""
    customer_id = command.caller.customer_id
    item = facts.items[customer_id, line.billing_id]
    tender_type = facts.tender_types[customer_id, command.request.tender_type_id]
    assert item is not None, "checked before"
    assert tender_type is not None, "checked before"
    debit = tender_type.clearing_account_id if line.gl_account_id is None else line.gl_account_id
    return Posting(
        line_no=line_no,
        billing_id=line.billing_id,
        amount=amount,
        debit_account_id=debit,
        credit_account_id=item.receivables_account_id,
        balance_after=item.balance - amount,
        reference=line.reference,
        notes=line.notes,
        authorization_code=line.authorization_code,
    )


def _find_twin(command: Command, line: Line, facts: Facts) -> RecordedLine | None:
    """The recorded line that this one repeats: the earliest, where several could be meant."""
    if not recognisable(command, line):
        return None
    recorded_here = facts.recorded_lines[place_of(command, line)]
    if not recorded_here:
        return None
    amount = money.to_minor(line.amount, command.caller.minor_digits)
    for recorded in recorded_here:
        if amount == recorded.posting.amount and _is_twin(command, line, recorded):
            return recorded
    return None


def _is_twin(command: Command, line: Line, recorded: RecordedLine) -> bool:
    """Whether all that identifies a line agrees; its place and amount are known to."""
    request, posting = command.request, recorded.posting
    if (recorded.kind, recorded.contact_id, recorded.tender_type_id) != (
        request.kind,
        request.contact_id,
        request.tender_type_id,
    ):
        return False
    if _other_key(command, recorded):
        return False
    if line.authorization_code != posting.authorization_code:
        return False
    if request.kind == Kind.WRITE_DOWN:
        return request.notes == recorded.notes and line.gl_account_id == posting.debit_account_id
    identified = line.reference is not None and not command.caller.references_shared
    return identified or line.notes == posting.notes


def _other_key(command: Command, recorded: RecordedLine) -> bool:
    """Two different keys are two intents, whatever else agrees."""
    if command.key is None or recorded.idempotency_key is None:
        return False
    return (command.caller.login_id, command.key) != (recorded.login_id, recorded.idempotency_key)


def _replay(line: Line, twin: RecordedLine) -> LineOutcome:
    return LineOutcome(
        line.billing_id,
        twin.posting.balance_after,
        twin.recorded_written,
        twin.value_written,
        replayed=True,
    )


def _visible_balance(command: Command, line: Line, facts: Facts) -> int | None:
    """The item's balance; None where it is another contact's, so that nobody learns of it."""
    item = facts.items[command.caller.customer_id, line.billing_id]
    return item.balance if item and item.contact_id == command.request.contact_id else None


def _refuse_whole(command: Command, refusal: Refusal) -> Outcome:
    return Outcome(
        refusal, tuple(LineOutcome(line.billing_id, None) for line in command.request.lines)
    )


def _refuse_strictly(outcomes: list[LineOutcome]) -> Outcome:
    """Nothing is recorded; the lines at fault keep their own refusal."""
    lines = (LineOutcome(line.billing_id, None, refusal=line.refusal) for line in outcomes)
    return Outcome(Refusal.lines_refused, tuple(lines))


def _line_meaning(line: Line) -> list[object]:
    amount = f"{line.amount.normalize():f}"
    return [
        line.billing_id,
        amount,
        line.gl_account_id,
        line.reference,
        line.notes,
        line.authorization_code,
    ]
