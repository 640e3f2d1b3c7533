"""What the CSV file of an import may hold: the table of faults, each with its line number."""

import pytest

from paydown.imports.reading import FAULTS_MAX, Fault, Reader

ANNA = "6ae26b8d-5064-492b-b727-fcd34e07710b"
BEN = "f9025eb8-7bcb-4f72-aa35-ca5d82e6cb01"
HEADER = "contact_id,contact_name,billing_id,description,total_amount,balance,due_on,income_account"
GOOD = {
    "contact_id": ANNA,
    "contact_name": "Anna",
    "billing_id": "1",
    "description": "Fee",
    "total_amount": "10.00",
    "balance": "",
    "due_on": "2026-02-28",
    "income_account": "4000",
}


def read(*lines, minor_digits=2, numbered=False):
    """The rows and the faults of a file of these lines."""
    reader = Reader(minor_digits, numbered=numbered)
    rows = list(reader.read("\n".join(lines).splitlines(keepends=True)))
    return rows, reader


def line(**cells):
    """A line of the file, good but for these cells."""
    return ",".join({**GOOD, **cells}.values())


def test_a_good_row_is_read():
    """Amounts become minor units, an empty balance is the total, a guid is written one way."""
    rows, reader = read(
        HEADER, line(contact_id="{" + ANNA.upper() + "}"), line(billing_id="2", balance="0")
    )
    assert [tuple(row) for row in rows] == [
        (2, 1, ANNA, "Anna", "Fee", 1000, 1000, "2026-02-28", "4000"),
        (3, 2, ANNA, "Anna", "Fee", 1000, 0, "2026-02-28", "4000"),
    ]
    assert (reader.row_count, reader.total_amount, reader.faults.count) == (2, 2000, 0)


def test_columns_come_in_any_order_and_two_may_be_left_out():
    """The header says what is where; spaces around a cell do not count."""
    rows, reader = read(
        "due_on, total_amount ,income_account,description,contact_name,contact_id",
        f" 2026-02-28 ,1,4000,,Anna,{ANNA}",
        numbered=True,
    )
    assert reader.faults.kept == []
    assert (rows[0].billing_id, rows[0].total_amount, rows[0].description) == (None, 100, "")


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ({"contact_id": "7"}, "contact_id '7' is not a guid."),
        ({"contact_name": " "}, "contact_name is empty."),
        ({"contact_name": "n" * 256}, "contact_name is longer than 255 characters."),
        ({"contact_name": "A\0"}, r"contact_name holds '\x00', which cannot be printed."),
        ({"contact_name": "A\x1b[2J"}, r"contact_name holds '\x1b', which cannot be printed."),
        ({"description": "A\u202eB"}, r"description holds '\u202e', which cannot be printed."),
        ({"income_account": "40\x7f0"}, r"income_account holds '\x7f', which cannot be printed."),
        (
            {"billing_id": ""},
            "The row has no billing_id. Name the batch to have one given: --batch.",
        ),
        ({"billing_id": "0"}, "billing_id '0' is not a whole number from 1 to 2147483647."),
        ({"billing_id": "-1"}, "billing_id '-1' is not a whole number from 1 to 2147483647."),
        ({"billing_id": "1.0"}, "billing_id '1.0' is not a whole number from 1 to 2147483647."),
        (
            {"billing_id": "2147483648"},
            "billing_id '2147483648' is not a whole number from 1 to 2147483647.",
        ),
        ({"description": "d" * 4001}, "description is longer than 4000 characters."),
        ({"total_amount": ""}, "total_amount '' is not an amount such as 1234.56."),
        ({"total_amount": "1e3"}, "total_amount '1e3' is not an amount such as 1234.56."),
        ({"total_amount": "-1"}, "total_amount '-1' is not an amount such as 1234.56."),
        ({"total_amount": "NaN"}, "total_amount 'NaN' is not an amount such as 1234.56."),
        ({"total_amount": "٣"}, "total_amount '٣' is not an amount such as 1234.56."),
        ({"total_amount": "0.00"}, "total_amount must be greater than zero."),
        ({"total_amount": "1.005"}, "total_amount 1.005 has more decimals than the currency's 2."),
        (
            {"total_amount": "100000000000.01"},
            "total_amount 100000000000.01 is greater than 100000000000.00.",
        ),
        ({"balance": "x"}, "balance 'x' is not an amount such as 1234.56."),
        ({"balance": "10.01"}, "balance must not be greater than total_amount."),
        (
            {"due_on": "28/02/2026"},
            "due_on '28/02/2026' is not a date such as 2026-02-28, 1970 to 2099.",
        ),
        (
            {"due_on": "2026-02-30"},
            "due_on '2026-02-30' is not a date such as 2026-02-28, 1970 to 2099.",
        ),
        (
            {"due_on": "1969-12-31"},
            "due_on '1969-12-31' is not a date such as 2026-02-28, 1970 to 2099.",
        ),
        (
            {"due_on": "2100-01-01"},
            "due_on '2100-01-01' is not a date such as 2026-02-28, 1970 to 2099.",
        ),
        ({"income_account": ""}, "income_account is empty."),
    ],
)
def test_a_cell_at_fault_is_named_with_its_line(cells, sentence):
    """Each fault of a cell is one sentence on its line, and the row is not read."""
    rows, reader = read(HEADER, line(billing_id="9", contact_id=BEN), line(**cells))
    assert [row.line_number for row in rows] == [2]
    assert reader.faults.kept == [Fault(3, sentence)]


