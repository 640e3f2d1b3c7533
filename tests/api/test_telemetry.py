"""What an operator sees: a line for each request that matters, and numbers for all of them."""

import io
import json
import logging
from typing import Any

import pytest
import structlog
from doors import (
    PASSWORD,
    PAYMENTS,
    WRITE_DOWNS,
    Door,
    line,
    open_door,
    payment,
    request,
    write_down,
)

import ledgers
from paydown.domain.outcomes import Refusal
from paydown.storage.database import Database
from paydown.telemetry import Metrics

SECRET = "hunter2 with a space"


def lines(log: io.BytesIO, event: str = "request") -> list[dict[str, Any]]:
    """The lines of the log that tell of the event. Every line is JSON."""
    told = [json.loads(each) for each in log.getvalue().splitlines()]
    return [each for each in told if each["event"] == event]


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    """One number of the metrics."""
    return metrics.registry.get_sample_value(name, labels)


def test_a_success_is_one_line_that_says_what_was_done(log: io.BytesIO, door: Door) -> None:
    """Who, what, how long, under which id; nothing that was not so."""
    answer = door.post(PAYMENTS, payment(line(1), line(2)))

    (told,) = lines(log)
    assert told.pop("duration_us") > 0
    assert told.pop("at").endswith("Z")
    assert told == {
        "event": "request",
        "level": "info",
        "request_id": answer.headers["x-request-id"],
        "route": PAYMENTS,
        "status": 200,
        "method": "POST",
        "path": PAYMENTS,
        "address": "192.0.2.7",
        "customer_guid": ledgers.CLUB,
        "user_name": ledgers.TILL,
        "recorded": 2,
        "one_in": 1,
    }


def test_a_refused_line_is_always_logged_by_name(log: io.BytesIO, ledger: Database) -> None:
    """A sampled log leaves out successes, never an answer that says Success false."""
    door = open_door(ledger, log_successes=1000)
    door.post(PAYMENTS, payment(line(1)))
    door.post(PAYMENTS, payment(line(2), line(98), line(99), line(3, 0)))
    door.close()

    (told,) = lines(log)
    assert told["level"] == "warning"
    assert (told["recorded"], told["refused"]) == (1, 3)
    assert told["refusals"] == ["amount_not_positive", "unknown_billing_item"]


def test_successes_are_sampled_and_say_so(log: io.BytesIO, ledger: Database) -> None:
    """One in so many is written, with the rate."""
    door = open_door(ledger, log_successes=3)
    for number in range(1, 8):
        door.post(PAYMENTS, payment(line(number)))
    door.close()

    assert [told["one_in"] for told in lines(log)] == [3, 3]


def test_a_keyless_replay_is_always_logged(log: io.BytesIO, ledger: Database) -> None:
    """A line that was recognised without a key is worth a look; one with its key is not."""
    door = open_door(ledger, log_successes=1000)
    body = payment(line(1, ThirdPartyReference="A"))
    key = {"Idempotency-Key": "k"}
    for headers in ({}, {}, key, key):
        door.post(PAYMENTS, body, headers)
    door.post(PAYMENTS, payment(line(2)), {"Idempotency-Key": "l"})
    door.post(PAYMENTS, payment(line(2)), {"Idempotency-Key": "l"})
    door.close()

    assert [(told["level"], told["replayed"]) for told in lines(log)] == [("warning", 1)] * 3


@pytest.mark.parametrize(
    ("headers", "body", "status", "reason"),
    [
        ({"password": SECRET}, b"{}", 401, "Authorization has been denied for this request."),
        ({"Content-Type": "text/x"}, b"{}", 415, "Content-Type must be"),
        ({}, b"{", 400, "The request is invalid."),
    ],
)
def test_a_failure_is_always_logged_with_its_reason(
    log: io.BytesIO,
    ledger: Database,
    headers: dict[str, str],
    body: bytes,
    status: int,
    reason: str,
) -> None:
    """Whatever the sampling, and without any credential."""
    door = open_door(ledger, log_successes=1000)
    door.post(PAYMENTS, body, headers)
    door.close()

    (told,) = lines(log)
    assert (told["level"], told["status"]) == ("warning", status)
    assert told["reason"].startswith(reason)
    assert SECRET not in log.getvalue().decode()
    assert PASSWORD not in log.getvalue().decode()


