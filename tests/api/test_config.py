from pathlib import Path

import pytest

from engine.config import Config, bare_host, from_environment, to_environment


def test_settings_come_from_the_environment_and_the_command_line_wins() -> None:
    environment = {
        "FIELDSTONE_DATABASE_URL": "postgresql://db/crm",
        "FIELDSTONE_DATA": "/srv/crm",
        "FIELDSTONE_HOSTS": "a.example, b.example",
        "FIELDSTONE_THREADS": "3",
        "FIELDSTONE_ACCESS_LOG": "on",
        "FIELDSTONE_BASE_URL": "https://crm.example.com/",
    }
    config = from_environment(environment, tenant="north", data=None)
    assert config == Config(
        database_url="postgresql://db/crm", data=Path("/srv/crm"), hosts=("a.example", "b.example"), threads=3,
        access_log=True, base_url="https://crm.example.com", tenant="north",
    )  # fmt: skip
    assert config.is_secure
    assert from_environment(to_environment(config)) == config


def test_allowed_hosts_are_loopback_and_those_that_are_named() -> None:
    config = Config(base_url="https://CRM.example.com:8443", hosts=("b.example",))
    assert config.allowed_hosts == {"localhost", "127.0.0.1", "[::1]", "crm.example.com", "b.example"}


@pytest.mark.parametrize(
    ("host", "bare"),
    [("Example.com:80", "example.com"), ("[::1]:80", "[::1]"), ("example.com.", "example.com"), ("", "")],
)
def test_host_loses_its_port_and_case(host: str, bare: str) -> None:
    assert bare_host(host) == bare


@pytest.mark.parametrize(
    ("name", "text"), [("THREADS", "many"), ("ACCESS_LOG", "perhaps"), ("BASE_URL", "crm.example.com")]
)
def test_wrong_setting_names_its_variable(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"FIELDSTONE_{name}: '{text}' "):
        from_environment({f"FIELDSTONE_{name}": text})
