"""The door over TLS: who is let in, and that all that holds without it holds with it."""

import errno
import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from raw_peer import HEAD, Serving, dropped, quick, refusal, serving, soon

from issuers import Issuer
from paydown.server import Certificate, ServeError, certificates, read_certificate, tls


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    """A certificate that its clients can check."""
    return Issuer(tmp_path)


@pytest.fixture
def running(issuer: Issuer) -> Iterator[Serving]:
    """A server that speaks TLS."""
    with serving(certificate=issuer.certificate()) as served:
        yield served


def request(path: bytes, body: bytes = b"") -> bytes:
    """A whole POST."""
    return b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (path, HEAD, len(body), body)


def test_requests_are_answered_as_without_it(running: Serving, issuer: Issuer) -> None:
    """Kept open, pipelined, in chunks, large both ways; the application knows that it was TLS."""
    peer = running.connect(issuer.trusting())
    peer.send(request(b"/one"), request(b"/two", b"abc"))
    assert [peer.answer().told["path"] for _ in range(2)] == ["/one", "/two"]
    peer.send(b"POST /three HTTP/1.1\r\n", HEAD, b"Transfer-Encoding: chunked\r\n\r\n")
    peer.send(b"3\r\nabc\r\n")
    peer.send(b"0\r\n\r\n")
    assert peer.answer().told["length"] == 3
    peer.send(request(b"/four", b"x" * 3_000_000))
    told = peer.answer().told
    assert (told["length"], told["scheme"], told["client"]) == (3_000_000, "https", "127.0.0.1")
    peer.send(request(b"/large"))
    assert len(peer.answer().body) > 8_000_000


def test_a_request_in_the_handshakes_last_packet_is_not_lost(
    running: Serving, issuer: Issuer
) -> None:
    """A client of TLS 1.3 may send both at once."""
    peer = running.connect()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    side = issuer.trusting().wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        side.do_handshake()
    peer.send(outgoing.read())
    while True:
        incoming.write(peer.socket.recv(65_536))
        try:
            side.do_handshake()
            break
        except ssl.SSLWantReadError:
            continue
    assert side.version() == "TLSv1.3"
    side.write(request(b"/early"))
    peer.send(outgoing.read())
    answer = b""
    while b"/early" not in answer:
        incoming.write(peer.socket.recv(65_536))
        try:
            answer += side.read()
        except ssl.SSLWantReadError:
            continue
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("changes", "agreed"),
    [
        ({}, "TLSv1.3"),
        ({"maximum_version": ssl.TLSVersion.TLSv1_2}, "TLSv1.2"),
    ],
)
def test_new_versions_are_spoken(
    running: Serving, issuer: Issuer, changes: dict[str, Any], agreed: str
) -> None:
    """1.2 and 1.3."""
    peer = running.connect(issuer.trusting(**changes))
    assert isinstance(peer.socket, ssl.SSLSocket)
    assert peer.socket.version() == agreed
    peer.send(request(b"/here"))
    assert peer.answer().status == 200


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_refused(running: Serving, issuer: Issuer, caplog: Any) -> None:
    """1.1 and older."""
    old = issuer.trusting(
        minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1
    )
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(OSError, match=r"(?i)version|protocol|reset"):
        running.connect(old)
    assert running.app.calls == []


def test_a_caller_without_tls_is_told_nothing(running: Serving) -> None:
    """A password sent to a door of TLS is read by nobody, and the server goes on."""
    peer = running.connect()
    peer.send(request(b"/plain"))
    assert b"HTTP" not in _read_all(peer.socket)
    assert running.app.calls == []


def _read_all(peer: socket.socket) -> bytes:
    said = b""
    try:
        while got := peer.recv(65_536):
            said += got
    except ConnectionResetError:
        pass
    return said