def test_faults_are_logged_by_their_keys(log: io.BytesIO, door: Door) -> None:
    """Which fields were wrong, not what stood in them."""
    door.post(PAYMENTS, payment(line("oops", "much")))

    (told,) = lines(log)
    assert told["faults"] == [
        "request.BillingPayments[0].BillingId",
        "request.BillingPayments[0].Amount",
    ]
    assert b"oops" not in log.getvalue()


def test_an_unverified_user_name_is_not_logged(log: io.BytesIO, door: Door) -> None:
    """It may be a password that went into the wrong header."""
    door.post(PAYMENTS, {}, {"userName": PASSWORD, "password": ledgers.TILL})

    (told,) = lines(log)
    assert told["status"] == 401
    assert PASSWORD not in log.getvalue().decode()


def test_a_path_cannot_forge_a_line(log: io.BytesIO, door: Door) -> None:
    """Control characters leave escaped, a long path is cut, and a query is not logged at all."""
    door.ask("GET", "/" + 'x\n{"event":"forged"}\x1b[31m' + "y" * 1000, headers={})

    (told,) = lines(log)
    assert told["path"].startswith('/x\n{"event":"forged"}')
    assert len(told["path"]) == 200
    assert told["route"] == "unmatched"
    assert lines(log, "forged") == []
    assert b"\x1b" not in log.getvalue()


def test_a_request_that_was_abandoned_is_no_failure(log: io.BytesIO, door: Door) -> None:
    """A client that went away is told of at the level of a success."""
    door.ask_together([request("POST", PAYMENTS, chunks=[b"{", b"}"], leaves=True)])

    assert lines(log) == []
    (told,) = lines(log, "request abandoned by its client")
    assert told["level"] == "info"


def test_what_cannot_be_kept_of_who_acted_is_logged(log: io.BytesIO, door: Door) -> None:
    """The line says that LegendUserName was left out."""
    door.post(PAYMENTS, payment(line(1)), {"LegendUserName": "x" * 256})

    assert lines(log)[0]["staff_user_ignored"] is True


@pytest.mark.parametrize(
    "text",
    [
        f"password: {SECRET}",
        f'{{"Password": "{SECRET}"}}',
        f"[(b'password', b'{SECRET}'), (b'x', b'y')]",
        f"Authorization: Basic {SECRET}",
        f"Cookie={SECRET}",
    ],
)
def test_what_libraries_log_is_json_without_credentials(log: io.BytesIO, text: str) -> None:
    """uvicorn's and everybody's log lines come out in our form, with credentials masked."""
    try:
        raise ValueError(text)
    except ValueError:
        logging.getLogger("uvicorn.error").exception("went wrong: %s", text)

    (told,) = (json.loads(each) for each in log.getvalue().splitlines())
    assert (told["logger"], told["level"]) == ("uvicorn.error", "error")
    assert "ValueError" in told["exception"]
    assert "hunter2" not in log.getvalue().decode()
    assert "[redacted]" in told["event"]


def test_a_field_that_names_a_credential_is_masked(log: io.BytesIO) -> None:
    """Even our own code cannot log a password by its name."""
    structlog.get_logger().warning("careless", password=SECRET, user_name="till")

    (told,) = lines(log, "careless")
    assert (told["password"], told["user_name"]) == ("[redacted]", "till")


def test_a_log_line_of_the_writer_carries_the_request(log: io.BytesIO) -> None:
    """What the store logs of a command has the id of its request."""
    logging.getLogger("paydown.storage").error("recording failed", extra={"request_id": "abc"})

    assert lines(log, "recording failed")[0]["request_id"] == "abc"


def test_text_that_is_not_unicode_is_logged_all_the_same(log: io.BytesIO) -> None:
    """A lone surrogate, as in a file's name, leaves escaped."""
    structlog.get_logger().error("no file \udcff")

    assert lines(log, "no file \udcff")


