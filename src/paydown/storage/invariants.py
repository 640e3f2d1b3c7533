"""What the books must always satisfy, as questions to the database: each row found is a breach.

Law of this file: it shares no statement with the write path, only reads, and trusts no figure that
is kept for speed: it recomputes each from the postings. The SQL is plain, for any database and for
any auditor to run by hand.
"""

from typing import NamedTuple


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
                   SUM(CASE WHEN p.debit_account_id = i.receivables_account_id
                            THEN p.amount ELSE -p.amount END) AS owed
            FROM posting p
            JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
            JOIN billing_item i
              ON i.customer_id = p.customer_id AND i.billing_id = p.billing_id
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
            FROM posting p WHERE p.billing_id IS NOT NULL
            UNION ALL
            SELECT p.customer_id, p.billing_id,
                   p.balance_after + CASE WHEN p.debit_account_id = i.receivables_account_id
                                          THEN -p.amount ELSE p.amount END,
                   -1
            FROM posting p
            JOIN billing_item i
              ON i.customer_id = p.customer_id AND i.billing_id = p.billing_id
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
        "each posting moves its item's receivables account, or none as a receipt's does, against "
        "the account its kind calls for",
        "SELECT COUNT(*) FROM posting",
        """
        SELECT p.customer_id, p.entry_id, p.line_no, e.kind
        FROM posting p
        JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
        LEFT JOIN billing_item i ON i.customer_id = p.customer_id AND i.billing_id = p.billing_id
        LEFT JOIN account a ON a.customer_id = p.customer_id
         AND a.account_id = CASE WHEN p.debit_account_id = i.receivables_account_id
                                 THEN p.credit_account_id ELSE p.debit_account_id END
        LEFT JOIN tender_type t
          ON t.customer_id = e.customer_id AND t.tender_type_id = e.tender_type_id
        LEFT JOIN receipt_defaults d ON d.customer_id = p.customer_id
        WHERE (e.kind <> 'reversal' AND (p.billing_id IS NULL) <> (e.kind = 'receipt'))
           OR (p.billing_id IS NOT NULL
               AND (a.account_type = 'receivable'
                    OR i.receivables_account_id NOT IN (p.debit_account_id, p.credit_account_id)))
           OR (e.kind = 'charge' AND i.receivables_account_id <> p.debit_account_id)
           OR (e.kind NOT IN ('charge', 'reversal')
               AND i.receivables_account_id <> p.credit_account_id)
           OR (e.kind IN ('payment', 'receipt')
               AND COALESCE(t.clearing_account_id, 0) <> p.debit_account_id)
           OR (e.kind = 'receipt'
               AND (COALESCE(d.unapplied_account_id, 0) <> p.credit_account_id
                    OR p.balance_after <> p.amount))
        """,
        "posting {entry_id}/{line_no} of customer {customer_id} ({kind}) uses another account",
    ),
    Question(
        "reversals_mirror",
        "each posting of a reversal mirrors one that is none, not before its date, and no other "
        "does",
        "SELECT COUNT(*) FROM reversal",
        """
        SELECT p.customer_id, p.entry_id, p.line_no
        FROM posting p
        JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
        LEFT JOIN reversal v ON v.customer_id = p.customer_id
         AND v.entry_id = p.entry_id AND v.line_no = p.line_no
        LEFT JOIN posting o ON o.customer_id = v.customer_id
         AND o.entry_id = v.reversed_entry_id AND o.line_no = v.reversed_line_no
        LEFT JOIN entry u ON u.customer_id = o.customer_id AND u.entry_id = o.entry_id
        WHERE (e.kind = 'reversal') <> (v.entry_id IS NOT NULL)
           OR (e.kind = 'reversal'
               AND (COALESCE(u.kind, 'reversal') = 'reversal'
                    OR p.amount <> o.amount
                    OR p.debit_account_id <> o.credit_account_id
                    OR p.credit_account_id <> o.debit_account_id
                    OR COALESCE(p.billing_id, 0) <> COALESCE(o.billing_id, 0)
                    OR COALESCE('=' || p.reference, '') <> COALESCE('=' || o.reference, '')
                    OR COALESCE('=' || p.authorization_code, '')
                       <> COALESCE('=' || o.authorization_code, '')
                    OR p.value_at < o.value_at))
        """,
        "posting {entry_id}/{line_no} of customer {customer_id} is no mirror of what it reverses",
    ),
    Question(
        "entries_agree_with_postings",
        "each entry has postings, on its own date and, where it names a contact, for its items",
        "SELECT COUNT(*) FROM entry",
        """
        SELECT e.customer_id, e.entry_id
        FROM entry e
        LEFT JOIN posting p ON p.customer_id = e.customer_id AND p.entry_id = e.entry_id
        LEFT JOIN billing_item i ON i.customer_id = p.customer_id AND i.billing_id = p.billing_id
        GROUP BY e.customer_id, e.entry_id
        HAVING COUNT(p.line_no) = 0 OR COUNT(p.billing_id) <> COUNT(i.billing_id)
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
          AND e.kind IN ('payment', 'write_down')
        """,
        "key {idempotency_key!r} of customer {customer_id} does not lead to its entry",
    ),
    Question(
        "desk_answers",
        "each Idempotency-Key under which something else was recorded has a kept answer that "
        "says so",
        "SELECT COUNT(*) FROM desk_answer",
        """
        SELECT e.customer_id, e.entry_id, e.idempotency_key
        FROM entry e
        LEFT JOIN (
            SELECT DISTINCT customer_id, login_id, idempotency_key FROM desk_answer
            WHERE status BETWEEN 200 AND 299
        ) k ON k.customer_id = e.customer_id AND k.login_id = e.login_id
           AND k.idempotency_key = e.idempotency_key
        WHERE e.idempotency_key IS NOT NULL AND e.kind NOT IN ('payment', 'write_down')
          AND k.customer_id IS NULL
        """,
        "key {idempotency_key!r} of customer {customer_id} has no answer for entry {entry_id}",
    ),
    Question(
        "receipts_add_up",
        "each receipt is one posting of its amount, and what is unapplied of it is what "
        "allocations and reversals leave",
        "SELECT COUNT(*) FROM receipt",
        """
        SELECT r.customer_id, r.entry_id, r.amount, r.unapplied
        FROM receipt r
        JOIN entry e ON e.customer_id = r.customer_id AND e.entry_id = r.entry_id
        LEFT JOIN posting p ON p.customer_id = r.customer_id AND p.entry_id = r.entry_id
        LEFT JOIN reversal v ON v.customer_id = p.customer_id
         AND v.reversed_entry_id = p.entry_id AND v.reversed_line_no = p.line_no
        LEFT JOIN (
            SELECT a.customer_id, a.receipt_entry_id, SUM(p.amount) AS applied
            FROM allocation a
            JOIN posting p ON p.customer_id = a.customer_id
             AND p.entry_id = a.entry_id AND p.line_no = a.line_no
            LEFT JOIN reversal v ON v.customer_id = a.customer_id
             AND v.reversed_entry_id = a.entry_id AND v.reversed_line_no = a.line_no
            WHERE v.entry_id IS NULL
            GROUP BY a.customer_id, a.receipt_entry_id
        ) m ON m.customer_id = r.customer_id AND m.receipt_entry_id = r.entry_id
        WHERE e.kind <> 'receipt' OR COALESCE(e.contact_id, '') <> r.contact_id
           OR COALESCE(p.line_no, 0) <> 1 OR p.amount <> r.amount
           OR r.unapplied <> CASE WHEN v.entry_id IS NULL THEN r.amount ELSE 0 END
                             - COALESCE(m.applied, 0)
        UNION ALL
        SELECT e.customer_id, e.entry_id, NULL, NULL
        FROM entry e
        LEFT JOIN receipt r ON r.customer_id = e.customer_id AND r.entry_id = e.entry_id
        WHERE e.kind = 'receipt' AND r.entry_id IS NULL
        """,
        "receipt {entry_id} of customer {customer_id} of {amount}, unapplied {unapplied}: the "
        "postings say otherwise",
    ),
    Question(
        "allocations",
        "each allocation takes from a receipt's account, for an item of the same contact",
        "SELECT COUNT(*) FROM allocation",
        """
        SELECT p.customer_id, p.entry_id, p.line_no
        FROM posting p
        JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
        LEFT JOIN allocation a ON a.customer_id = p.customer_id
         AND a.entry_id = p.entry_id AND a.line_no = p.line_no
        LEFT JOIN receipt r ON r.customer_id = a.customer_id AND r.entry_id = a.receipt_entry_id
        LEFT JOIN posting o ON o.customer_id = r.customer_id AND o.entry_id = r.entry_id
         AND o.line_no = 1
        LEFT JOIN billing_item i ON i.customer_id = p.customer_id AND i.billing_id = p.billing_id
        WHERE (e.kind = 'allocation') <> (a.entry_id IS NOT NULL)
           OR (e.kind = 'allocation'
               AND (COALESCE(o.credit_account_id, 0) <> p.debit_account_id
                    OR COALESCE(i.contact_id, '') <> r.contact_id))
        """,
        "posting {entry_id}/{line_no} of customer {customer_id} is no part of a receipt",
    ),
    Question(
        "unapplied_tie_out",
        "what receipts, allocations and their reversals leave on an account is what is unapplied",
        "SELECT COUNT(*) FROM receipt_defaults",
        """
        SELECT customer_id, account_id, SUM(posted) AS posted, SUM(unapplied) AS unapplied
        FROM (
            SELECT p.customer_id, p.credit_account_id AS account_id,
                   p.amount AS posted, 0 AS unapplied
            FROM posting p
            JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
            WHERE e.kind = 'receipt'
            UNION ALL
            SELECT p.customer_id, p.debit_account_id, -p.amount, 0
            FROM posting p
            JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
            WHERE e.kind = 'allocation'
            UNION ALL
            SELECT p.customer_id,
                   CASE e.kind WHEN 'receipt' THEN p.debit_account_id
                               ELSE p.credit_account_id END,
                   CASE e.kind WHEN 'receipt' THEN -p.amount ELSE p.amount END,
                   0
            FROM reversal v
            JOIN posting p ON p.customer_id = v.customer_id
             AND p.entry_id = v.entry_id AND p.line_no = v.line_no
            JOIN entry e ON e.customer_id = v.customer_id AND e.entry_id = v.reversed_entry_id
            WHERE e.kind IN ('receipt', 'allocation')
            UNION ALL
            SELECT r.customer_id, p.credit_account_id, 0, r.unapplied
            FROM receipt r
            JOIN posting p ON p.customer_id = r.customer_id AND p.entry_id = r.entry_id
        ) AS moved
        GROUP BY customer_id, account_id
        HAVING SUM(posted) <> SUM(unapplied)
        """,
        "account {account_id} of customer {customer_id}: postings say {posted}, receipts have "
        "{unapplied} unapplied",
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
        "created_items",
        "each item was imported or created, and a created one is on the accounts that its billing "
        "type names",
        "SELECT COUNT(*) FROM created_item",
        """
        SELECT i.customer_id, i.billing_id
        FROM billing_item i
        LEFT JOIN imported_row r ON r.customer_id = i.customer_id AND r.billing_id = i.billing_id
        LEFT JOIN created_item n ON n.customer_id = i.customer_id AND n.billing_id = i.billing_id
        LEFT JOIN billing_type t
          ON t.customer_id = n.customer_id AND t.billing_type_id = n.billing_type_id
        LEFT JOIN item_defaults d ON d.customer_id = i.customer_id
        LEFT JOIN (
            SELECT p.customer_id, p.billing_id, MIN(p.credit_account_id) AS income_account_id
            FROM posting p
            JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
            JOIN created_item n ON n.customer_id = p.customer_id AND n.billing_id = p.billing_id
            WHERE e.kind = 'charge'
            GROUP BY p.customer_id, p.billing_id
        ) c ON c.customer_id = n.customer_id AND c.billing_id = n.billing_id
        WHERE (r.billing_id IS NULL) = (n.billing_id IS NULL)
           OR (n.billing_id IS NOT NULL
               AND (COALESCE(t.income_account_id, 0) <> COALESCE(c.income_account_id, 0)
                    OR i.receivables_account_id
                       <> CASE n.is_external WHEN 1 THEN t.external_receivables_account_id
                                             ELSE d.receivables_account_id END))
        """,
        "item {billing_id} of customer {customer_id} is not what its billing type makes it",
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
