"""The faults: each a text of the product's, what stands there instead, and why it matters.

Law of this file: each old text occurs exactly once in its file, which a test checks, so that the
table cannot rot. ``tests`` names what should find the fault, and is run first.
"""

from typing import NamedTuple

ALLOCATING = "src/paydown/domain/allocating.py"
DECIDE = "src/paydown/domain/decide.py"
JOURNAL = "src/paydown/domain/journal.py"
MONEY = "src/paydown/domain/money.py"
FORMATS = "src/paydown/wire/formats.py"
STORE = "src/paydown/storage/store.py"
WRITER = "src/paydown/storage/writer.py"
SQLITE = "src/paydown/storage/sqlite.py"
SESSION = "src/paydown/storage/sqlite_database.py"
LOG = "src/paydown/storage/sqlite_log.py"
PARTS = "src/paydown/storage/parts.py"
PAGES = "src/paydown/storage/sqlite_pages.py"
WALKING = "src/paydown/storage/walking.py"
HISTORY = "src/paydown/storage/history.py"
DEBTS = "src/paydown/storage/debts.py"
POSTGRESQL = "src/paydown/storage/postgresql_database.py"
CONTACTS = "src/paydown/desk/contacts.py"
ETAGS = "src/paydown/wire/etags.py"
SERVICE = "src/paydown/service.py"
ACCESS = "src/paydown/access.py"
ADMISSION = "src/paydown/api/admission.py"
CALLS = "src/paydown/api/calls.py"
APP = "src/paydown/api/app.py"
CYCLE = "src/paydown/server/cycle.py"
STATEMENTS = "src/paydown/enquiries/statements.py"
REVERSALS = "src/paydown/desk/reversals.py"
EXPLAINING = "src/paydown/domain/explaining.py"

RULES = "tests/domain"
DESK_RULES = "tests/domain/test_desk_rules.py"
WALLS = "tests/tenants/test_tenant_walls.py -k 'nobody and sqlite'"
BOOKS = "tests/conformance -k 'sqlite and not agree_with'"
SEEDS = "tests/simulation/test_simulation.py -k promise"
RACES = "tests/storage/test_postgresql_racing.py"
QUEUE = "tests/storage/test_writer.py -k 'sqlite or share'"
FAULTS = "tests/storage/test_faults.py"
SYNCS = "tests/storage/test_synced_files.py"
FAILED_MOVES = "tests/storage/test_moves_that_fail.py"
MOVED_FILES = "tests/desk/test_desk_moved_files.py"
SUMS = "tests/enquiries/test_statements.py -k 'not postgresql'"
LISTS = "tests/enquiries/test_listing.py -k 'not postgresql'"
DOOR = "tests/api/test_api_calls.py tests/api/test_api_precedence.py tests/api/test_api_failures.py"


class Mutant(NamedTuple):
    """A fault to plant."""

    file: str
    old: str
    new: str
    why: str
    tests: str