def test_uvicorn_cannot_log_what_it_was_sent(log: io.BytesIO) -> None:
    """Its access log, with query strings, is off; its trace level, with headers, out of reach."""
    logging.getLogger("uvicorn.access").info("GET /?password=%s", SECRET)
    logging.getLogger("uvicorn.asgi").log(5, "headers: %s", SECRET)

    assert log.getvalue() == b""


def test_requests_are_counted_by_route_and_status(door: Door, metrics: Metrics) -> None:
    """Routes are ours, never a path as sent."""
    door.post("/pos/billingpayments/", payment(line(1)))
    door.post(PAYMENTS, b"{")
    door.get("/secret-path")
    door.get("/healthz")

    def counted(route: str, status: str) -> float | None:
        return value(metrics, "paydown_requests_total", route=route, status=status)

    assert counted(PAYMENTS, "200") == counted(PAYMENTS, "400") == 1
    assert counted("unmatched", "404") == counted("/healthz", "200") == 1
    assert value(metrics, "paydown_request_seconds_count", route=PAYMENTS) == 2
    assert b"secret-path" not in metrics.exposition()
    assert b"_created" not in metrics.exposition()


def test_lines_refusals_and_replays_are_counted(door: Door, metrics: Metrics) -> None:
    """Lines by kind, refusals by name, replayed lines by what recognised them."""
    body = payment(line(1, ThirdPartyReference="A"), line(2, ThirdPartyReference="B"))
    for headers in ({}, {}, {"Idempotency-Key": "k"}):
        door.post(PAYMENTS, body, headers)
    keyed = payment(line(3), line(4), line(5))
    for _ in range(2):
        door.post(PAYMENTS, keyed, {"Idempotency-Key": "l"})
    door.post(WRITE_DOWNS, write_down(line(1), line(99), line(98)))
    door.post(PAYMENTS, payment())

    def total(name: str, **labels: str) -> float | None:
        return value(metrics, f"paydown_{name}_total", **labels)

    assert total("lines_recorded", kind="payment") == 5
    assert total("lines_recorded", kind="write_down") == 1
    assert total("refusals", refusal="unknown_billing_item") == 2
    assert total("refusals", refusal="no_lines") == 1
    assert total("replays", recognised_by="line") == 4
    assert total("replays", recognised_by="key") == 3


def test_every_refusal_is_there_from_the_start() -> None:
    """A counter that has not counted yet is zero, not absent."""
    metrics = Metrics()
    counted = [
        value(metrics, "paydown_refusals_total", refusal=refusal.name) for refusal in Refusal
    ]

    assert counted == [0] * len(Refusal)


def test_batches_commits_and_the_queue_are_measured(door: Door, metrics: Metrics) -> None:
    """Each commit with its size and its time; the queue as it is when asked."""
    metrics.watch_queue(lambda: 7)
    door.post(PAYMENTS, payment(line(1)))
    door.post(PAYMENTS, payment(line(2)))

    assert value(metrics, "paydown_batch_commands_sum") == 2
    commits = value(metrics, "paydown_commit_seconds_count")
    assert commits == value(metrics, "paydown_batch_commands_count") == 2
    assert value(metrics, "paydown_queue_depth") == 7


@pytest.mark.parametrize(
    ("headers", "path", "reason"),
    [
        ({"password": "wrong"}, PAYMENTS, "unauthenticated"),
        ({"customerGuid": ledgers.OTHER_CLUB}, PAYMENTS, "forbidden"),
        ({"userName": ledgers.PAYMENTS_ONLY}, WRITE_DOWNS, "bundle"),
    ],
)
def test_logins_that_are_refused_are_counted(
    door: Door, metrics: Metrics, headers: dict[str, str], path: str, reason: str
) -> None:
    """By reason, each request once."""
    door.post(path, {}, headers)

    assert value(metrics, "paydown_logins_refused_total", reason=reason) == 1


def test_two_servers_do_not_share_their_numbers() -> None:
    """Each has a registry of its own."""
    first, second = Metrics(), Metrics()
    first.batch_committed(commands=3, commit_ns=1_000_000)

    assert value(first, "paydown_batch_commands_sum") == 3
    assert value(second, "paydown_batch_commands_sum") == 0
