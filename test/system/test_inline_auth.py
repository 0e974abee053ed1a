# SPDX-License-Identifier: Apache-2.0
"""OpenBao's inline authentication: the request carries the login. A secret costs one request,
and the server keeps no token; what it does not serve falls back to a login."""

import base64
import json

import pytest

from agent_run import Agent, deliver, memory_folder, read, remove_folder, template, wait_until
from vault import Answer, errors, kv2

DB = '{{ with secret "kv/data/inline" }}{{ .Data.data.password }}{{ end }}'


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="start")
def _start(folder):
    running = []

    def start(config, *args, **keys):
        running.append(Agent(folder, config, *args, **keys))
        return running[-1]

    yield start
    for r in running:
        r.close()


@pytest.fixture(name="app")
def _app(bao):
    bao.put("kv/data/inline", {"data": {"password": "first"}})
    bao.policy("inline", ("kv/data/inline", "read"), ("ssh/creds/inline", "update"))
    return bao


def put(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def config(address, folder, method, text=DB, ca=None, inline="true", more="", **keys):
    lines = "".join(f"   {k} = {json.dumps(v)}\n" for k, v in keys.items())
    ca = f' ca_cert = "{ca}"\n' if ca else ""
    return (f'store "vault" {{\n type = "vault"\n address = "{address}"\n{ca}'
            f' inline_auth = {inline}\n{more} auth "{method}" {{\n  config = {{\n{lines}  }}\n }}\n}}\n'
            'template_config {\n static_secret_render_interval = "1s"\n}\n'
            + deliver(folder, "app") + template(f"{folder}/app/db", text))


def approle(bao, folder, text=DB, **more):
    role_id, secret_id = bao.approle("inline", ["inline"])
    return config(bao.https, folder, "approle", text, bao.authority.cert,
                  role_id_file_path=put(f"{folder}/role-id", role_id),
                  secret_id_file_path=put(f"{folder}/secret-id", secret_id), **more)


def test_no_token_is_made(app, folder, start):
    app.revoke_tokens("inline")
    a = start(approle(app, folder)).started()
    assert read(f"{folder}/app/db") == "first"
    app.put("kv/data/inline", {"data": {"password": "second"}})
    wait_until("the new value", lambda: read(f"{folder}/app/db") == "second")
    assert app.tokens("inline") == []
    assert a.stop() == 0 and not a.events("secret not fetched")


def test_a_jwt_that_is_renewed_is_used_at_once(app, folder, issuer, start):
    app.jwt(issuer, "inline", ["inline"])
    path = put(f"{folder}/jwt", issuer.token(aud="ampoule", sub="a", ttl=-1000))
    a = start(config(app.https, folder, "jwt", ca=app.authority.cert, role="inline", path=path,
                     remove_jwt_after_reading=False))
    assert "token has expired" in a.event("login failed")["error"]
    put(path, issuer.token(aud="ampoule", sub="a"))
    wait_until("the file", lambda: read(f"{folder}/app/db") == "first")


def test_a_lease_is_made_with_a_login(app, folder, start):
    app.revoke_tokens("inline")
    app.mount("ssh", "ssh")
    app.put("ssh/roles/inline", {"key_type": "otp", "default_user": "app",
                                 "cidr_list": "127.0.0.0/8"})
    text = '{{ with secret "ssh/creds/inline" "ip=127.0.0.1" }}{{ .Data.key }}{{ end }}'
    a = start(approle(app, folder, text))
    wait_until("the file", lambda: read(f"{folder}/app/db"))
    assert len(app.tokens("inline")) == 1
    assert app.put("ssh/verify", {"otp": read(f"{folder}/app/db")})["data"]["username"] == "app"
    assert a.process.poll() is None


def test_a_wrong_secret_id_is_told_by_a_login(app, folder, start):
    text = approle(app, folder)
    put(f"{folder}/secret-id", "11111111-2222-3333-4444-555555555555")
    a = start(text)
    got = a.event("login failed")
    assert "secret id is wrong" in got["error"] and "1111" not in a.output()


@pytest.mark.parametrize("inline, paths", [
    ("true", ["kv/data/inline"]),
    ("false", ["auth/jwt/login", "sys/internal/ui/mounts/kv/data/inline", "kv/data/inline",
               "auth/token/revoke-self"])])
def test_how_many_requests_it_saves(fake, folder, start, inline, paths):
    jwt = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln"
    fake.login()
    fake.on("kv/data/inline", Answer(json=kv2({"password": "first"})))
    fake.on("auth/jwt/login", Answer(json={"auth": {"client_token": "s.t", "lease_duration": 60,
                                                    "renewable": True}}))
    fake.on("auth/token/revoke-self", Answer(204))
    a = start(config(fake.address, folder, "jwt", inline=inline, role="web",
                     path=put(f"{folder}/jwt", jwt)).replace('"1s"', '"5m"')).started()
    assert a.stop() == 0
    assert [r.path for r in fake.seen()] == paths
    if inline == "true":
        headers = fake.seen()[0].headers
        assert headers["x-vault-inline-auth-path"] == "auth/jwt/login"
        assert "x-vault-token" not in headers
        sent = {}
        for name, value in headers.items():
            if name.startswith("x-vault-inline-auth-parameter-"):
                pair = json.loads(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
                sent[pair["key"]] = pair["value"]
        assert sent == {"role": "web", "jwt": jwt}


def test_a_store_without_it_is_logged_in_to(fake, folder, start):
    """A Vault does not know the headers, and finds no token."""
    fake.login()
    fake.on("kv/data/inline", Answer(403, json=errors("permission denied")),
            Answer(json=kv2({"password": "first"})))
    fake.on("auth/jwt/login", Answer(json={"auth": {"client_token": "s.t", "lease_duration": 60,
                                                    "renewable": True}}))
    start(config(fake.address, folder, "jwt", role="web",
                 path=put(f"{folder}/jwt", "a.b.c"))).started()
    assert read(f"{folder}/app/db") == "first"
    assert fake.count("auth/jwt/login") == 1


@pytest.mark.parametrize("text, says", [
    ("inline_auth = true\n auth \"token_file\" { config = { token_file_path = \"/x\" } }",
     "inline_auth"),
    ("inline_auth = 5\n auth \"jwt\" { config = { role = \"a\" path = \"/x\" } }", "true or false"),
    ("inline_aut = true\n auth \"jwt\" { config = { role = \"a\" path = \"/x\" } }",
     "did you mean 'inline_auth'"),
])
def test_configurations_that_cannot_be(folder, start, text, says):
    a = start(f'store "vault" {{\n type = "vault"\n address = "http://127.0.0.1:1"\n {text}\n}}\n'
              + template(f"{folder}/db", DB))
    assert a.ended() == 1 and says in a.output()
