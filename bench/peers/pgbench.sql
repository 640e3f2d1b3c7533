-- The statements of one payment of three lines, as pgbench sends them: prepared, one transaction.
-- It decides nothing, digests nothing and answers nobody. Colons in texts would be variables to it.
\set contact random(0, :contacts - 1)
\set first random(0, 7)
\set a :contact * 10 + :first + 1
\set b :a + 1
\set c :a + 2
\set reference random(1, 9000000000000000000)
BEGIN;
SELECT contact_id FROM contact WHERE customer_id = 1
  AND contact_id = '00000000-0000-4000-8000-' || lpad(:contact::text, 12, '0') \gset
SELECT clearing_account_id AS clearing FROM tender_type
  WHERE customer_id = 1 AND tender_type_id = 28 AND active = 1 \gset
SELECT billing_id, contact_id, balance, receivables_account_id FROM billing_item
  WHERE customer_id = 1 AND billing_id IN (:a, :b, :c) ORDER BY billing_id FOR UPDATE;
SELECT p.billing_id, p.amount, p.balance_after, e.contact_id, e.recorded_written
  FROM posting p JOIN entry e ON e.customer_id = p.customer_id AND e.entry_id = p.entry_id
  WHERE p.customer_id = 1 AND p.billing_id IN (:a, :b, :c)
  AND p.value_at = 17724437400000000 AND p.reference = :reference::text;
INSERT INTO entry (customer_id, entry_id, kind, contact_id, tender_type_id, login_id, request_id,
  address, value_at, value_written, recorded_at, recorded_written, digest)
  VALUES (1, uuid_send(uuidv7()), 'payment', :contact_id, 28, 1, :reference::text,
  '127.0.0.1', 17724437400000000, '2026-03-02T09.29.00',
  (extract(epoch FROM clock_timestamp()) * 10000000)::bigint, '2026-03-02T09.29.00.1234567+00.00',
  decode(repeat('00', 32), 'hex')) RETURNING entry_id \gset
INSERT INTO posting (customer_id, entry_id, value_at, line_no, billing_id, amount,
  debit_account_id, credit_account_id, balance_after, reference)
  VALUES
  (1, :entry_id::bytea, 17724437400000000, 1, :a, 5, :clearing, :receivables, 0, :reference::text),
  (1, :entry_id::bytea, 17724437400000000, 2, :b, 5, :clearing, :receivables, 0, :reference::text),
  (1, :entry_id::bytea, 17724437400000000, 3, :c, 5, :clearing, :receivables, 0, :reference::text);
UPDATE billing_item SET balance = balance - 5
  WHERE customer_id = 1 AND billing_id IN (:a, :b, :c);
COMMIT;
