# SPDX-License-Identifier: Apache-2.0
"""The agent's logins over time, against a real OpenBao: a credential file that changes is
used at once, and whoever is refused is told why in one line, in the log, the status and the
last line of a start that fails."""

import json
import os

import pytest

import bao as bao_server
import http_servers
import vault
from agent_run import (Agent, deliver, memory_folder, read, remove_folder, template, wait_until)

DB = '{{ with secret "kv/data/login" }}{{ .Data.data.password }}{{ end }}'
K8S_AUDIENCE = "https://kubernetes.default.svc"


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
    bao.put("kv/data/login", {"data": {"password": "word"}})
    bao.policy("login", ("kv/data/login", "read"))
    return bao


@pytest.fixture(name="review", scope="module")
def _review():
    review = bao_server.TokenReview()
    yield review
    review.close()


def put(path, text):
    """As careful writers do it: a new file, renamed."""
    with open(f"{path}.new", "w", encoding="utf-8") as f:
        f.write(text)
    os.rename(f"{path}.new", path)
    return path


def config(bao, folder, method, mount_path=None, ca=None, **keys):
    """Backoffs of minutes: what is quick here is quick because a file changed."""
    lines = "".join(f"   {k} = {json.dumps(v)}\n" for k, v in keys.items())
    mount = f'  mount_path = "{mount_path}"\n' if mount_path else ""
    return (f'vault {{\n address = "{bao.https}"\n ca_cert = "{ca or bao.authority.cert}"\n}}\n'
            f'auto_auth {{\n method "{method}" {{\n{mount}  min_backoff = "2m"\n'
            f'  max_backoff = "5m"\n  config = {{\n{lines}  }}\n }}\n}}\n'
            + deliver(folder, "app") + template(f"{folder}/app/db", DB))


def has_file(folder):
    return wait_until("the file", lambda: read(f"{folder}/app/db") == "word")


# --- files that change --------------------------------------------------------------------


def test_a_new_token_file(app, folder, start):
    path = put(f"{folder}/token", "s.not-yet")
    a = start(config(app, folder, "token_file", token_file_path=path))
    assert "revoked, expired" in a.event("login failed")["error"]
    put(path, app.token(["login"]))
    has_file(folder)
    put(path, app.token(["login"], ttl="33m"))
    a.event("login")
    assert 1900 < a.event("login")["ttl_s"] <= 1980


def test_a_new_secret_id(app, folder, start):
    role_id, secret_id = app.approle("login", ["login"])
    secret = put(f"{folder}/secret-id", "11111111-2222-3333-4444-555555555555")
    a = start(config(app, folder, "approle", secret_id_file_path=secret,
                     role_id_file_path=put(f"{folder}/role-id", role_id)))
    assert "secret id is wrong" in a.event("login failed")["error"]
    put(secret, secret_id)
    has_file(folder)
    wait_until("the removal", lambda: not os.path.exists(secret))
    a.event("login")
    put(secret, app.approle("login", ["login"])[1])  # delivered anew: used at once, and gone
    a.event("login")
    wait_until("the removal", lambda: not os.path.exists(secret))
    assert len(a.events("login")) == 2 and len(a.events("login failed")) == 1


def test_a_new_wrapped_secret_id(app, folder, start):
    role_id, _ = app.approle("login", ["login"])
    origin = "auth/approle/role/login/secret-id"
    secret = put(f"{folder}/secret-id", app.put(
        "sys/wrapping/wrap", {"secret_id": "evil"},
        headers={"X-Vault-Wrap-TTL": "60s"})["wrap_info"]["token"])
    a = start(config(app, folder, "approle", secret_id_file_path=secret,
                     role_id_file_path=put(f"{folder}/role-id", role_id),
                     secret_id_response_wrapping_path=origin))
    assert f"was not made at '{origin}'" in a.event("login failed")["error"]
    put(secret, app.wrapped_secret_id("login"))
    has_file(folder)


