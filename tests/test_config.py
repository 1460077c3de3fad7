"""Wrong settings stop the start with one readable line that contains no secret."""

import socket
from pathlib import Path

import pytest

from benchmark_manager.config import load_settings
from benchmark_manager.errors import StartError
from support.process import run_main
from support.refused_settings import KEY, refusal_of


def check_one_line(code: int, stdout: str, stderr: str) -> str:
    """Return the one line of a process that cannot start."""
    assert code == 1, stderr
    assert stdout == ""
    lines = [line for line in stderr.splitlines() if line.startswith("benchmark-manager: ")]
    assert len(lines) == 1, stderr
    assert stderr.endswith(lines[0] + "\n")
    assert "Traceback" not in stderr
    return lines[0]


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", "abc"), ("PORT", "-1"), ("PORT", "65536"), ("PORT", "80.5")),
        *(
            ("MONGO_URL", "localhost:27017"),
            ("MONGO_URL", "postgres://h/db"),
            ("MONGO_URL", "mongodb://"),
        ),
        *(
            ("MONGO_URL", "mongodb://u:p@ss@h/"),
            ("MONGO_URL", "mongodb://h:99999/"),
            ("MONGO_URL", "mongodb://h:x/"),
        ),
        *(
            ("MONGO_URL", "mongodb://h/?tls=banana"),
            ("MONGO_URL", "mongodb://h/?tls=true&tlsCAFile=/no/such/file"),
        ),
        *(
            ("SECRET_KEY", "short"),
            ("SECRET_KEY", KEY[:-4]),
            ("SECRET_KEY", f"{KEY},short"),
            ("SECRET_KEY", ","),
        ),
        *(("SECRET_KEY", " "), ("SECRET_KEY", "ü" * 44)),
        *(
            ("GITHUB_API_URLS", "api.github.com"),
            ("GITHUB_API_URLS", "ftp://h"),
            ("GITHUB_API_URLS", ","),
        ),
        *(
            ("GITHUB_API_URLS", "https://"),
            ("GITHUB_API_URLS", "https://h?x=1"),
            ("GITHUB_API_URLS", "https://h#x"),
        ),
        *(
            ("GITHUB_API_URLS", "https://h:99999"),
            ("GITHUB_API_URLS", "https://h:x"),
            ("GITHUB_API_URLS", "https://["),
        ),
        *(("GITHUB_API_URLS", "https://u:pw@h"), ("GITHUB_API_URLS", "https://u:pw\u2100@h")),
        *(
            ("GITHUB_API_URLS", "https://ok.example,nonsense"),
            ("GITHUB_API_URLS", "https://a b/api/v3"),
        ),
        *(
            ("DEFAULT_POLLING_INTERVAL", "9"),
            ("DEFAULT_POLLING_INTERVAL", "604801"),
            ("DEFAULT_POLLING_INTERVAL", "-1"),
        ),
        *(
            ("DEFAULT_POLLING_INTERVAL", "often"),
            ("DEFAULT_CONFIG_FOLDER", "../x"),
            ("DEFAULT_JOB_FOLDER", "a\\b"),
        ),
        *(("DB_NAME", "a.b"), ("DB_NAME", "a b"), ("DB_NAME", "x" * 64), ("MAX_FILE_SIZE", "0")),
        *(
            ("MAX_FILE_SIZE", "15728641"),
            ("SYNC_RETENTION_DAYS", "0"),
            ("TRASH_RETENTION_DAYS", "0"),
        ),
        *(
            ("GITHUB_BATCH_THRESHOLD", "0"),
            ("CORS_ORIGINS", "bench.example.com"),
            ("CORS_ORIGINS", "https://h/path"),
        ),
        *(
            ("PUBLIC_URL", "https://h/benchmarks"),
            ("ROOT_PATH", "benchmarks"),
            ("ROOT_PATH", "//evil.example"),
        ),
        *(
            ("ROOT_PATH", "/a/../b"),
            ("ROOT_PATH", "/a b"),
            ("ROOT_PATH", "/a\r\nX: y"),
            ("ROOT_PATH", "/ui"),
        ),
        *(
            ("CORS_ORIGINS", "http://["),
            ("LOG_LEVEL", "loud"),
            ("LOG_FORMAT", "xml"),
            ("GITHUB_TOKEN", "a b"),
        ),
    ],
)
def test_a_wrong_value_is_reported_with_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    detail = refusal_of(monkeypatch, **{name: value})
    assert detail.startswith("Wrong settings: ")
    assert name in detail


