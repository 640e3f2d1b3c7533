"""``paydown serve`` with a certificate, as one process and as several."""

from pathlib import Path

import pytest
from processes import Server, post, run

from issuers import Issuer
from ledgers import ANNA, CLUB, EXTERNAL, TILL
from makers import Maker, on_both_stores
from paydown.access import hash_password
from paydown.admin import Admin

PASSWORD = "a password of the test's"
PAYMENT = {
    "ContactId": ANNA,
    "PaymentDate": "2026-02-05T10:00:00+00:00",
    "TenderTypeId": EXTERNAL,
    "BillingPayments": [{"BillingId": 21, "Amount": 0.5, "ThirdPartyReference": "encrypted"}],
}


@on_both_stores
def test_a_payment_over_tls_is_recorded(maker: Maker, tmp_path: Path) -> None:
    """By a client that checks the certificate; on PostgreSQL, by one of two processes."""
    database, issuer = maker.copy(), Issuer(tmp_path)
    Admin(database).set_password(TILL, hash_password(PASSWORD))
    workers = "1" if database.file else "2"
    files = ("--tls-cert", str(issuer.cert), "--tls-key", str(issuer.key))
    served = ("--database", database.url, "--workers", workers)
    server = Server("serve", *served, *files, log=tmp_path / "log")
    try:
        assert server.base_url.startswith("https://")
        headers = {"userName": TILL, "password": PASSWORD, "customerGuid": CLUB}
        url = f"{server.base_url}/POS/BillingPayments"
        answers = [post(url, PAYMENT, headers, trusting=issuer.trusting()) for _ in range(4)]
    finally:
        assert server.stop() == 0
    assert [answer.status for answer in answers] == [200] * 4
    assert [line["Balance"] for line in answers[0].body["BillingPayments"]] == [100.0]
    assert [each.headers["Idempotent-Replayed"] for each in answers] == [None] + ["true"] * 3


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_certificate_that_cannot_be_used_is_said_at_once(
    template: Path, tmp_path: Path, workers: str
) -> None:
    """In one sentence, before anything listens."""
    issuer = Issuer(tmp_path)
    words = ("serve", "--database", f"sqlite:///{template}", "--port", "0", "--workers", workers)
    ended = run(*words, "--tls-cert", str(issuer.cert), "--tls-key", str(tmp_path / "none"))
    assert (ended.returncode, ended.stdout) == (1, "")
    assert (
        ended.stderr == f"The file {tmp_path / 'none'} cannot be read: No such file or directory.\n"
    )
