from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from api.delivery import sending
from api.delivery.addresses import Forbidden, allowed_addresses, checked_url, is_public
from api.delivery.sending import Message, send
from api.sealing import Seal, Unsealable, new_key
from solver.refusal import Refused
from tests.api.delivery.receiving import Receiver

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
SECRET = "whsec_" + "A" * 44


def message() -> Message:
    return Message("one", 1, "task.placed", '{"task":"t"}', NOW)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:8443/a/b?c=d",
        "https://8.8.8.8/x",
        "https://[2001:4860:4860::8888]/x",
        "https://xn--bcher-kva.example/x",
    ],
)
def test_urls_of_the_internet_are_taken(url: str) -> None:
    assert checked_url(url, private=False) == url


@pytest.mark.parametrize(
    "url, said",
    [
        ("http://example.com/x", 'Nearest: "https://example.com/x"'),
        ("ftp://example.com/x", "is not HTTPS"),
        ("example.com/x", "is no URL"),
        ("https://", "is no URL"),
        ("https://exa mple.com", "is no URL"),
        ("https://bücher.example", "is no URL"),
        ("https://example.com:99999/x", "is no URL"),
        ("https://example.com:0/x", "port 0"),
        ("https://user@example.com/x", "has a user"),
        ("https://example.com/x#y", "has a user, a fragment"),
        ("https://127.0.0.1/x", "inner network"),
        ("https://10.1.2.3/x", "inner network"),
        ("https://169.254.169.254/latest", "inner network"),
        ("https://[::1]/x", "inner network"),
        ("https://[::ffff:10.0.0.1]/x", "inner network"),
        ("https://localhost/x", "inner network"),
        ("https://db.internal/x", "inner network"),
    ],
)
def test_urls_that_are_none_or_lead_inside_are_refused(url: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        checked_url(url, private=False)


def test_an_installation_may_allow_its_own_network() -> None:
    for url in ("http://127.0.0.1:8080/x", "https://db.internal/x", "http://[::1]/x"):
        assert checked_url(url, private=True) == url
    with pytest.raises(Refused, match="is not HTTP or HTTPS"):
        checked_url("ftp://127.0.0.1/x", private=True)


@pytest.mark.parametrize(
    "address, public",
    [
        ("8.8.8.8", True),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("224.0.0.1", False),
        ("2001:4860:4860::8888", True),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:127.0.0.1", False),
        ("64:ff9b::0a00:0001", False),
        ("64:ff9b::0808:0808", True),
        ("2002:0a00:0001::", False),
    ],
)
def test_addresses_are_inner_whatever_they_are_wrapped_in(address: str, public: bool) -> None:
    assert is_public(address) == public


def test_a_name_that_means_an_inner_address_is_not_connected_to(there: Receiver) -> None:
    with pytest.raises(Forbidden, match="localhost means an address of the inner network"):
        allowed_addresses("localhost", 80, private=False)
    named = there.url.replace("127.0.0.1", "localhost")
    for url in (named, there.url):
        found = send(url, message(), [SECRET], now=NOW)
        assert (found.status, "inner network" in found.error) == (None, True)
    assert there.came == []
    assert send(named, message(), [SECRET], now=NOW, private=True).arrived


def test_a_name_that_means_nothing_is_an_answer_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # no name server is asked, and none waited for
    found = send("https://nothing.invalid/x", message(), [SECRET], now=NOW)
    assert (found.status, found.arrived) == (None, False)
    assert "gaierror" in found.error


def test_a_receiver_that_drips_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TOTAL_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                try:
                    while connection.send(b"H") and connection.recv(100_000):
                        pass
                except OSError:
                    return

        thread = Thread(target=drip)
        thread.start()
        found = send(f"http://127.0.0.1:{server.getsockname()[1]}/", message(), [SECRET], now=NOW, private=True)
        # On a busy machine the time may be over before there is a connection, and the thread waits for one.
        socket.create_connection(server.getsockname()).close()
        thread.join()
    assert not found.arrived
    assert found.status is None


def test_tls_is_checked(there: Receiver) -> None:
    found = send(there.url.replace("http:", "https:"), message(), [SECRET], now=NOW, private=True)
    assert not found.arrived
    assert there.came == []


@pytest.mark.parametrize(
    "said, wait",
    [
        ("7", timedelta(seconds=7)),
        ("999999999999", timedelta(hours=24)),
        ("Mon, 01 Mar 2027 14:01:00 GMT", timedelta(minutes=1)),
        ("Mon, 01 Mar 2027 13:00:00 GMT", timedelta()),
        ("soon", None),
        ("-5", None),
        ("", None),
    ],
)
def test_retry_after_is_read_both_ways(there: Receiver, said: str, wait: timedelta | None) -> None:
    there.answers = lambda _: (503, {"Retry-After": said})
    assert send(there.url, message(), [SECRET], now=NOW, private=True).retry_after == wait


def test_the_id_of_a_message_is_its_own() -> None:
    ids = {Message(firm, number, "", "{}", NOW).id for firm in ("a", "a1", "b.c") for number in (1, 11)}
    assert len(ids) == 6


def test_secrets_are_sealed_with_the_first_key_for_one_place_and_opened_with_any() -> None:
    old, new = new_key(), new_key()
    sealed = Seal([old]).close("whsec_x", place="a")
    assert "whsec" not in sealed
    assert Seal([new, old]).open(sealed, place="a") == "whsec_x"
    assert Seal([new]).open(Seal([new, old]).close("y", place="a"), place="a") == "y"
    with pytest.raises(Unsealable, match="stored for a, not for b"):
        Seal([old]).open(sealed, place="b")
    with pytest.raises(Unsealable, match="no key that opens"):
        Seal([new]).open(sealed, place="a")
    with pytest.raises(Unsealable, match="EVENHAND_SECRET_KEYS"):
        Seal().close("x", place="a")
    with pytest.raises(Unsealable, match="EVENHAND_SECRET_KEYS"):
        Seal().open(sealed, place="a")
    with pytest.raises(Refused, match="32 bytes") as error:
        Seal(["short"])
    assert "short" not in str(error.value)
    assert (Seal().ready, Seal([new]).ready) == (False, True)