def test_every_fault_of_a_row_is_named():
    """Whoever mends a file mends a row once."""
    _, reader = read(HEADER, line(contact_id="7", total_amount="x", due_on="y"))
    assert len(reader.faults.kept) == 3
    assert {fault.line_number for fault in reader.faults.kept} == {2}


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (
            [HEADER, line(), line()],
            Fault(3, "billing_id 1 is on line 2 too."),
        ),
        (
            [HEADER, line(), line(billing_id="2", contact_name="Ann")],
            Fault(3, "contact_name is 'Ann', but line 2 names the same contact 'Anna'."),
        ),
        ([HEADER, "a,b"], Fault(2, "The line has 2 cells, the header 8.")),
        ([HEADER + ",note"], Fault(1, "There is no column 'note'. The columns are: ")),
        ([HEADER + ",due_on"], Fault(1, "The column due_on is there twice.")),
        ([HEADER.replace(",due_on", "")], Fault(1, "The column due_on is missing.")),
        ([HEADER, line(), '"a"b' + line()], Fault(3, "The line is not CSV: ")),
    ],
)
def test_lines_that_do_not_go_together(lines, fault):
    """What only shows across lines, or in the header, is named where it shows."""
    _, reader = read(*lines)
    assert len(reader.faults.kept) == 1
    assert reader.faults.kept[0].line_number == fault.line_number
    assert reader.faults.kept[0].sentence.startswith(fault.sentence)


def test_an_empty_file_lacks_every_column():
    """A file of nothing is no import of nothing."""
    rows, reader = read()
    assert rows == []
    assert [fault.sentence for fault in reader.faults.kept] == [
        f"The column {name} is missing." for name in GOOD if name not in ("billing_id", "balance")
    ]


def test_blank_lines_and_cells_over_lines_keep_the_line_numbers_right():
    """A row is known by the line it starts on; a text of several lines is a fault."""
    quoted = line(billing_id="2", description='"Fee\nfor two"')
    padded = line(billing_id="3", description='"Fee\n"')
    rows, reader = read(HEADER, line(), "", quoted, padded, line(billing_id="4"))
    assert reader.faults.kept == [Fault(4, r"description holds '\n', which cannot be printed.")]
    assert [row.line_number for row in rows] == [2, 6, 8]


def test_faults_beyond_the_hundredth_are_counted():
    """A file that is wrong all over gives a list that can be read."""
    _, reader = read(HEADER, *[line(due_on="x", billing_id=str(n)) for n in range(1, 151)])
    assert len(reader.faults.kept) == FAULTS_MAX == 100
    assert reader.faults.count == 150


@pytest.mark.parametrize(("minor_digits", "total", "minor"), [(0, "10", 10), (3, "1.005", 1005)])
def test_the_currency_says_how_many_decimals_there_are(minor_digits, total, minor):
    """Yen have none, dinars have three."""
    rows, _ = read(HEADER, line(total_amount=total), minor_digits=minor_digits)
    assert rows[0].total_amount == minor