MUTANTS = (
    # What is decided
    Mutant(
        DECIDE,
        "return Refusal.amount_exceeds_balance if amount > item.balance else amount",
        "return amount",
        "an item is paid beyond what it owes",
        RULES,
    ),
    Mutant(
        DECIDE,
        "if amount > item.balance else amount",
        "if amount >= item.balance else amount",
        "the last penny of an item cannot be paid",
        RULES,
    ),
    Mutant(
        DECIDE,
        "if item is None or item.contact_id != command.request.contact_id:",
        "if item is None:",
        "another contact's item is paid",
        RULES,
    ),
    Mutant(
        DECIDE,
        "return item.balance if item and item.contact_id == command.request.contact_id else None",
        "return item.balance if item else None",
        "a refusal tells what another contact owes",
        RULES,
    ),
    Mutant(
        DECIDE,
        "if line.amount <= 0:",
        "if line.amount < 0:",
        "a payment of nothing is recorded",
        RULES,
    ),
    Mutant(
        DECIDE,
        "refusal = _check_contact(command, facts) or _check_tender_type(command, facts)",
        "refusal = _check_tender_type(command, facts) or _check_contact(command, facts)",
        "of two reasons the second is told: the order is part of the API",
        RULES,
    ),
    Mutant(
        DECIDE,
        "if len({line.billing_id for line in lines}) < len(lines):",
        "if len({line.billing_id for line in lines}) + 1 < len(lines):",
        "an item on two lines is paid twice, or against a stale balance",
        RULES,
    ),
    Mutant(
        DECIDE,
        "return None if tender_type.active else Refusal.inactive_tender_type",
        "return None",
        "a tender type that is out of use is taken",
        RULES,
    ),
    Mutant(
        DECIDE,
        "    if not account.active:\n",
        "    if account is None:\n",
        "a write-down goes to an account that is out of use",
        RULES,
    ),
    Mutant(
        DECIDE,
        "return Refusal.receivable_gl_account if account.account_type == AccountType.RECEIVABLE "
        "else None",
        "return None",
        "a write-down moves a debt from receivables to receivables",
        RULES,
    ),
    Mutant(
        DECIDE,
        "same = kept.fingerprint == fingerprint(command)",
        "same = True",
        "another request under a used key is answered as the first one",
        RULES,
    ),
    Mutant(
        DECIDE,
        "        command.strict,\n",
        "",
        "all or nothing under a key is answered as each by itself",
        RULES,
    ),
    Mutant(
        DECIDE,
        "if line.authorization_code != posting.authorization_code:",
        "if False:",
        "a second card payment is taken for the first one's retry",
        RULES,
    ),
    Mutant(
        DECIDE,
        "return (command.caller.login_id, command.key) != "
        "(recorded.login_id, recorded.idempotency_key)",
        "return False",
        "two intents under two keys become one",
        RULES,
    ),
    Mutant(
        DECIDE,
        "    if command.request.value_at % TICKS_PER_SECOND:\n",
        "    if command.request.value_at:\n",
        "two honest payments dated today become one",
        RULES,
    ),
    Mutant(
        DECIDE,
        "    return line.reference is not None and not command.caller.references_shared\n\n\n"
        "def place_of",
        "    return line.reference is not None\n\n\ndef place_of",
        "the payments of a batch that share its name become one",
        RULES,
    ),
    Mutant(
        DECIDE,
        "    for recorded in recorded_here:\n",
        "    for recorded in reversed(recorded_here):\n",
        "a retry is answered as another line that it could be, not as the first",
        RULES,
    ),
    Mutant(
        DECIDE,
        "if command.strict and any(outcome.refusal for outcome in outcomes):",
        "if command.strict and all(outcome.refusal for outcome in outcomes):",
        "all or nothing records a part",
        RULES,
    ),
    Mutant(
        DECIDE,
        "facts.items[item_id] = item._replace(balance=posting.balance_after)",
        "facts.items[item_id] = item",
        "two payments that share a commit are decided on one balance",
        BOOKS,
    ),
    Mutant(
        DECIDE,
        "        facts.kept_answers[key] = KeptAnswer(fingerprint(command), answer)\n",
        "        pass\n",
        "a key that comes twice in one commit is recorded twice",
        BOOKS,
    ),
    Mutant(
        MONEY,
        "    minor = int(scaled)\n    return minor if minor == scaled else None",
        "    return round(scaled)",
        "a tenth of a penny is rounded, where it should be refused",
        RULES,
    ),
    Mutant(
        JOURNAL,
        "return hashlib.sha256(_encode([*fields, *postings, *items]).encode()).digest()",
        "return hashlib.sha256(_encode([*fields]).encode()).digest()",
        "a posting altered later does not show",
        RULES,
    ),
    # What is decided at the desk
    Mutant(
        ALLOCATING,
        "> facts.receipt.unapplied:",
        "> facts.receipt.amount:",
        "of a receipt more is applied than is left",
        DESK_RULES,
    ),
    Mutant(
        ALLOCATING,
        "if item is None or item.contact_id != facts.receipt.contact_id:",
        "if item is None:",
        "a receipt is applied to another contact's item",
        DESK_RULES,
    ),
    Mutant(
        "src/paydown/desk/receipts.py",
        "    work.hold(billing_ids)\n",
        "",
        "an allocation is decided by what its item owed before a payment that is under way",
        "tests/desk/test_desk_waiting.py",
    ),
    Mutant(
        REVERSALS,
        "if len(postings) > POSTINGS_MAX:",
        "if len(postings) >= POSTINGS_MAX:",
        "an entry of as many postings as are allowed cannot be reversed",
        "tests/desk/test_desk_reversals.py -k 'just_so_many'",
    ),
    # What is read and written
    Mutant(
        FORMATS,
        "fraction = fraction[:FRACTION_DIGITS_MAX].rstrip",
        "fraction = fraction[:6].rstrip",
        "dates a tenth of a microsecond apart become one, and with them two payments",
        "tests/wire",
    ),
    Mutant(
        FORMATS,
        'decimals = f"{fraction:0{minor_digits}d}".rstrip("0") or "0"',
        'decimals = f"{fraction}".rstrip("0") or "0"',
        "five pence are written as fifty",
        "tests/wire",
    ),
    # What is saved
    Mutant(
        STORE,
        "        self._session.add(_ADD_ANSWER, answers)\n",
        "",
        "a key's answer is forgotten, and its retry recorded again",
        BOOKS,
    ),
    Mutant(
        STORE,
        "        self._session.add(_ADD_REPLAY, replays)\n",
        "",
        "nobody can see which lines were taken for retries",
        BOOKS,
    ),
    Mutant(
        STORE,
        ".where(item.c.customer_id == rows.c.customer_id, item.c.billing_id == rows.c.billing_id)",
        ".where(item.c.billing_id == rows.c.billing_id)",
        "a payment lowers another customer's item of the same number",
        BOOKS,
    ),
    Mutant(
        STORE,
        "            posting.c.customer_id == rows.c.customer_id,\n",
        "",
        "another customer's payment is taken for this one's retry",
        BOOKS,
    ),
    Mutant(
        STORE,
        "moved[place] = moved.get(place, 0) + posting.amount",
        "moved[place] = posting.amount",
        "of two payments that share a commit one lowers the balance",
        BOOKS,
    ),
    Mutant(
        POSTGRESQL,
        "ORDER BY item.customer_id, item.billing_id FOR NO KEY UPDATE OF item",
        "ORDER BY md5(item.billing_id || pg_backend_pid()::text) FOR NO KEY UPDATE OF item",
        "two servers lock the same items in two orders, and wait for each other",
        RACES,
    ),
    Mutant(
        STORE,
        "        answers.sort()\n",
        "",
        "two servers add the same keys in two orders, and wait for each other",
        BOOKS,
    ),
    Mutant(
        STORE,
        "return (*key, fingerprint, entry.entry_id, answer, digest)",
        'return (*key, b"", entry.entry_id, answer, digest)',
        "a key's retry is refused as another request",
        BOOKS,
    ),
    # When it is answered
    Mutant(
        WRITER,
        "                self._commit(batch, recorded)\n",
        "                _give_results(jobs, recorded)\n"
        "                self._deliver(jobs)\n"
        "                self._commit(batch, recorded)\n",
        "an answer leaves before its commit returned",
        SEEDS,
    ),
    Mutant(
        WRITER,
        "self._recorded_at = max(self._clock(), self._recorded_at + 1)",
        "self._recorded_at = self._clock()",
        "a clock put back records before what was recorded",
        QUEUE,
    ),
    Mutant(
        SERVICE,
        "self._last = max(self._clock(), self._last + 1)",
        "self._last = self._clock()",
        "two writers of a server record at one moment, in no order",
        QUEUE,
    ),
    Mutant(
        WRITER,
        "        if job.stamp is None:\n",
        "        if job:\n",
        "tried again, a payment in doubt has another id, which refuses no second copy",
        QUEUE,
    ),
    Mutant(
        WRITER,
        "        if not fault.outcome_unknown:\n            return False\n",
        "        if not fault.connected:\n            return False\n",
        "a commit that failed on the way is never looked for",
        FAULTS,
    ),
    Mutant(
        WRITER,
        "        if len(self._waiting) >= self._pace.queue_max:\n",
        "        if len(self._waiting) > self._pace.queue_max:\n",
        "one more waits than is allowed",
        QUEUE,
    ),
    Mutant(
        WRITER,
        "            self._process(jobs[middle:])\n",
        "",
        "one command's bug leaves the others of its batch without an answer",
        QUEUE,
    ),
    Mutant(
        WRITER,
        "        if not fault.connected:\n            self._session.disconnect()\n",
        "        if fault.connected:\n            self._session.disconnect()\n",
        "after a fault the same broken connection is used on",
        FAULTS,
    ),
    # How it lasts
    Mutant(
        SQLITE,
        "PRAGMA synchronous=FULL",
        "PRAGMA synchronous=NORMAL",
        "a loss of power takes what was acknowledged",
        SEEDS,
    ),
    Mutant(
        SQLITE,
        "PRAGMA recursive_triggers=ON",
        "PRAGMA recursive_triggers=OFF",
        "REPLACE changes what is append-only",
        "tests/storage/test_writer.py tests/storage/test_recovery.py",
    ),
    Mutant(
        SQLITE,
        'for action in ("UPDATE", "DELETE"):',
        'for action in ("UPDATE",):',
        "what was recorded can be deleted",
        BOOKS,
    ),
    Mutant(
        SESSION,
        "        if not self._rested or self._log.doubted:\n",
        "        if self._connection is None:\n",
        "what a failed sync left in memory alone is believed",
        SEEDS,
    ),
    Mutant(
        SESSION,
        "            rested, self._rested = self._rested, False\n",
        "            rested, self._rested = True, False\n",
        "what a failed sync left in memory alone is moved into the file by half",
        "tests/simulation/test_power_loss.py",
    ),
    Mutant(
        SESSION,
        "            if self._log.doubted:\n                self._log.bring_to_disk()\n",
        "",
        "a receipt is acknowledged behind what a failed sync left in memory alone",
        "tests/simulation/test_power_loss.py",
    ),
    Mutant(
        LOG,
        "                self.moves_doubted = True\n",
        "                pass\n",
        "what a failed sync took from the file is taken from the log, too",
        FAILED_MOVES,
    ),
    Mutant(
        LOG,
        "            if self._is_moved:\n",
        "            if not self._path:\n",
        "a move begins where all is moved, and an old SQLite takes the next payment for moved",
        "tests/storage/test_moving_twice.py",
    ),
    Mutant(
        SESSION,
        "                if not self._log.may_move:\n",
        "                if not self.path:\n",
        "the last to close moves what the moves had left, and removes the log",
        FAILED_MOVES,
    ),
    Mutant(
        SQLITE,
        '    "PRAGMA wal_autocheckpoint=0",\n',
        "",
        "a log of which a move failed is moved and removed by whoever writes next",
        FAILED_MOVES,
    ),
    Mutant(
        SESSION,
        "            self._move_log()\n        self.check()\n",
        "            self._move_log()\n",
        "a payment recorded in a file that was moved away is acknowledged",
        FAULTS,
    ),
    Mutant(
        SESSION,
        "            self._check_files()\n        except BaseException:\n",
        "        except BaseException:\n",
        "a write of the desk recorded in a file that was moved away is acknowledged",
        MOVED_FILES,
    ),
    Mutant(
        SESSION,
        "fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)",
        "two servers run on one file",
        FAULTS,
    ),
    Mutant(
        SQLITE,
        "            file.write(part)\n        os.fsync(file)\n",
        "            file.write(part)\n",
        "what a failed sync left in memory alone is written once more, and left there",
        SYNCS,
    ),
    Mutant(
        SQLITE,
        "            file.seek(-len(part), os.SEEK_CUR)\n            file.write(part)\n",
        "            file.seek(0, os.SEEK_CUR)\n",
        "a log is synced without being written, of which the system knows nothing to sync",
        SYNCS,
    ),
    Mutant(
        PARTS,
        "        os.fsync(self._handle)\n",
        "",
        "a loss of power leaves a backup's name on an empty file",
        SYNCS,
    ),
    Mutant(
        PARTS,
        "            os.fsync(folder)\n",
        "            folder\n",
        "a loss of power takes the name of a backup that was said to be made",
        SYNCS,
    ),
    Mutant(
        PAGES,
        '        origin.execute("BEGIN")\n',
        "",
        "a backup under load begins anew for as long as payments come",
        "tests/storage/test_copying_pages.py",
    ),
    Mutant(
        PAGES,
        '        origin.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()\n',
        "",
        "a backup's moment is not fixed, though its transaction was begun",
        "tests/storage/test_copying_pages.py",
    ),
    Mutant(
        PARTS,
        "        refuse_existing(self.name)\n",
        "",
        "a backup is written over a file that came to its place meanwhile",
        "tests/cli/test_cli_backups.py -k meanwhile",
    ),
    # Who may
    Mutant(
        ADMISSION,
        "    if bundle in caller.bundles:\n",
        "    if caller.bundles:\n",
        "who may record payments may write debts down",
        DOOR,
    ),
    Mutant(
        ACCESS,
        "return None if login is None or login.disabled else login",
        "return login",
        "a disabled login is let in",
        "tests/access",
    ),
    Mutant(
        ACCESS,
        "        answer = login.caller or FORBIDDEN\n",
        "        answer = login.caller or UNAUTHENTICATED\n",
        "a login at the wrong customer is told that its password is wrong",
        "tests/access",
    ),
    Mutant(
        ACCESS,
        "return ends_at - now if count >= self._failures_max else 0.0",
        "return 0.0",
        "passwords can be guessed for ever",
        "tests/access",
    ),
    Mutant(
        "src/paydown/api/bodies.py",
        "        if len(body) > bytes_max:\n",
        "        if False:\n",
        "a body without a length fills the memory",
        "tests/api",
    ),
    Mutant(
        CALLS,
        "return job if self._service.submit(job) else answers.BUSY",
        "self._service.submit(job)\n        return job",
        "who is turned away from a full queue waits for ever",
        DOOR,
    ),
    Mutant(
        APP,
        "self._log.failed(exchange, secrets=read_secrets(values))",
        "self._log.failed(exchange)",
        "a password stands in the log beside a bug",
        "tests/api",
    ),
    Mutant(
        CONTACTS,
        "is_as_read = write_etag(answer(200, found).body) in tags",
        "is_as_read = True",
        "of two who change one contact the later wins without a word",
        "tests/api/test_v1_if_match.py",
    ),
    Mutant(
        ETAGS,
        "for weak, tag in _TAGS(value) if not weak",
        "for weak, tag in _TAGS(value)",
        "a contact is replaced that is only much like the one that was read",
        "tests/wire/test_etags.py",
    ),
    # What is told
    Mutant(
        "src/paydown/enquiries/printing.py",
        '        _disarm(line.reference or ""),\n',
        '        line.reference or "",\n',
        "a reference that a caller wrote is run by whoever opens the statement as a table",
        SUMS,
    ),
    Mutant(
        DEBTS,
        "posting.c.value_at >= before)",
        "posting.c.value_at > before)",
        "an item that is charged at midnight is owed the evening before",
        SUMS,
    ),
    Mutant(
        DEBTS,
        "posting.c.value_at < before)",
        "posting.c.value_at <= before)",
        "the accounts hold what is charged at midnight the evening before",
        SUMS,
    ),
    Mutant(
        STATEMENTS,
        "line.value_at < ends]",
        "line.value_at <= ends]",
        "a statement holds what came true as its last day was over",
        SUMS,
    ),
    Mutant(
        STATEMENTS,
        "if line.value_at >= begins:",
        "if line.value_at > begins:",
        "a statement does not say what came true as its first day began",
        SUMS,
    ),
    Mutant(
        HISTORY,
        "operator.lt, wanted.value_to)",
        "operator.le, wanted.value_to)",
        "two spans that meet both tell what came true where they do",
        LISTS,
    ),
    Mutant(
        STATEMENTS,
        "Kind.ALLOCATION not in (line.kind, line.undone_kind)",
        "line.kind != Kind.ALLOCATION",
        "a statement charges anew what was applied and taken back",
        SUMS,
    ),
    Mutant(
        EXPLAINING,
        "line.value_at <= moment.as_of",
        "line.value_at < moment.as_of",
        "an explanation leaves out what came true at its very moment",
        "tests/enquiries/test_explaining.py -k very_moment",
    ),
    Mutant(
        "src/paydown/domain/lines.py",
        "self.undoing_recorded_at <= known_at:",
        "self.undoing_recorded_at < known_at:",
        "an explanation counts a reversal, and does not say what it undid",
        "tests/enquiries/test_explaining.py -k very_moment",
    ),
    Mutant(
        WALKING,
        "if len(rows) <= self.count_max:",
        "if len(rows) < self.count_max:",
        "a list that ends with a full part leads on to nothing",
        LISTS,
    ),
    Mutant(
        HISTORY,
        "column.table.c.customer_id == customer_id, column.table.c.contact_id == contact_id",
        "column.table.c.contact_id == contact_id",
        "a contact's list holds an item that is his at another customer only",
        WALLS,
    ),
    # What keeps going for long
    Mutant(
        SESSION,
        "        if self._unmoved_rows >= MOVED_ROWS:\n",
        "        if self._unmoved_rows < 0:\n",
        "the log beside a ledger grows for as long as payments come",
        "tests/storage/test_moving_the_log.py",
    ),
    Mutant(
        CYCLE,
        "if self.status == HTTPStatus.SERVICE_UNAVAILABLE and self.keep_alive:",
        "if False:",
        "who is refused asks on at once, and takes the time of those who were let in",
        "tests/api/test_http_limits.py",
    ),
    Mutant(
        "src/paydown/server/certificates.py",
        "status = path.stat()",
        "status = path.lstat()",
        "a certificate that is renewed behind a link is not taken up, and runs out",
        "tests/api/test_tls.py -k renewed",
    ),
    Mutant(
        "src/paydown/server/tls.py",
        "len(self.connections) >= self",
        "len(self.connections) > self",
        "over TLS one more shakes hands than there is room for",
        "tests/api/test_tls.py -k too_many",
    ),
)