@pytest.mark.usefixtures("_without_env_file")
def test_all_wrong_values_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    detail = refusal_of(monkeypatch, PORT="x", LOG_LEVEL="loud", SECRET_KEY="short")
    assert all(name in detail for name in ("PORT", "LOG_LEVEL", "SECRET_KEY"))


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("MONGO_URL", "mongodb://user:hunter2@@h/"),
            ("MONGO_URL", "mongodb://user:hunter2@h/?tls=hunter2"),
        ),
        *(
            ("SECRET_KEY", "hunter2"),
            ("GITHUB_TOKEN", "hunter2 "),
            ("GITHUB_API_URLS", "https://u:hunter2@h"),
        ),
        *(
            ("GITHUB_API_URLS", "https://u:hunter2\u2100@h"),
            ("CORS_ORIGINS", "https://u:hunter2\u2100@h"),
        ),
    ],
)
def test_no_message_contains_what_may_be_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert "hunter2" not in refusal_of(monkeypatch, **{name: value})


@pytest.mark.usefixtures("_without_env_file")
def test_settings_never_show_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "SECRET_KEY": KEY,
        "GITHUB_TOKEN": "ghp_hunter2",
        "MONGO_URL": "mongodb://u:hunter2@h/",
    }
    for name, value in {
        **secrets,
        "WEBHOOK_SECRET": "hunter2hunter2hunter2",
        "GITHUB_APP_PRIVATE_KEY": "hunter2",
    }.items():
        monkeypatch.setenv(name, value)
    shown = f"{load_settings()!r} {load_settings().model_dump()}"
    assert "hunter2" not in shown
    assert KEY not in shown


@pytest.mark.usefixtures("_without_env_file")
def test_the_defaults_are_those_of_the_contract() -> None:
    settings = load_settings()
    assert (
        settings.mongo_url
        is settings.github_token
        is settings.secret_key
        is settings.webhook_secret
        is None
    )
    assert (settings.host, settings.port, settings.db_name) == (
        "127.0.0.1",
        8001,
        "benchmark_manager",
    )
    assert settings.github_api_urls == ("https://api.github.com",)
    assert (settings.default_config_folder, settings.default_job_folder) == ("config", "job")
    assert (settings.default_polling_interval, settings.max_file_size) == (180, 1_048_576)
    assert (
        settings.github_batch_threshold,
        settings.sync_retention_days,
        settings.trash_retention_days,
    ) == (
        500,
        30,
        30,
    )
    assert (settings.cors_origins, settings.log_level, settings.log_format) == (
        (),
        "info",
        "console",
    )


@pytest.mark.usefixtures("_without_env_file")
def test_values_may_be_written_in_several_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "GITHUB_API_URLS": " https://api.github.com/ , https://GHE.example:8443/api/v3/,",
        "CORS_ORIGINS": "https://a.example, http://localhost:3000",
        "LOG_LEVEL": "DEBUG",
        "DEFAULT_CONFIG_FOLDER": "/benchmarks/config/",
        "DEFAULT_JOB_FOLDER": ".",
        "DEFAULT_POLLING_INTERVAL": "0",
        "PORT": "",
        "SECRET_KEY": f"{KEY}, {KEY}",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.github_api_urls == ("https://api.github.com", "https://ghe.example:8443/api/v3")
    assert settings.cors_origins == ("https://a.example", "http://localhost:3000")
    assert (settings.default_config_folder, settings.default_job_folder) == (
        "benchmarks/config",
        "",
    )
    assert (settings.log_level, settings.default_polling_interval, settings.port) == (
        "debug",
        0,
        8001,
    )


@pytest.mark.usefixtures("_without_env_file")
def test_the_environment_overrides_an_env_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=9000\nHOST=0.0.0.0\nSOMETHING_ELSE=1\n")
    monkeypatch.setenv("PORT", "9001")
    settings = load_settings()
    assert (settings.host, settings.port) == ("0.0.0.0", 9001)  # noqa: S104 -- nothing listens


@pytest.mark.usefixtures("_without_env_file")
def test_an_env_file_that_cannot_be_read_is_ignored_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Containers may start the service in another user's folder."""
    (tmp_path / ".env").mkdir()  # root may read every file
    monkeypatch.setenv("PORT", "9001")
    assert load_settings().port == 9001
    assert capsys.readouterr().err == (
        f"benchmark-manager: {tmp_path / '.env'} is ignored, "
        "as it cannot be read (Is a directory).\n"
    )


@pytest.mark.usefixtures("_without_env_file")
def test_an_env_file_that_is_not_text_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"PORT=\xff\xfe\n")
    with pytest.raises(StartError, match=r"\.env is not UTF-8"):
        load_settings()


def test_a_wrong_setting_ends_the_process_with_one_line(tmp_path: Path) -> None:
    done = run_main(tmp_path, port="abc", secret_key="hunter2")
    line = check_one_line(done.returncode, done.stdout, done.stderr)
    assert "PORT" in line
    assert "SECRET_KEY" in line
    assert "hunter2" not in done.stderr