def test_a_refusal_arrives_before_the_end(running: Serving, issuer: Issuer) -> None:
    """On a caller that still sends, and on one that has sent all."""
    peer = running.connect(issuer.trusting())
    peer.send(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n")
    assert refusal(peer)[0] == 431
    peer = running.connect(issuer.trusting())
    peer.send(b"POST / HTTP/1.1\r\n", HEAD, b"A: " + b"a" * 200_000)
    assert refusal(peer)[0] == 431


def test_who_never_shakes_hands_is_dropped_and_counts(issuer: Issuer) -> None:
    """Silent and half-silent peers take a bounded number of places for a bounded time."""
    limits = quick(connections_max=3, header_seconds=2)
    with serving(limits, certificate=issuer.certificate()) as running:
        held, silent = running.server.server_state.connections, []
        for count in (1, 2, 3):
            silent.append(running.connect())
            assert soon(lambda count=count: len(held) == count)
            time.sleep(0.05)  # the loop's clock tells two apart that are a millisecond apart
        silent[0].send(b"\x16\x03\x01\x02\x00\x01")
        fourth = running.connect(issuer.trusting())
        assert dropped(silent[0])
        assert len(held) == 3, "the other two were not yet late"
        assert all(dropped(peer) for peer in silent)
        fourth.close()
        peer = running.connect(issuer.trusting())
        peer.send(request(b"/now"))
        assert peer.answer().status == 200


def test_one_connection_too_many_is_dropped_before_it_shakes_hands(issuer: Issuer) -> None:
    """Where all are owed an answer no other is begun; once one has gone there is room."""
    with serving(quick(connections_max=1), certificate=issuer.certificate()) as running:
        first = running.connect(issuer.trusting())
        first.send(request(b"/wait"))
        assert soon(lambda: "/wait" in running.app.calls)
        with pytest.raises(OSError, match=r"(?i)reset|eof"):
            running.connect(issuer.trusting())
        running.app.gate.set()
        assert first.answer().status == 200
        second = running.connect(issuer.trusting())
        second.send(request(b"/now"))
        assert second.answer().status == 200


def test_who_finds_no_file_handle_left_takes_no_place(issuer: Issuer, monkeypatch: Any) -> None:
    """He is dropped and stands in the log; the next one is served, and the server ends in order."""
    said: list[Any] = []
    monkeypatch.setattr(tls.logger, "warning", lambda *_, **more: said.append(more["reason"]))

    def fail(_: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    with serving(quick(connections_max=1), certificate=issuer.certificate()) as running:
        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(tls, "os", SimpleNamespace(dup=fail))
            assert dropped(running.connect())
        assert running.server.server_state.connections == set()
        peer = running.connect(issuer.trusting())
        peer.send(request(b"/now"))
        assert peer.answer().status == 200
    assert said == ["[Errno 24] Too many open files"]
    assert running.app.ended_in_order


def test_a_slow_head_is_answered_and_a_slow_drain_ends(issuer: Issuer) -> None:
    """The times of a connection run as they do without TLS; a drain waits for no handshake."""
    limits = quick(header_seconds=1)
    with serving(limits, certificate=issuer.certificate()) as running:
        peer = running.connect(issuer.trusting())
        peer.send(b"POST / HTTP/1.1\r\n")
        assert refusal(peer)[0] == 408
        idle, late, silent = (
            running.connect(issuer.trusting()),
            running.connect(issuer.trusting()),
            running.connect(),
        )
        late.send(request(b"/wait"))
        assert soon(lambda: "/wait" in running.app.calls)
        running.stop()
        assert idle.ended()
        assert dropped(silent)
        running.app.gate.set()
        answer = late.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        running.thread.join(30)
        assert not running.thread.is_alive()


def test_who_closes_his_half_has_left(running: Serving, issuer: Issuer) -> None:
    """TLS has no half to close: what was taken is done, and the answer goes nowhere."""
    peer = running.connect(issuer.trusting())
    peer.send(request(b"/wait"))
    assert soon(lambda: "/wait" in running.app.calls)
    peer.reader.close()
    assert isinstance(peer.socket, ssl.SSLSocket)
    peer.socket.detach()
    running.app.gate.set()
    assert soon(lambda: "/wait" in running.app.finished)
    other = running.connect(issuer.trusting())
    other.send(request(b"/other"))
    assert other.answer().status == 200


def test_a_renewed_certificate_is_used_without_a_restart(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New connections see it; one that cannot be read leaves the old in use."""
    monkeypatch.setattr(certificates, "LOOK_SECONDS", 0.0)
    with serving(certificate=issuer.certificate()) as running:

        def shown() -> bytes | None:
            peer = running.connect(issuer.trusting())
            assert isinstance(peer.socket, ssl.SSLSocket)
            return peer.socket.getpeercert(binary_form=True)

        first = shown()
        assert shown() == first
        issuer.issue()
        second = shown()
        assert second != first
        issuer.cert.write_text("not a certificate")
        assert shown() == second
        issuer.cert.unlink()
        assert shown() == second


def test_a_certificate_renewed_behind_a_link_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As clusters give secrets: the names stay as they are, and the folder behind them goes."""
    monkeypatch.setattr(certificates, "LOOK_SECONDS", 0.0)
    issuers, current = [], tmp_path / "current"
    for number in ("1", "2"):
        (tmp_path / number).mkdir()
        issuers.append(Issuer(tmp_path / number))
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).symlink_to(current / name)
    current.symlink_to("1")
    certificate = Certificate(tmp_path / "cert.pem", tmp_path / "key.pem")
    with serving(certificate=certificate) as running:
        running.connect(issuers[0].trusting())
        current.unlink()
        current.symlink_to("2")
        renewed = running.connect(issuers[1].trusting())
        renewed.send(request(b"/now"))
        assert renewed.answer().status == 200


def test_a_renewed_certificate_that_becomes_readable_is_used(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renewed by root, given to the server's user afterwards: nobody writes it a second time."""
    monkeypatch.setattr(certificates, "LOOK_SECONDS", 0.0)
    certificate = issuer.certificate()
    first = certificate.context()
    issuer.issue()
    issuer.key.chmod(0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, _: path != issuer.key)
        assert certificate.context() is first
    issuer.key.chmod(0o600)
    assert certificate.context() is not first


def test_a_certificate_that_cannot_be_used_is_a_sentence(issuer: Issuer, tmp_path: Path) -> None:
    """Not there, not PEM, another's key, a key with a passphrase, and half of the two."""
    other_folder, text = tmp_path / "other", tmp_path / "text"
    other_folder.mkdir()
    text.write_text("hello")
    other = Issuer(other_folder)
    locked = tmp_path / "locked"
    locked.write_bytes(_lock(issuer.key.read_bytes()))
    cert, key = str(issuer.cert), str(issuer.key)
    for named, sentence in (
        ((f"{cert}.none", key), "cert.pem.none cannot be read: No such file or directory."),
        ((str(text), key), "Both are PEM files"),
        ((cert, str(text)), "Both are PEM files"),
        ((cert, str(other.key)), "is not that of the certificate"),
        ((cert, str(locked)), "has a passphrase. Give one without"),
        ((cert, ""), "Give --tls-cert and --tls-key together."),
        (("", key), "Give --tls-cert and --tls-key together."),
    ):
        with pytest.raises(ServeError, match=sentence):
            read_certificate(*named)
    assert read_certificate("", "") is None


def _lock(pem: bytes) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_pem_private_key(pem, None).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


def test_a_key_that_may_not_be_read_is_a_sentence(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As whoever the server runs as."""
    monkeypatch.setattr(os, "access", lambda path, _: path != issuer.key)
    with pytest.raises(ServeError, match=r"key.pem cannot be read. Check its permissions."):
        issuer.certificate()
