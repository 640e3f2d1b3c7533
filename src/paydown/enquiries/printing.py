"""A statement of account on paper and in a spreadsheet.

Law of this file: whatever a text holds, it is text. In HTML every sign of it is escaped, and the
page holds no script; in CSV nothing that a name or a reference begins with makes it a formula. In
neither does a text move a terminal.
"""

import base64
import csv
import hashlib
import io
import re
from html import escape
from string import Template

from paydown.wire.v1.documents import Statement, StatementLine

_FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n")
# What is shown by nothing, what breaks a line where no table's line ends, and what would have other
# text shown out of order. A carriage return alone lets a terminal write over what stands before it.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]|\r(?!\n)")
_COLUMNS = (
    *("date", "kind", "billing_id", "description", "reference"),
    *("charge", "credit", "balance", "posting_id"),
)

_STYLE = """
body { font: 11pt/1.4 system-ui, sans-serif; color: #111; max-width: 52rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; }
caption { text-align: left; padding: .4rem 0; color: #444; }
th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; overflow-wrap: anywhere;
  border-bottom: 1px solid #bbb; }
.amount, .whole { white-space: nowrap; overflow-wrap: normal; font-variant-numeric: tabular-nums; }
.amount { text-align: right; }
.sum th, .sum td { font-weight: bold; }
thead { display: table-header-group; }
thead th { overflow-wrap: normal; }
tr { break-inside: avoid; }
@page { margin: 15mm; }
@media screen { .lines { overflow-x: auto; } table { min-width: 44rem; } }
@media print { body { font-size: 9.5pt; max-width: none; margin: 0; padding: 0; } }
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HTML_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'"
"""The Content-Security-Policy of the page: its own style, and nothing else at all."""

_PAGE = Template(
    f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Statement of account, $contact_name</title>
<style>{_STYLE}</style>
</head>
<body>
<h1>Statement of account</h1>
<p>$customer_name</p>
<dl>
<dt>For</dt><dd>$contact_name</dd>
<dt>Reference</dt><dd>$contact_reference</dd>
<dt>From</dt><dd>$first_on</dd>
<dt>To</dt><dd>$last_on</dd>
</dl>
<div class="lines" role="region" aria-label="Movements" tabindex="0">
<table>
<caption>All amounts in $currency</caption>
<thead>
<tr><th scope="col">Date</th><th scope="col">Item</th><th scope="col">Description</th>
<th scope="col">Reference</th>
<th scope="col" class="amount">Charge</th><th scope="col" class="amount">Credit</th>
<th scope="col" class="amount">Balance</th></tr>
</thead>
<tbody>
<tr class="sum"><th scope="row" colspan="6">Balance before $first_on</th>
<td class="amount">$opening_balance</td></tr>
$rows
<tr class="sum"><th scope="row" colspan="6">Balance at the end of $last_on</th>
<td class="amount">$closing_balance</td></tr>
</tbody>
</table>
</div>
</body>
</html>
"""
)
_ROW = Template(
    '<tr><td class="whole">$date</td><td class="whole">$billing_id</td>'
    "<td>$description</td><td>$reference</td>"
    '<td class="amount">$charge</td><td class="amount">$credit</td>'
    '<td class="amount">$balance</td></tr>'
)


def print_html(statement: Statement) -> str:
    """A page that stands alone and prints well, for UTF-8. Serve it under ``HTML_POLICY``."""
    return _PAGE.substitute(
        customer_name=_escape(statement.customer_name),
        contact_name=_escape(statement.contact_name),
        contact_reference=_escape(statement.contact_reference or "none"),
        currency=_escape(statement.currency),
        first_on=statement.first_on,
        last_on=statement.last_on,
        opening_balance=statement.opening_balance,
        rows="\n".join(map(_print_row, statement.lines)),
        closing_balance=statement.closing_balance,
    )


def print_csv(statement: Statement) -> str:
    """A table whose first row names the columns, with both balances as rows of theirs."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(_COLUMNS)
    table.writerow(_total(statement.first_on, "Opening balance", statement.opening_balance))
    table.writerows(map(_tabulate, statement.lines))
    table.writerow(_total(statement.last_on, "Closing balance", statement.closing_balance))
    return text.getvalue()


def _print_row(line: StatementLine) -> str:
    return _ROW.substitute(
        date=line.value_at[:10],
        billing_id=line.billing_id or "",
        description=_escape(line.description),
        reference=_escape(line.reference or ""),
        charge=line.charge or "",
        credit=line.credit or "",
        balance=line.balance,
    )


def _escape(text: str) -> str:
    return escape(_tame(text))


def _tabulate(line: StatementLine) -> tuple[object, ...]:
    return (
        line.value_at[:10],
        line.kind,
        line.billing_id,
        _disarm(line.description),
        _disarm(line.reference or ""),
        line.charge,
        line.credit,
        line.balance,
        line.posting_id,
    )


def _total(day: str, words: str, amount: str) -> tuple[object, ...]:
    return (day, None, None, words, None, None, None, amount, None)


def _disarm(text: str) -> str:
    tame = _tame(text)
    return f"'{tame}" if tame.startswith(_FORMULA_BEGINNINGS) else tame


def _tame(text: str) -> str:
    """The text with a sign in place of each that would do something where it is shown."""
    return _CONTROLS.sub("\ufffd", text)
