from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey
from pydantic import SecretStr

from api.application import PREFIX, application
from api.oidc import Provider as Ours
from api.roles import Role
from api.settings import Settings
from api.store.users import create_user, disable_user, sign_ins_of
from solver.refusal import Refused
from tests.api.routes.asking import NOW, Api, new, problem
from tests.api.routes.test_sessions import Browser
from tests.oidc_for_tests import CLIENT, SECRET, Provider, provider


@pytest.fixture
def at_provider() -> Iterator[Provider]:
    with provider() as made:
        made.now_s = round(NOW.timestamp())
        yield made


@pytest.fixture
def signing(api: Api, at_provider: Provider) -> Api:
    create_user(api.database, "one", "Dana@example.com", None, Role.OPERATIONS, now=NOW)
    settings = Settings(
        oidc_issuer=at_provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(SECRET),
        public_url="https://evenhand.example.com/",
    )
    api.app = application(api.database, now=lambda: api.at, settings=settings)
    return api


def there_and_back(browser: Browser, at_provider: Provider, firm: str = "one") -> httpx.Response:
    """Go to the provider, consent, and come back as a browser does."""
    gone = browser.ask("GET", f"/session/provider?firm={firm}")
    assert gone.status_code == 303, gone.text
    back = at_provider.consented(gone.headers["location"])
    assert back.startswith(f"https://evenhand.example.com{PREFIX}/session/provider/back?")
    return browser.ask("GET", back.partition(PREFIX)[2])


def test_who_the_provider_vouches_for_is_signed_in(signing: Api, at_provider: Provider) -> None:
    browser = Browser(signing)
    found = there_and_back(browser, at_provider)
    assert found.status_code == 200, found.text
    assert (found.json()["firm"], found.json()["role"]) == ("one", "operations")
    browser.csrf = found.json()["csrf_token"]
    assert list(browser.cookies) == ["evenhand"]
    assert browser.change("POST", "/tasks", new("a")).status_code == 201
    with signing.database.reading("one") as session:
        assert [one.outcome for one in sign_ins_of(session)] == ["by provider"]


def test_who_has_no_password_signs_in_with_none(signing: Api) -> None:
    for password in ("", " ", "correct horse battery"):
        found = Browser(signing).sign_in("dana@example.com", password)
        assert found.status_code in (401, 422)
        assert "set-cookie" not in found.headers


def test_a_token_that_is_not_right_in_everything_signs_nobody_in(signing: Api, at_provider: Provider) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"iss": "https://elsewhere.example.com"},
        {"aud": "somebody-else"},
        {"exp": round(NOW.timestamp()) - 61},
        {"iat": round(NOW.timestamp()) + 3_600},
        {"nonce": "of-another"},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email": None},
        {"email": "nobody@example.com"},
    )
    for claims in wrong:
        at_provider.claims = claims
        browser = Browser(signing)
        problem(there_and_back(browser, at_provider), 401, "sign_in_failed")
        assert "evenhand" not in browser.cookies, claims


def test_a_signature_is_the_providers_and_new_keys_are_read(signing: Api, at_provider: Provider) -> None:
    assert there_and_back(Browser(signing), at_provider).status_code == 200
    at_provider.signs_with = RSAKey.generate_key(2048, {"kid": "first"})  # somebody else's, under the same name
    problem(there_and_back(Browser(signing), at_provider), 401, "sign_in_failed")
    at_provider.signs_with = at_provider.key = RSAKey.generate_key(2048, {"kid": "second"})
    assert there_and_back(Browser(signing), at_provider).status_code == 200


def test_an_answer_counts_once_for_the_browser_and_the_firm_that_asked(signing: Api, at_provider: Provider) -> None:
    browser, other = Browser(signing), Browser(signing)
    gone = browser.ask("GET", "/session/provider?firm=one")
    back = at_provider.consented(gone.headers["location"]).partition(PREFIX)[2]
    problem(other.ask("GET", back), 401, "sign_in_failed")  # without the cookie
    other.ask("GET", "/session/provider?firm=one")
    problem(other.ask("GET", back), 401, "sign_in_failed")  # with another one
    way = httpx.Cookies(browser.cookies)
    assert browser.ask("GET", back).status_code == 200
    browser.cookies = way
    problem(browser.ask("GET", back), 401, "sign_in_failed")  # the code is used up
    for firm in ("two", "nobody"):
        problem(there_and_back(Browser(signing), at_provider, firm), 401, "sign_in_failed")
    for cookie in ("x", "W10=", "WyIqIiwiYSIsImIiLCJjIl0="):
        browser.cookies = httpx.Cookies({"evenhand-way": cookie})
        problem(browser.ask("GET", "/session/provider/back?state=a&code=b"), 401, "sign_in_failed")
    disable_user(signing.database, "one", "dana@example.com", now=NOW)
    problem(there_and_back(Browser(signing), at_provider), 401, "sign_in_failed")


def test_a_provider_that_is_away_or_another_one_is_said(signing: Api, at_provider: Provider) -> None:
    at_provider.metadata = {"issuer": "https://elsewhere.example.com"}
    problem(Browser(signing).ask("GET", "/session/provider?firm=one"), 503, "provider_unavailable")
    at_provider.metadata = {"token_endpoint": f"{at_provider.issuer}/nothing"}
    problem(there_and_back(Browser(signing), at_provider), 401, "sign_in_failed")
    settings = Settings(oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT)
    signing.app = application(signing.database, now=lambda: NOW, settings=settings)
    problem(Browser(signing).ask("GET", "/session/provider?firm=one"), 503, "provider_unavailable")


def test_without_a_provider_there_is_none_and_it_is_reached_by_tls(api: Api) -> None:
    for path in ("/session/provider?firm=one", "/session/provider/back?state=a&code=b"):
        problem(Browser(api).ask("GET", path), 404, "no_provider")
    with pytest.raises(Refused, match=r'Nearest: "https://login\.example\.com"'):
        Ours("http://login.example.com", CLIENT, SECRET, "")
