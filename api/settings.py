"""The settings of the service: from the environment (``EVENHAND_*``), else a TOML file, else defaults; each with where it came from.

The file is the one that ``EVENHAND_CONFIG`` names, else ``evenhand.toml`` in the working folder where there is one.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from solver.refusal import Refusal, Refused, nearest_name, refusal_of, refuse

PREFIX = "EVENHAND_"
FILE_VARIABLE = "EVENHAND_CONFIG"
FILE = "evenhand.toml"
NOT_SHOWN = "(not shown)"


def _listed(given: object) -> object:
    """Take ``a, b`` for a list, as variables of the environment are words."""
    if isinstance(given, str):
        return tuple(word.strip() for word in given.split(",") if word.strip())
    return given


def _network(given: str) -> str:
    try:
        ip_network(given, strict=False)
    except ValueError:
        raise refuse("network", "", given, "is no address and no network", nearest="10.0.0.0/8") from None
    return given


Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], BeforeValidator(_listed)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Settings(BaseModel):
    """What may be set; made without arguments it holds the defaults, and reads nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str = Field("sqlite:///evenhand.db", description="sqlite:///file.db or postgresql://user@host/name")
    synchronous: Literal["FULL", "NORMAL"] = Field(
        "FULL", description="SQLite: FULL survives a power cut, NORMAL the death of the process"
    )
    connections: Annotated[int, Field(ge=2, le=500)] = Field(20, description="to the database, of one process at most")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(8_000, description="port to listen on; 0: any that is free")
    proxies: Networks = Field((), description="whose X-Forwarded-For and X-Forwarded-Proto are believed")
    metrics_from: Networks = Field(("127.0.0.0/8", "::1/128"), description="who may read /metrics")
    requests_at_once: Annotated[int, Field(ge=2, le=1_000)] = Field(64, description="worked on by one process")
    firm_requests_at_once: Annotated[int, Field(ge=1, le=1_000)] = Field(
        32, description="worked on for one firm by one process, of which 8 while other firms ask as well"
    )
    requests_waiting: Count = Field(2_000, description="of one firm, beyond which they are answered 429")
    token_requests_per_min: Count = Field(12_000, description="of one token or session to one process")
    firm_requests_per_min: Count = Field(30_000, description="of one firm to one process")
    address_requests_per_min: Count = Field(600, description="of one address without a good token to one process")
    sign_ins_per_min: Count = Field(20, description="of one address to one process")
    session_h: Annotated[int, Field(ge=1, le=720)] = Field(12, description="how long who signed in stays so, at most")
    session_idle_min: Annotated[int, Field(ge=1, le=43_200)] = Field(60, description="and without asking for anything")
    secret_keys: Annotated[tuple[SecretStr, ...], BeforeValidator(_listed)] = Field(
        (), description="encrypt what connectors need; the first one writes, all read: `evenhand secrets key`"
    )
    private_webhooks: bool = Field(False, description="whether webhooks may lead to plain HTTP and the inner network")
    oidc_issuer: str | None = Field(None, description="address of an OpenID Connect provider; none: passwords only")
    oidc_client_id: str = Field("", description="what the provider calls this service")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="what this service shows the provider")
    public_url: str = Field(
        "http://127.0.0.1:8000", description="where browsers find this service; the provider sends people back there"
    )
    traces_to: str | None = Field(
        None, description="OTLP receiver over HTTP, such as http://127.0.0.1:4318/v1/traces; none: no traces"
    )
    traces_pct: Annotated[float, Field(ge=0, le=100)] = Field(100.0, description="of the traces that begin here")
    shutdown_s: Annotated[int, Field(ge=1, le=600)] = Field(30, description="for requests that have begun, at the end")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="what is logged, and above")
    log_format: Literal["json", "text"] = Field("json", description="of the log on standard error")

    @property
    def seal_keys(self) -> tuple[str, ...]:
        """What seals secrets, in plain text: for `api.sealing` alone."""
        return tuple(one.get_secret_value() for one in self.secret_keys)


class Setting(NamedTuple):
    """One setting as it is, to be shown.

    Attributes
    ----------
    source
        Name of the variable, name of the file, or ``default``.
    """

    name: str
    value: str
    source: str
    description: str


class Found(NamedTuple):
    """The settings, and where each one came from."""

    settings: Settings
    sources: Mapping[str, str]

    def shown(self) -> tuple[Setting, ...]:
        """Return every setting for people, without secrets."""
        return tuple(
            Setting(name, _shown(name, getattr(self.settings, name)), self.sources[name], str(field.description))
            for name, field in Settings.model_fields.items()
        )


def find_settings(environment: Mapping[str, str] | None = None, folder: Path | None = None) -> Found:
    """Read the settings of this process.

    Raises
    ------
    Refused
        A setting cannot be what it was set to; says the variable or the file, the value and the nearest valid one.
    """
    given = os.environ if environment is None else environment
    path, values = _file(given, Path() if folder is None else folder)
    sources = dict.fromkeys(Settings.model_fields, "default") | dict.fromkeys(values, str(path))
    for name in Settings.model_fields:
        variable = PREFIX + name.upper()
        if variable in given:
            values[name], sources[name] = given[variable], variable
    try:
        return Found(Settings.model_validate(values), sources)
    except ValidationError as error:
        raise Refused(_refusal(error.errors(include_url=False)[0], sources)) from None


def unknown_variables(environment: Mapping[str, str] | None = None) -> tuple[Refusal, ...]:
    """Return variables that look like settings and are none; told, not refused: other programs set some of this form."""
    given = os.environ if environment is None else environment
    names = [PREFIX + name.upper() for name in Settings.model_fields]
    return tuple(
        Refusal(
            code="unknown_setting",
            field="environment",
            value=name,
            message="is no setting",
            nearest=nearest_name(name, names),
        )
        for name in sorted(given)
        if name.startswith(PREFIX) and name not in (*names, FILE_VARIABLE, "EVENHAND_BENCHMARK_DIR")
    )


def _file(given: Mapping[str, str], folder: Path) -> tuple[Path | None, dict[str, Any]]:
    named = given.get(FILE_VARIABLE)
    path = Path(named) if named else folder / FILE
    if not named and not path.is_file():
        return None, {}
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        said = f"cannot be read: {error.strerror or error}"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        said = f"is no TOML: {error}"
    raise Refused(Refusal(code="settings_file", field=FILE_VARIABLE, value=str(path), message=said)) from None


def _refusal(detail: Any, sources: Mapping[str, str]) -> Refusal:
    """Say where the value was set; never show a secret."""
    found, name = refusal_of(detail), str(detail["loc"][0])
    source = sources[name]
    field = source if source.startswith(PREFIX) else f"{source}: {found.field}"
    known = Settings.model_fields.get(name)
    if known is None:
        near = nearest_name(name, list(Settings.model_fields))
        return Refusal(code="unknown_setting", field=source, value=name, message="is no setting", nearest=near)
    near = found.nearest if found.nearest is not None else _shown(name, known.default)
    value = _shown(name, found.value)
    return found.model_copy(update={"field": field, "value": value, "nearest": near})


def _shown(name: str, value: Any) -> str:
    if name == "secret_keys":
        return f"{len(value)} {NOT_SHOWN}" if isinstance(value, tuple) else NOT_SHOWN
    if name == "oidc_client_secret":
        return NOT_SHOWN if str(value) else ""
    if name == "database_url":
        try:
            return make_url(value).render_as_string(hide_password=True)
        except ArgumentError:
            return NOT_SHOWN
    return ", ".join(value) if isinstance(value, tuple) else str(value)
