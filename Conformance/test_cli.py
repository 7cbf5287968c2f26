"""Bad input at the command line: one clear line, exit 1 (64 for wrong usage), nothing written."""

import socket

import pytest
from harness.deployment import ADMIN_KEY, clean_environment, generate_vault_key, run_fairlead
from harness.upstream import definition


@pytest.fixture
def environment(tmp_path):
    return {
        "HOME": str(tmp_path),
        "FAIRLEAD_VAULT_KEYS": generate_vault_key(tmp_path),
        "FAIRLEAD_ADMIN_KEY": ADMIN_KEY,
        "FAIRLEAD_DATABASE": f"sqlite:{tmp_path}/fairlead.db",
    }


def files(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def refuses(directory, environment, *arguments, says=()):
    """Runs it and checks that it fails with one clear line and leaves everything as it was."""
    before = files(directory)
    run = run_fairlead(
        *(arguments or ("serve", "--port", "0")), directory=directory,
        environment=clean_environment(**environment), timeout=20)
    lines = [line for line in (run.stdout + run.stderr).splitlines() if line.strip()]
    assert run.returncode == 1, run
    assert len(lines) == 1, "\n".join(lines)
    for word in says:
        assert word.lower() in lines[0].lower(), lines[0]
    assert files(directory) == before, "something was written"
    return lines[0]


def test_without_a_vault_key_it_says_how_to_make_one(tmp_path, environment):
    environment["FAIRLEAD_VAULT_KEYS"] = None
    refuses(tmp_path, environment, says=["fairlead keys generate-vault-key", "FAIRLEAD_VAULT_KEYS"])


@pytest.mark.parametrize("value", ["", "nonsense", "k1:", "k1:####", "k1:c2hvcnQ=", ":" + "A" * 44, ","])
def test_a_bad_vault_key_is_named_and_not_shown(tmp_path, environment, value):
    environment["FAIRLEAD_VAULT_KEYS"] = value
    line = refuses(tmp_path, environment, says=["FAIRLEAD_VAULT_KEYS"])
    assert "c2hvcnQ" not in line


def test_two_vault_keys_of_one_id(tmp_path, environment):
    entry = environment["FAIRLEAD_VAULT_KEYS"]
    other = generate_vault_key(tmp_path).split(":", 1)[1]
    environment["FAIRLEAD_VAULT_KEYS"] = f"{entry},{entry.split(':')[0]}:{other}"
    refuses(tmp_path, environment, says=["FAIRLEAD_VAULT_KEYS"])


def test_another_vault_key_than_the_database_was_made_with(tmp_path, environment):
    """Not a start that then fails on every call."""
    from harness.deployment import Server

    server = Server(tmp_path / "house", definitions={"raw": definition("raw")},
                    configuration={"integrations": {"raw": {"provider": "raw"}}})
    server.connect_with_key("raw", "u1", "some-key-0123456789")
    assert server.stop() == 0
    server.environment["FAIRLEAD_VAULT_KEYS"] = generate_vault_key(tmp_path)
    run = server.run("serve", "--port", "0", timeout=20)
    assert run.returncode == 1 and "FAIRLEAD_VAULT_KEYS" in run.stderr, run


@pytest.mark.parametrize("variable, value", [
    ("FAIRLEAD_PORT", "eighty"), ("FAIRLEAD_PORT", "70000"), ("FAIRLEAD_DATABASE", "oracle:x"),
    ("FAIRLEAD_PUBLIC_URL", "http://app.example"), ("FAIRLEAD_PUBLIC_URL", "nonsense"),
    ("FAIRLEAD_CORS_ORIGINS", "*"), ("FAIRLEAD_LOG_LEVEL", "loud"),
    ("FAIRLEAD_ALLOW_PRIVATE_NETWORKS", "perhaps"),
])
def test_a_wrong_variable_is_named(tmp_path, environment, variable, value):
    arguments = ("serve",) if variable == "FAIRLEAD_PORT" else ("serve", "--port", "0")
    refuses(tmp_path, environment | {variable: value}, *arguments, says=[variable])


def test_half_an_integration_says_what_is_missing(tmp_path, environment):
    refuses(tmp_path, environment | {"SLACK_CLIENT_ID": "1.2"}, says=["SLACK_CLIENT_SECRET"])


def test_a_database_that_is_none(tmp_path, environment):
    (tmp_path / "fairlead.db").write_bytes(b"this is not a database, " * 500)
    refuses(tmp_path, environment, says=["fairlead.db"])


def test_a_database_in_no_folder(tmp_path, environment):
    environment["FAIRLEAD_DATABASE"] = f"sqlite:{tmp_path}/missing/fairlead.db"
    refuses(tmp_path, environment, says=["missing"])


def test_a_database_that_is_a_folder(tmp_path, environment):
    (tmp_path / "fairlead.db").mkdir()
    refuses(tmp_path, environment, says=["fairlead.db"])


@pytest.mark.parametrize("text, says", [
    ("integrations: [", ["fairlead.yaml"]),
    ("intergations: {}\n", ["fairlead.yaml", "intergations"]),
    ("server:\n  port: 8080\n  prot: 1\n", ["fairlead.yaml", "prot"]),
    ("integrations:\n  x: { provider: nope }\n", ["nope"]),
    ("integrations:\n  slack: { client_id: '${NOT_SET_ANYWHERE}' }\n", ["NOT_SET_ANYWHERE"]),
    ("cors: { origins: ['*'] }\n", ["origins"]),
    ("destinations: [ { url: 'http://app.example/hooks', secret: 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0' } ]\n", ["https"]),
    ("[]\n", ["fairlead.yaml"]),
], ids=range(8))
def test_a_configuration_that_is_wrong(tmp_path, environment, text, says):
    (tmp_path / "fairlead.yaml").write_text(text)
    refuses(
        tmp_path, environment, "serve", "--port", "0", "--config", tmp_path / "fairlead.yaml",
        says=says)


def test_a_configuration_that_is_not_there(tmp_path, environment):
    refuses(tmp_path, environment, "serve", "--port", "0", "--config", "nope.yaml", says=["nope.yaml"])


@pytest.mark.parametrize("change, says", [
    ({"base_ulr": "https://x.example"}, ["base_ulr"]),
    ({"auth": {"type": "magic"}}, ["auth", "magic"]),
    ({"timeout": "30"}, ["timeout"]),
    ({"base_url": "https://x.example/path"}, ["base_url"]),
    ({"name": None}, ["name"]),
    ({"retry": {"attempts": 0}}, ["attempts"]),
    ({"limits": [{"name": "d", "requests": -1, "per": "1s", "key": ["connection"]}]}, ["requests"]),
], ids=lambda one: str(one)[:30])
def test_a_malformed_definition_names_file_and_key(tmp_path, environment, change, says):
    import yaml

    (tmp_path / "providers").mkdir()
    text = yaml.safe_dump({k: v for k, v in (definition("raw") | change).items() if v is not None})
    (tmp_path / "providers" / "raw.yaml").write_text(text)
    (tmp_path / "fairlead.yaml").write_text(f"definitions: {tmp_path}/providers\n")
    line = refuses(
        tmp_path, environment, "serve", "--port", "0", "--config", tmp_path / "fairlead.yaml",
        says=["raw.yaml", *says])
    number = line.split("raw.yaml:", 1)[1].split(":")[0] if "raw.yaml:" in line else ""
    assert number.isdigit() or "line" in line, f"no line number: {line}"


def test_a_taken_port_is_named(tmp_path, environment):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refuses(tmp_path, environment, "serve", "--port", port, says=[str(port)])
        refuses(tmp_path, environment, "sandbox", "--port", port, says=[str(port)])


@pytest.mark.parametrize("arguments", [
    ["serve", "--bogus"], ["nonsense"], ["serve", "--port", "many"], ["serve", "--port", "70000"],
    ["keys", "create"], ["demo", "extra"],
], ids=" ".join)
def test_wrong_usage_is_64(tmp_path, environment, arguments):
    before = files(tmp_path)
    run = run_fairlead(
        *arguments, directory=tmp_path, environment=clean_environment(**environment), timeout=20)
    assert run.returncode == 64 and "usage" in run.stderr.lower(), run
    assert files(tmp_path) == before


def test_help_is_for_stdout(tmp_path):
    run = run_fairlead("--help", directory=tmp_path)
    assert run.returncode == 0 and "serve" in run.stdout and run.stderr == ""


def test_a_generated_vault_key_is_new_each_time(tmp_path):
    keys = {generate_vault_key(tmp_path) for _ in range(3)}
    assert len(keys) == 3


def test_init_writes_what_serve_starts_with(tmp_path):
    run = run_fairlead("init", directory=tmp_path)
    assert run.returncode == 0, run.stderr
    secrets = tmp_path / ".env"
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert "FAIRLEAD_VAULT_KEYS=" in secrets.read_text()
    again = run_fairlead("init", directory=tmp_path)
    assert again.returncode == 1, "what is there is not overwritten"