def test_a_credential_that_changes_during_a_login(fake, folder, start):
    """The answer to the old one comes late, and is bad: the new one is tried at once."""
    path = put(f"{folder}/token", "s.old")
    fake.login()
    good = fake.answers["auth/token/lookup-self"][0]
    fake.on("auth/token/lookup-self", vault.Answer(
        403, json=vault.errors("permission denied"), delay=2), good)
    fake.on("kv/data/login", vault.Answer(json=vault.kv2({"password": "word"})))

    class Here:
        https, authority = fake.address, type("", (), {"cert": "/nonexistent"})

    start(config(Here, folder, "token_file", token_file_path=path))
    fake.wait(1)
    put(path, "s.new")
    has_file(folder)
    assert [r.headers["x-vault-token"] for r in fake.seen("auth/token/lookup-self")] == [
        "s.old", "s.new"]


def test_a_new_password(app, folder, start):
    app.userpass("login", "good word", ["login"])
    path = put(f"{folder}/password", "bad word")
    a = start(config(app, folder, "userpass", username="login", password_file_path=path))
    assert "password is wrong" in a.event("login failed")["error"]
    put(path, "good word\n")
    has_file(folder)
    assert "bad word" not in a.output() and "good word" not in a.output()


def test_a_new_jwt(app, folder, issuer, start):
    app.jwt(issuer, "login", ["login"])
    path = put(f"{folder}/jwt", issuer.token(aud="ampoule", sub="x", ttl=-1000))
    a = start(config(app, folder, "jwt", role="login", path=path))
    assert "token has expired" in a.event("login failed")["error"]
    put(path, issuer.token(aud="ampoule", sub="x"))
    has_file(folder)
    wait_until("the removal", lambda: not os.path.exists(path))
    a.event("login")
    put(path, issuer.token(aud="ampoule", sub="y"))
    a.event("login")


def test_a_new_client_certificate(app, folder, start):
    app.certificates("login", ["login"])
    other = bao_server.Authority(f"{folder}/other", name="another CA")
    cert, key = f"{folder}/cert.pem", f"{folder}/key.pem"

    def issue(authority):
        made = authority.issue("login", usage="clientAuth")
        for source, to in zip(made, (cert, key)):
            put(to, read(source))

    issue(other)
    a = start(config(app, folder, "cert", name="login", client_cert=cert, client_key=key))
    a.event("login failed")
    issue(app.authority)
    has_file(folder)


def test_the_kubelets_rotation_makes_no_token(app, folder, issuer, review, start):
    """While the login is good, a newer token waits for the next login."""
    app.kubernetes(review, "login", ["login"])
    tokens = [issuer.account_token("prod", "app", jti=str(i)) for i in range(3)]
    path = put(f"{folder}/token", tokens[0])
    a = start(config(app, folder, "kubernetes", role="login", token_path=path))
    assert "role 'login'" in a.event("login failed")["error"]
    for token in tokens[1:]:
        review.known[token] = ("prod", "app", [K8S_AUDIENCE])
    put(path, tokens[1])
    has_file(folder)
    a.event("login")
    put(path, tokens[2])
    app.revoke_tokens("login")
    app.put("kv/data/login", {"data": {"password": "word"}})
    assert len(a.events("login")) == 1
    os.kill(a.process.pid, 0)


# --- why not ------------------------------------------------------------------------------


def jwt(bao, issuer, folder, role="login", mount_path=None, **claims):
    bao.jwt(issuer, "login", ["login"])
    path = put(f"{folder}/jwt", issuer.token(**{"aud": "ampoule", "sub": "x", **claims}))
    return config(bao, folder, "jwt", mount_path=mount_path, role=role, path=path)


def account(bao, issuer, review, folder, namespace="prod", name="app", role="login", audience=None):
    more = {"audience": audience} if audience else {}
    bao.kubernetes(review, "login", ["login"], names="app", namespaces="prod", **more)
    token = issuer.account_token(namespace, name)
    review.known[token] = (namespace, name, [K8S_AUDIENCE])
    return config(bao, folder, "kubernetes", role=role, token_path=put(f"{folder}/token", token))