def test_a_taken_port_ends_the_process_before_anything_else_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_main(tmp_path, port=port, data_dir=tmp_path / "data")
    line = check_one_line(done.returncode, done.stdout, done.stderr)
    assert f"127.0.0.1:{port}" in line
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1", "a" * 70 + ".example"])
def test_a_host_of_another_machine_ends_the_process_with_one_line(
    tmp_path: Path, host: str
) -> None:
    done = run_main(tmp_path, host=host, port=0, data_dir=tmp_path / "data")
    check_one_line(done.returncode, done.stdout, done.stderr)


def test_a_data_folder_that_is_a_file_ends_the_process_with_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    done = run_main(tmp_path, port=0, data_dir=tmp_path / "data")
    assert str(tmp_path / "data") in check_one_line(done.returncode, done.stdout, done.stderr)


# Identity providers


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize(
    "issuer",
    [
        *("login.example.com", "http://login.example.com", "ftp://login.example.com"),
        *("https://", "https://[", "https://x:hunter2@login.example.com"),
        *("https://login.example.com?a=b", "https://login.example.com/#a"),
    ],
)
def test_an_issuer_that_is_no_safe_address_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, issuer: str
) -> None:
    refusal = refusal_of(monkeypatch, OIDC_ISSUER=issuer, OIDC_CLIENT_ID="bench")
    assert "OIDC_ISSUER: must be an https:// address" in refusal
    assert "hunter2" not in refusal


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"OIDC_ISSUER": "https://login.example.com"}, "OIDC_ISSUER needs OIDC_CLIENT_ID"),
        ({"GITHUB_OAUTH_CLIENT_ID": "bench"}, "belong together"),
        ({"GITHUB_OAUTH_CLIENT_SECRET": "hunter2"}, "belong together"),
    ],
    ids=["OIDC", "GitHub's secret", "GitHub's id"],
)
def test_half_a_client_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], words: str
) -> None:
    refusal = refusal_of(monkeypatch, **given)
    assert words in refusal
    assert "hunter2" not in refusal


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize("issuer", ["https://login.example.com/realms/a/", "http://127.0.0.1:9400"])
def test_an_issuer_is_kept_as_it_is_written(monkeypatch: pytest.MonkeyPatch, issuer: str) -> None:
    monkeypatch.setenv("OIDC_ISSUER", issuer)
    monkeypatch.setenv("OIDC_CLIENT_ID", "bench")
    assert load_settings().oidc_issuer == issuer


# Hosts, proxies, owners and unencrypted connections


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("ALLOWED_HOSTS", value)
            for value in ("https://a.example", "a.example:80", "a b", "a.*.example", "-")
        ),
        *(
            ("PUBLIC_URL", value)
            for value in ("bench", "ftp://a", "https://a/b", "https://u@a", "https://a?x", "http:")
        ),
        *(("TRUSTED_PROXIES", value) for value in ("proxy", "10.0.0.1/8", "10.0.0.0/33")),
        *(("GITHUB_OWNERS", value) for value in ("acme/b", "a b", "-a")),
        *(("WEBHOOK_SECRET", value) for value in ("x", "123456789012345")),
        *(("ALLOW_INSECURE_GITHUB", value) for value in ("perhaps",)),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert f"{name}: " in refusal_of(monkeypatch, **{name: value})


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize(
    "base", ["http://ghe.example/api/v3", "http://10.0.0.1", "http://localhost.evil.example"]
)
def test_an_unencrypted_api_base_must_be_allowed(
    monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    assert "ALLOW_INSECURE_GITHUB=on" in refusal_of(monkeypatch, GITHUB_API_URLS=base)
    monkeypatch.setenv("ALLOW_INSECURE_GITHUB", "on")
    assert load_settings().github_api_urls == (base,)


@pytest.mark.usefixtures("_without_env_file")
@pytest.mark.parametrize(
    "base", ["http://127.0.0.1:81", "http://localhost:81", "http://[::1]:81", "https://ghe.example"]
)
def test_an_api_base_that_is_local_or_encrypted_is_always_allowed(
    monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    monkeypatch.setenv("GITHUB_API_URLS", base)
    assert load_settings().github_api_urls == (base,)


@pytest.mark.usefixtures("_without_env_file")
def test_addresses_are_normalised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_URL", "https://Bench.Example.com:443/")
    monkeypatch.setenv("ALLOWED_HOSTS", " A.example. , *.B.example,*")
    monkeypatch.setenv("GITHUB_OWNERS", "Acme,b-c")
    settings = load_settings()
    assert settings.public_url == "https://bench.example.com"
    assert settings.allowed_hosts == ("a.example", "*.b.example", "*")
    assert settings.github_owners == ("acme", "b-c")
