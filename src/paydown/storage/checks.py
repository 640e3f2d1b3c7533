"""What the books must always satisfy, as questions to the database: each row found is a breach.

Law of this file: it shares no statement with the write path, only reads, and trusts no figure that
is kept for speed: it recomputes each from the postings. The SQL is plain, for any database and for
any auditor to run by hand.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text

from paydown.domain import journal
from paydown.domain.model import Entry, Posting
from paydown.storage.schema import entry, kept_answer, posting


class Question(NamedTuple):
    """An invariant as SQL. ``breaches`` finds each breach; ``template`` says one in words."""

    name: str
    promise: str
    examined: str
    breaches: str
    template: str


QUESTIONS = (
    Question(
        "debits_equal_credits",
        "every posting moves one positive amount from a debit to another account, its credit",
        "SELECT COUNT(*) FROM posting",
        """
        SELECT p.customer_id, p.entry_id, p.line_no
        FROM posting p
        LEFT JOIN account d
          ON d.customer_id = p.customer_id AND d.account_id = p.debit_account_id
        LEFT JOIN account c
          ON c.customer_id = p.customer_id AND c.account_id = p.credit_account_id
        WHERE p.amount <= 0 OR p.debit_account_id = p.credit_account_id
           OR d.account_id IS NULL OR c.account_id IS NULL
        """,
        "posting {entry_id}/{line_no} of customer {customer_id} does not balance",
    ),
    Question(
        "item_balances",
        "each item's total was charged, and its balance is what its postings leave",
        "SELECT COUNT(*) FROM billing_item",
        """
        SELECT i.customer_id, i.billing_id, i.total_amount, i.balance,
               COALESCE(m.charged, 0) AS charged, COALESCE(m.owed, 0) AS owed
        FROM billing_item i
        LEFT JOIN (
            SELECT p.customer_id, p.billing_id,
                   SUM(CASE WHEN e.kind = 'charge' THEN p.amount ELSE 0 END) AS charged,
                   SUM(CASE WHEN e.kind = 'charge' THEN p.amount ELSE -p.amount END) AS owed
            FROM posting p
            JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
            GROUP BY p.customer_id, p.billing_id
        ) m ON m.customer_id = i.customer_id AND m.billing_id = i.billing_id
        WHERE m.owed IS NULL OR m.owed <> i.balance OR m.charged <> i.total_amount
        """,
        "item {billing_id} of customer {customer_id}: total {total_amount}, charged {charged}; "
        "balance {balance}, postings leave {owed}",
    ),
    Question(
        "balances_within_totals",
        "no item owes less than nothing or more than its total",
        "SELECT COUNT(*) FROM billing_item",
        """
        SELECT customer_id, billing_id, total_amount, balance FROM billing_item
        WHERE balance < 0 OR balance > total_amount OR total_amount <= 0
        """,
        "item {billing_id} of customer {customer_id}: balance {balance} of {total_amount}",
    ),
    Question(
        "balances_after",
        "the balance that each posting left is where the item's next one began",
        "SELECT COUNT(*) FROM posting",
        """
        SELECT customer_id, billing_id, amount FROM (
            SELECT p.customer_id, p.billing_id, p.balance_after AS amount, 1 AS side
            FROM posting p
            UNION ALL
            SELECT p.customer_id, p.billing_id,
                   p.balance_after + CASE WHEN e.kind = 'charge' THEN -p.amount ELSE p.amount END,
                   -1
            FROM posting p
            JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
            UNION ALL
            SELECT customer_id, billing_id, balance, -1 FROM billing_item
            UNION ALL
            SELECT customer_id, billing_id, 0, 1 FROM billing_item
        ) AS step
        GROUP BY customer_id, billing_id, amount
        HAVING SUM(side) <> 0
        """,
        "item {billing_id} of customer {customer_id}: the steps through balance {amount} do not "
        "join up",
    ),
    Question(
        "receivables_tie_out",
        "each receivables account is the sum of its items' balances",
        "SELECT COUNT(*) FROM account WHERE account_type = 'receivable'",
        """
        SELECT a.customer_id, a.account_id, a.posted, a.owed FROM (
            SELECT a.customer_id, a.account_id,
                   COALESCE((SELECT SUM(p.amount) FROM posting p
                             WHERE p.customer_id = a.customer_id
                               AND p.debit_account_id = a.account_id), 0)
                   - COALESCE((SELECT SUM(p.amount) FROM posting p
                               WHERE p.customer_id = a.customer_id
                                 AND p.credit_account_id = a.account_id), 0) AS posted,
                   COALESCE((SELECT SUM(i.balance) FROM billing_item i
                             WHERE i.customer_id = a.customer_id
                               AND i.receivables_account_id = a.account_id), 0) AS owed
            FROM account a WHERE a.account_type = 'receivable'
        ) AS a
        WHERE a.posted <> a.owed
        """,
        "account {account_id} of customer {customer_id}: postings say {posted}, items owe {owed}",
    ),
    Question(
        "posting_accounts",
        "each posting moves its item's receivables account against the account its kind calls for",
        "SELECT COUNT(*) FROM posting",
        """
        SELECT p.customer_id, p.entry_id, p.line_no, e.kind
        FROM posting p
        JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
        JOIN billing_item i ON i.customer_id = p.customer_id AND i.billing_id = p.billing_id
        JOIN account a ON a.customer_id = p.customer_id
         AND a.account_id = CASE WHEN e.kind = 'charge' THEN p.credit_account_id
                                 ELSE p.debit_account_id END
        LEFT JOIN tender_type t
          ON t.customer_id = e.customer_id AND t.tender_type_id = e.tender_type_id
        WHERE i.receivables_account_id <> CASE WHEN e.kind = 'charge' THEN p.debit_account_id
                                               ELSE p.credit_account_id END
           OR a.account_type = 'receivable'
           OR (e.kind = 'payment' AND (t.clearing_account_id IS NULL
                                       OR t.clearing_account_id <> p.debit_account_id))
        """,
        "posting {entry_id}/{line_no} of customer {customer_id} ({kind}) uses another account",
    ),
    Question(
        "entries_agree_with_postings",
        "each entry has postings, on its own date and, for a payment or write-down, its contact's "
        "items",
        "SELECT COUNT(*) FROM entry",
        """
        SELECT e.customer_id, e.entry_id
        FROM entry e
        LEFT JOIN posting p ON p.customer_id = e.customer_id AND p.entry_id = e.entry_id
        LEFT JOIN billing_item i ON i.customer_id = p.customer_id AND i.billing_id = p.billing_id
        GROUP BY e.customer_id, e.entry_id
        HAVING COUNT(p.line_no) = 0 OR COUNT(p.line_no) <> COUNT(i.billing_id)
            OR MIN(p.line_no) <> 1 OR MAX(p.line_no) <> COUNT(*)
            OR MIN(p.value_at) <> e.value_at OR MAX(p.value_at) <> e.value_at
            OR MIN(i.contact_id) <> COALESCE(e.contact_id, MIN(i.contact_id))
            OR MAX(i.contact_id) <> COALESCE(e.contact_id, MAX(i.contact_id))
        """,
        "entry {entry_id} of customer {customer_id} and its postings disagree",
    ),
    Question(
        "kept_answers",
        "each Idempotency-Key that recorded something has its one entry and one kept answer",
        "SELECT COUNT(*) FROM kept_answer",
        """
        SELECT k.customer_id, k.idempotency_key
        FROM kept_answer k
        LEFT JOIN entry e ON e.customer_id = k.customer_id AND e.entry_id = k.entry_id
        WHERE e.entry_id IS NULL OR e.login_id <> k.login_id OR e.kind <> k.kind
           OR COALESCE(e.idempotency_key, '') <> k.idempotency_key
        UNION ALL
        SELECT e.customer_id, e.idempotency_key
        FROM entry e
        LEFT JOIN kept_answer k
          ON k.customer_id = e.customer_id AND k.login_id = e.login_id AND k.kind = e.kind
         AND k.idempotency_key = e.idempotency_key AND k.entry_id = e.entry_id
        WHERE e.idempotency_key IS NOT NULL AND k.entry_id IS NULL
        """,
        "key {idempotency_key!r} of customer {customer_id} does not lead to its entry",
    ),
    Question(
        "imported_items",
        "each imported item still says what its row said, and opened at the row's balance",
        "SELECT COUNT(*) FROM imported_row",
        """
        SELECT r.customer_id, r.billing_id
        FROM imported_row r
        JOIN billing_item i ON i.customer_id = r.customer_id AND i.billing_id = r.billing_id
        LEFT JOIN (
            SELECT p.customer_id, p.billing_id, SUM(p.amount) AS opened
            FROM posting p
            JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
            WHERE e.kind = 'opening_balance'
            GROUP BY p.customer_id, p.billing_id
        ) o ON o.customer_id = r.customer_id AND o.billing_id = r.billing_id
        WHERE r.contact_id <> i.contact_id OR r.description <> i.description
           OR r.total_amount <> i.total_amount OR r.due_on <> i.due_on
           OR r.total_amount - r.balance <> COALESCE(o.opened, 0)
        """,
        "item {billing_id} of customer {customer_id} is not what was imported",
    ),
    Question(
        "billing_ids",
        "the next BillingId of each customer is beyond every one in use",
        "SELECT COUNT(*) FROM item_defaults",
        """
        SELECT d.customer_id, d.next_billing_id FROM item_defaults d
        WHERE d.next_billing_id <= (SELECT MAX(i.billing_id) FROM billing_item i
                                    WHERE i.customer_id = d.customer_id)
        """,
        "customer {customer_id}: BillingId {next_billing_id} would be given out twice",
    ),
)


def count(connection: Connection, question: Question) -> int:
    """How many rows the question examines."""
    return int(connection.execute(text(question.examined)).scalar_one())


def ask(connection: Connection, question: Question) -> Iterator[str]:
    """Each breach found, in words."""
    for row in connection.execute(text(question.breaches)).mappings():
        yield question.template.format_map({name: _shown(value) for name, value in row.items()})


def _shown(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def altered_answers(connection: Connection) -> Iterator[tuple[str, bool]]:
    """Every kept answer's key, and whether it says other than when it was kept."""
    columns = ("customer_id", "idempotency_key", "fingerprint", "entry_id", "body", "digest")
    rows = connection.execute(select(*(kept_answer.c[name] for name in columns)))
    for customer_id, key, fingerprint, entry_id, body, digest in rows:
        found = journal.answer_digest(fingerprint, entry_id, body)
        yield f"the answer kept for key {key!r} of customer {customer_id}", found != digest


def altered_entries(connection: Connection) -> Iterator[tuple[str, bool]]:
    """Every entry's name, and whether it or its postings say other than when it was recorded."""
    of_entry = (entry.c[name] for name in Entry._fields[:-1])
    entries = select(*of_entry, entry.c.digest).order_by(entry.c.customer_id, entry.c.entry_id)
    of_posting = (posting.c[name] for name in Posting._fields)
    postings = select(posting.c.customer_id, posting.c.entry_id, *of_posting).order_by(
        posting.c.customer_id, posting.c.entry_id, posting.c.line_no
    )
    lines = iter(connection.execute(postings))
    line = next(lines, None)
    for *fields, digest in connection.execute(entries):
        key, own = tuple(fields[:2]), []
        while line is not None and line[:2] <= key:
            if line[:2] == key:
                own.append(Posting._make(line[2:]))
            line = next(lines, None)
        found = journal.digest(Entry._make((*fields, tuple(own))))
        yield f"entry {fields[1].hex()} of customer {fields[0]}", found != digest