WHY = {
    "wrong role": (lambda b, i, r, f: jwt(b, i, f, role="none"), "no such role", "'none'"),
    "wrong audience": (lambda b, i, r, f: jwt(b, i, f, aud="other"), "wrong audience", "login"),
    "expired jwt": (lambda b, i, r, f: jwt(b, i, f, ttl=-1000), "token has expired", "login"),
    "wrong mount": (lambda b, i, r, f: jwt(b, i, f, mount_path="auth/none"), "mount", "auth/none"),
    "kubernetes, wrong role": (lambda b, i, r, f: account(b, i, r, f, role="none"),
                               "no such role", "'none'"),
    "kubernetes, wrong account": (lambda b, i, r, f: account(b, i, r, f, name="other"),
                                  "not bound to this service account", "login"),
    "kubernetes, wrong namespace": (lambda b, i, r, f: account(b, i, r, f, namespace="dev"),
                                    "not bound to this namespace", "login"),
    "kubernetes, wrong audience": (lambda b, i, r, f: account(b, i, r, f, audience="vault"),
                                   "wrong audience", "login"),
    "no token file": (lambda b, i, r, f: config(b, f, "kubernetes", role="login",
                                                token_path=f"{f}/none"), "login token", "none"),
    "the wrong authority": (lambda b, i, r, f: config(
        b, f, "token_file", token_file_path=put(f"{f}/t", b.root),
        ca=bao_server.Authority(f"{f}/ca", name="another").cert), "certificate", "https://"),
}


@pytest.mark.parametrize("case", WHY)
def test_why_a_login_fails(app, folder, issuer, review, start, case):
    make, *says = WHY[case]
    message = put(f"{folder}/message", "")
    a = start(make(app, issuer, review, folder), "--once", "--timeout", "3s",
              env={"AMPOULE_TERMINATION_LOG": message})
    got = a.event("login failed")
    assert all(word in got["error"] for word in says), got["error"]
    assert "\n" not in got["error"]
    assert a.ended() == 1
    last = a.output().splitlines()[-1]
    assert all(word in last for word in says), last
    assert read(message) in last and all(word in read(message) for word in says)
    assert read(f"{folder}/app/db") is None


def test_an_authority_that_has_expired(app, folder, start):
    """And its successor, put in its place, is enough: nothing needs a restart."""
    pki = http_servers.Pki(f"{folder}/pki")
    old = pki.make("old", ext=pki.CA, days=(-3, -1))
    new = pki.make("new", ext=pki.CA)
    san = pki.LEAF + "subjectAltName=IP:127.0.0.1\n"
    key = pki.make("leaf", by=old, ext=san)
    ca = put(f"{folder}/ca.pem", read(old[0]))
    text = config(app, folder, "token_file", token_file_path=put(f"{folder}/t", "s.token"), ca=ca)
    with vault.FakeVault(*key) as fake:
        fake.login()
        fake.on("kv/data/login", vault.Answer(json=vault.kv2({"password": "word"})))
        text = text.replace(app.https, fake.address).replace('"2m"', '"1s"')
        a = start(text)
        got = a.event("login failed")
        assert "has expired" in got["error"] and fake.address in got["error"]
        fake.tls.load_cert_chain(*pki.make("leaf2", by=new, ext=san))
        put(ca, read(new[0]))
        has_file(folder)


def test_the_status_says_why(app, folder, issuer, start):
    a = start(jwt(app, issuer, folder, aud="other"))
    a.event("login failed")
    assert "wrong audience" in json.dumps(a.status())


def test_ldap(fake, folder, start):
    """OpenBao has no such method: what Vault's documentation says, on a stand-in."""
    fake.login()
    fake.on("auth/ldap/login/joe", vault.Answer(json={"auth": {
        "client_token": "s.t", "lease_duration": 60, "renewable": True}}))
    fake.on("kv/data/login", vault.Answer(json=vault.kv2({"password": "word"})))

    class Here:
        https, authority = fake.address, type("", (), {"cert": "/nonexistent"})

    start(config(Here, folder, "ldap", username="joe",
                 password_file_path=put(f"{folder}/password", "a word\n")))
    has_file(folder)
    first = fake.seen()[0]
    assert (first.method, first.json()) == ("PUT", {"password": "a word"})
    assert not os.path.exists(f"{folder}/password")


@pytest.mark.parametrize("method", ["aws", "azure", "gcp", "kerberos", "alicloud", "cf", "oci"])
def test_a_method_that_is_not_in_this_build(bao, folder, start, method):
    a = start(config(bao, folder, method, role="x"))
    assert a.ended() == 1
    assert f"login method '{method}' is not supported in this build" in a.output()
