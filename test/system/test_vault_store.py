# SPDX-License-Identifier: Apache-2.0
"""The vault store against a real OpenBao: every login, KV 1 and 2, leases, certificates,
what a person is told when something is refused."""
import json
import os
import time

import pytest

import bao as bao_server
from store_run import Store, approle, config, digest, with_token, write

K8S_AUDIENCE = "https://kubernetes.default.svc"


@pytest.fixture(name="review", scope="module")
def _review():
    review = bao_server.TokenReview()
    yield review
    review.close()


@pytest.fixture(name="app")
def _app(bao):
    """kv/data/app, kv1/app and the policy `app` that reads them."""
    bao.delete("kv/metadata/app")
    bao.put("kv/data/app", {"data": {"user": "u", "n": 1.5, "deep": {"a": [1, None, "ü"]}}})
    bao.put("kv1/app", {"user": "u"})
    bao.policy("app", ("kv/data/app", "read"), ("kv1/app", "read"))
    return bao


# --- logins -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["http", "https", "unix"])
def test_addresses(app, tmp_path, kind):
    c = approle(app, tmp_path)
    c["address"] = getattr(app, kind)
    with Store(tmp_path, c) as s:
        assert s.good("login") == {"do": "login", "ok": True, "ttl_ms": 3600000,
                                   "renewable": True, "has_token": True}
        assert s.good("get kv/app")["version"] == "1"
        s.good("logout")


def test_token_file(app, tmp_path):
    c, token = with_token(app, tmp_path, ("kv/data/app", "read"), ttl="50s")
    with Store(tmp_path, c) as s:
        a = s.good("login")
        assert 45000 <= a["ttl_ms"] <= 50000 and a["renewable"]
        s.good("get kv/app")
        assert s.good("renew-login")["ttl_ms"] == 50000
        s.good("logout")
    app.get("auth/token/lookup-self", token=token)  # somebody else's token is not revoked


def test_root_token_does_not_end(app, tmp_path):
    c = config(app, "token_file", token_file_path=write(tmp_path, "token", app.root))
    with Store(tmp_path, c) as s:
        a = s.good("login")
        assert a["ttl_ms"] == 0 and not a["renewable"]


def test_token_without_default_policy(app, tmp_path):
    c, _ = with_token(app, tmp_path, ("kv/data/app", "read"), no_default_policy=True)
    with Store(tmp_path, c) as s:
        assert s.good("login")["ttl_ms"] == 0  # may not look itself up: not known
        s.good("get kv/app")
        s.good("check")
        s.bad("renew-login", "denied", "auth/token/renew-self")


@pytest.mark.parametrize("text", ["", "two\nlines", "blank inside"])
def test_token_file_that_is_none(app, tmp_path, text):
    c = config(app, "token_file", token_file_path=write(tmp_path, "token", text))
    with Store(tmp_path, c) as s:
        s.bad("login", "auth")


def test_token_file_with_a_bad_token(app, tmp_path):
    c = config(app, "token_file", token_file_path=write(tmp_path, "token", "s.nonsense"))
    with Store(tmp_path, c) as s:
        a = s.bad("login", "auth", "token file", "revoked, expired")
        assert "nonsense" not in a["error"] and not a["has_token"]
        s.bad("get kv/app", "auth", "not logged in")


def test_approle(app, tmp_path):
    c = approle(app, tmp_path)
    with Store(tmp_path, c) as s:
        s.good("login")
        assert not (tmp_path / "secret-id").exists()  # removed after use
        s.good("login")  # from memory
        (tmp_path / "role-id").unlink()
        s.good("login")


def test_approle_keeps_the_file_when_told(app, tmp_path):
    c = approle(app, tmp_path, remove_secret_id_file_after_reading=False)
    with Store(tmp_path, c) as s:
        s.good("login")
        assert (tmp_path / "secret-id").exists()


def test_approle_wrong(app, tmp_path):
    c = approle(app, tmp_path)
    write(tmp_path, "secret-id", "11111111-2222-3333-4444-555555555555")
    with Store(tmp_path, c) as s:
        a = s.bad("login", "auth", "auth/approle/login", "secret id is wrong", "(400)")
        assert "1111" not in a["error"]
        assert (tmp_path / "secret-id").exists()  # not used: it stays for a look
        app.put("auth/approle/role/web", {"token_policies": ["app"], "token_ttl": "1h"})
        _, secret_id = app.approle("web", ["app"])
        write(tmp_path, "secret-id", secret_id)
        s.good("login")


def test_approle_without_secret_id(app, tmp_path):
    role_id, _ = app.approle("open", ["app"], bind_secret_id=False,
                             token_bound_cidrs=["127.0.0.0/8"])
    c = config(app, "approle", role_id_file_path=write(tmp_path, "role-id", role_id))
    with Store(tmp_path, c) as s:
        s.good("login")
    role_id, _ = app.approle("web", ["app"])
    write(tmp_path, "role-id", role_id)
    with Store(tmp_path, c) as s:
        s.bad("login", "auth", "wants a secret id")


def wrapped(bao, folder, **keys):
    role_id, _ = bao.approle("web", ["app"], token_ttl="1h")
    token = bao.wrapped_secret_id("web")
    c = config(bao, "approle", role_id_file_path=write(folder, "role-id", role_id),
               secret_id_file_path=write(folder, "secret-id", token),
               secret_id_response_wrapping_path="auth/approle/role/web/secret-id", **keys)
    return c, token


def test_wrapped_secret_id(app, tmp_path):
    c, _ = wrapped(app, tmp_path)
    with Store(tmp_path, c) as s:
        s.good("login")
        assert not (tmp_path / "secret-id").exists()
        s.good("login")  # what came out of it is kept
        s.good("get kv/app")


def test_wrapped_secret_id_that_cannot_be_removed(app, tmp_path):
    c, _ = wrapped(app, tmp_path, remove_secret_id_file_after_reading=False)
    with Store(tmp_path, c) as s:
        s.good("login")
        s.good("login")  # the same wrapping token is not opened twice


def test_wrapped_secret_id_opened_by_somebody_else(app, tmp_path):
    c, token = wrapped(app, tmp_path)
    app.put("sys/wrapping/unwrap", token=token)
    with Store(tmp_path, c) as s:
        s.bad("login", "auth", "somebody else has opened it")


def test_wrapped_secret_id_of_another_origin(app, tmp_path):
    c, _ = wrapped(app, tmp_path)
    other = app.put("sys/wrapping/wrap", {"secret_id": "evil"},
                    headers={"X-Vault-Wrap-TTL": "60s"})["wrap_info"]["token"]
    write(tmp_path, "secret-id", other)
    with Store(tmp_path, c) as s:
        s.bad("login", "auth", "was not made at 'auth/approle/role/web/secret-id'")
    app.put("sys/wrapping/unwrap", token=other)  # it was not opened


def test_jwt(app, issuer, tmp_path):
    app.jwt(issuer, "web", ["app"])
    write(tmp_path, "jwt", issuer.token(aud="ampoule", sub="web"))
    c = config(app, "jwt", role="web", path=str(tmp_path / "jwt"))
    with Store(tmp_path, c) as s:
        s.good("login")
        assert not (tmp_path / "jwt").exists()
        s.good("login")


@pytest.mark.parametrize("claims, says", [
    ({"aud": "other"}, "wrong audience"),
    ({"aud": "ampoule", "ttl": -1000}, "token has expired"),
    ({"aud": "ampoule", "role": "none"}, "there is no such role"),
    ({"aud": "ampoule", "cut": True}, "does not know the key"),
    ({"aud": "ampoule", "mount": "auth/none"}, "is the auth method mounted there"),
])
def test_jwt_refused(app, issuer, tmp_path, claims, says):
    app.jwt(issuer, "web", ["app"])
    role, mount = claims.pop("role", "web"), claims.pop("mount", None)
    cut = claims.pop("cut", False)
    token = issuer.token(sub="web", **claims)
    token = token[:-12] + "AAAAAAAAAAAA" if cut else token
    write(tmp_path, "jwt", token)
    c = config(app, "jwt", mount_path=mount, role=role, path=str(tmp_path / "jwt"))
    with Store(tmp_path, c) as s:
        a = s.bad("login", "auth", says, f"role '{role}'")
        assert token[:10] not in a["error"] and "\n" not in a["error"]
        assert (tmp_path / "jwt").exists()


def test_kubernetes(app, issuer, review, tmp_path):
    app.kubernetes(review, "web", ["app"], names="app", namespaces="prod")
    token = issuer.account_token("prod", "app")
    review.known[token] = ("prod", "app", [K8S_AUDIENCE])
    path = write(tmp_path, "token", token + "\n")
    c = config(app, "kubernetes", role="web", token_path=path)
    with Store(tmp_path, c) as s:
        s.good("login")
        assert all(a["ok"] for a in s.ask("get kv/app kv1/app").values())
        other = issuer.account_token("prod", "app", jti="2")  # the kubelet renews it
        write(tmp_path, "token", other)
        s.bad("login", "auth", "is the auth method mounted there")
        review.known[other] = ("prod", "app", [K8S_AUDIENCE])
        s.good("login")


@pytest.mark.parametrize("account, role, says", [
    (("other", "app"), "web", "not bound to this namespace"),
    (("prod", "other"), "web", "not bound to this service account"),
    (("prod", "app"), "none", "there is no such role"),
    (("prod", "app"), "aud", "wrong audience"),
])
def test_kubernetes_refused(app, issuer, review, tmp_path, account, role, says):
    app.kubernetes(review, "web", ["app"], names="app", namespaces="prod")
    app.kubernetes(review, "aud", ["app"], audience="vault")
    token = issuer.account_token(*account)
    review.known[token] = (*account, [K8S_AUDIENCE])
    c = config(app, "kubernetes", role=role, token_path=write(tmp_path, "token", token))
    with Store(tmp_path, c) as s:
        s.bad("login", "auth", says)


def test_cert(app, tmp_path):
    app.certificates("web", ["app"])
    cert, key = app.authority.issue("web", usage="clientAuth")
    c = config(app, "cert", name="web", client_cert=cert, client_key=key)
    with Store(tmp_path, c) as s:
        s.good("login")
        s.good("get kv/app")
        s.good("renew-login")
        s.good("check")
        s.good("logout")
    c = config(app, "cert", name="web")
    c["tls"].update(client_cert=cert, client_key=key)
    with Store(tmp_path, c) as s:
        s.good("login")
    c["tls"] = {"ca_file": app.authority.cert}
    with Store(tmp_path, c) as s:
        s.bad("login", "auth", "client certificate")


def test_wrapped_login(app, tmp_path):
    c = approle(app, tmp_path, remove_secret_id_file_after_reading=False)
    c["auth"]["wrap_ttl"] = "90s"
    with Store(tmp_path, c) as s:
        assert s.good("login") == {"do": "login", "ok": True, "ttl_ms": 0, "renewable": False,
                                   "has_token": True}
        s.bad("get kv/app", "config", "wrap_ttl")
        s.bad("renew-login", "config", "wrap_ttl")
        s.good(f"token {tmp_path}/sink")
        s.good("logout")
    info = json.loads((tmp_path / "sink").read_text())
    assert info["ttl"] == 90 and info["creation_path"] == "auth/approle/login"
    token = app.put("sys/wrapping/unwrap", token=info["token"])["auth"]["client_token"]
    app.get("auth/token/lookup-self", token=token)


def test_wrapped_sink(app, tmp_path):
    c, token = with_token(app, tmp_path, ("kv/data/app", "read"))
    with Store(tmp_path, c) as s:
        s.bad(f"wrap-token 60s {tmp_path}/sink", "auth", "not logged in")
        s.good("login")
        s.good(f"wrap-token 60s {tmp_path}/sink")
        s.good("get kv/app")
    info = json.loads((tmp_path / "sink").read_text())
    assert info["ttl"] == 60 and info["creation_path"] == "sys/wrapping/wrap"
    assert app.put("sys/wrapping/unwrap", token=info["token"])["data"] == {"token": token}


def test_userpass(app, tmp_path):
    app.userpass("joe", "pass word", ["app"])
    c = config(app, "userpass", username="joe",
               password_file_path=write(tmp_path, "password", "pass word\n"))
    with Store(tmp_path, c) as s:
        s.good("login")
        assert not (tmp_path / "password").exists()
        s.good("get kv/app")
    write(tmp_path, "password", "wrong")
    with Store(tmp_path, c) as s:
        a = s.bad("login", "auth", "password is wrong")
        assert "wrong'" not in a["error"]


@pytest.mark.parametrize("method, keys, says", [
    (None, {}, "no login is configured"),
    ("kuberntes", {}, "did you mean 'kubernetes'"),
    ("kubernetes", {}, "needs the key 'role'"),
])
def test_bad_configuration(app, tmp_path, method, keys, says):
    c = config(app, method, **keys)
    if not method:
        del c["auth"]
    s = Store(tmp_path, c)
    a = s.line()
    s.process.wait(60)
    s.process.stdin.close()
    s.process.stdout.close()
    s.err.close()
    assert a["do"] == "start" and a["kind"] == "config" and says in a["error"]


# --- the token's life ---------------------------------------------------------------------


def test_revoked_token_is_told_from_a_missing_right(app, tmp_path):
    c, token = with_token(app, tmp_path, ("kv/data/app", "read"))
    app.put("kv/data/other", {"data": {"a": "b"}})
    with Store(tmp_path, c) as s:
        s.good("login")
        a = s.bad("get kv/other", "denied",
                  'path "kv/data/other" { capabilities = ["read"] }')
        assert a["cause"] == 403
        s.good("check")
        app.put("auth/token/revoke", {"token": token})
        s.bad("get kv/app", "auth", "no longer valid")
        s.bad("check", "auth", "revoked")
        s.bad("renew-login", "auth")


def test_logout_revokes(app, tmp_path):
    with Store(tmp_path, approle(app, tmp_path)) as s:
        s.good("login")
        before = set(app.tokens("app"))
        assert not s.good("logout")["has_token"]
        assert before - set(app.tokens("app"))
        s.bad("check", "auth", "not logged in")
        s.good("logout")  # nothing to give back
        s.good("login")
        s.good("get kv/app")
        s.good("logout")


def test_batch_token(app, tmp_path):
    role_id, secret_id = app.approle("batch", ["app"], token_type="batch", token_ttl="60s")
    c = config(app, "approle", role_id_file_path=write(tmp_path, "r", role_id),
               secret_id_file_path=write(tmp_path, "s", secret_id))
    with Store(tmp_path, c) as s:
        a = s.good("login")
        assert a["ttl_ms"] == 60000 and not a["renewable"]
        s.good("get kv/app")
        s.bad("renew-login", "auth", "not renewable")
        assert 50000 < s.good("check")["ttl_ms"] <= 60000


def test_renewal_shrinks_near_the_maximum(app, tmp_path):
    c, _ = with_token(app, tmp_path, ("kv/data/app", "read"), ttl="20s",
                      explicit_max_ttl="20s")
    with Store(tmp_path, c) as s:
        s.good("login")
        assert s.good("renew-login")["ttl_ms"] <= 20000


# --- KV -----------------------------------------------------------------------------------


def test_kv2(app, tmp_path):
    c, _ = with_token(app, tmp_path, ("kv/data/app", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        a = s.good("get kv/app")
        assert (a["life"], a["version"], a["lease_id"]) == ("static", "1", "")
        assert a["data"] == digest(app.get("kv/data/app")["data"])
        assert s.good("get kv/data/app")["data"] == a["data"]
        assert s.good("get /kv/app/")["data"] == a["data"]
        app.put("kv/data/app", {"data": {"user": "v"}})
        b = s.good("get kv/app")
        assert b["version"] == "2" and b["data"] != a["data"]
        assert s.good("get kv/app?version=1")["data"] == a["data"]
        assert s.bad("get kv/app?version=7", "missing", "app?version=7")["cause"] == 404


def test_kv2_deleted_and_destroyed(app, tmp_path):
    c, _ = with_token(app, tmp_path, ("kv/data/app", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        app.delete("kv/data/app")
        assert s.bad("get kv/app", "missing", "version 1 of 'kv/data/app' was deleted (20",
                     "undelete")["cause"] == 410
        app.put("kv/undelete/app", {"versions": [1]})
        s.good("get kv/app")
        app.put("kv/destroy/app", {"versions": [1]})
        assert s.bad("get kv/app", "missing", "was destroyed")["cause"] == 410
        app.delete("kv/metadata/app")  # no trace is no evidence
        assert s.bad("get kv/app", "missing", "there is no")["cause"] == 404


def test_kv2_that_will_be_deleted(app, tmp_path):
    app.put("kv/metadata/later", {"delete_version_after": "1h"})
    app.put("kv/data/later", {"data": {"a": "b"}})
    c, _ = with_token(app, tmp_path, ("kv/data/later", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        assert s.good("get kv/later")["version"] == "1"


def test_kv2_metadata_and_subkeys(app, tmp_path):
    """Paths of the API are taken as they are, and are no versions of a secret."""
    c, _ = with_token(app, tmp_path, ("kv/metadata/app", "read"), ("kv/subkeys/app", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        a = s.good("get kv/metadata/app")
        assert (a["life"], a["version"]) == ("static", "")
        assert a["data"] == digest(app.get("kv/metadata/app")["data"])
        assert s.good("get kv/subkeys/app")["data"] == digest(app.get("kv/subkeys/app")["data"])
        app.delete("kv/data/app")  # of a deleted version there is metadata, and no secret
        assert s.good("get kv/metadata/app")["data"] != a["data"]
        s.bad("get kv/app", "denied", '"kv/data/app"')


def test_kv1(app, tmp_path):
    c, _ = with_token(app, tmp_path, ("kv1/*", "read"))
    app.put("kv1/short", {"a": "b", "ttl": "30s"})
    with Store(tmp_path, c) as s:
        s.good("login")
        a = s.good("get kv1/app")
        assert (a["life"], a["version"], a["data"]) == ("static", "", digest({"user": "u"}))
        a = s.good("get kv1/short")
        assert a["life"] == "until" and 25000 <= a["next_ms"] <= 29000
        assert s.bad("get kv1/none", "missing")["cause"] == 404


def test_list(app, tmp_path):
    app.delete("kv/metadata/list/a")
    for name in ("list/b", "list/a/x", "list/a"):
        app.put(f"kv/data/{name}", {"data": {}})
        app.put(f"kv1/{name}", {"v": "1"})
    c, _ = with_token(app, tmp_path, ("kv/metadata/*", "list"), ("kv1/*", "list"))
    with Store(tmp_path, c) as s:
        s.good("login")
        names = digest(["a", "a/", "b"])
        assert s.good("list kv/list")["body"] == names
        assert s.good("list kv/list/")["body"] == names
        assert s.good("list kv/metadata/list")["body"] == names
        assert s.good("list kv/data/list")["body"] == names
        assert s.good("list kv1/list")["body"] == names
        assert s.good("list kv/nothing")["body"] == digest([])
        s.bad("get kv/list/a", "denied", '["read"]')
    c, _ = with_token(app, tmp_path, ("kv/data/x", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        s.bad("list kv/list", "denied", 'path "kv/metadata/list" { capabilities = ["list"] }')


def test_write(app, tmp_path):
    app.mount("transit", "transit")
    app.put("transit/keys/k")
    app.delete("kv/metadata/w")
    c, _ = with_token(app, tmp_path, ("kv/data/w", "create", "update", "read"),
                      ("kv1/w", "create", "update"), ("transit/encrypt/k", "update"))
    with Store(tmp_path, c) as s:
        s.good("login")
        assert s.good("write kv/w a=b c=d")["life"] == "static"
        assert app.get("kv/data/w")["data"]["data"] == {"a": "b", "c": "d"}
        assert s.good("write kv1/w a=b")["body"] == digest(None)
        assert app.get("kv1/w")["data"] == {"a": "b"}
        assert "data" in s.good("write transit/encrypt/k plaintext=YQ==")
        s.bad("write kv/other a=b", "denied", '["update"]')


def test_no_such_mount_and_no_right(app, tmp_path):
    c, _ = with_token(app, tmp_path, ("kv/data/app", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        s.bad("get nowhere/app", "denied", '"data/" behind the mount')
    c = config(app, "token_file", token_file_path=write(tmp_path, "token", app.root))
    with Store(tmp_path, c) as s:
        s.good("login")
        s.bad("get nowhere/app", "missing", "nothing is mounted there")


@pytest.mark.parametrize("path", ["kv/../sys/mounts", "kv/%2e%2e/x", "kv//app", "kv/app%", "?"])
def test_paths_that_are_refused(app, tmp_path, path):
    c, _ = with_token(app, tmp_path, ("kv/data/app", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        s.bad(f"get {path}", "config")


def test_names_with_odd_letters(app, tmp_path):
    names = ["a%20b", "a%25b", "a+b", "a:b@c", "grün", "a%3Fb", "a#b", "a&b=c"]
    c, _ = with_token(app, tmp_path, ("kv/data/odd/*", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        for name in names:
            url = name.replace("#", "%23").replace("ü", "%C3%BC")
            app.put(f"kv/data/odd/{url}", {"data": {"name": name}})
            assert s.good(f"get kv/odd/{name}")["data"] == digest(
                app.get(f"kv/data/odd/{url}")["data"])


def test_mount_made_anew_with_another_version(bao, tmp_path):
    bao.kv1("turn")
    bao.put("turn/app", {"a": "1"})
    c, _ = with_token(bao, tmp_path, ("turn/*", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        assert s.good("get turn/app")["version"] == ""
        bao.delete("sys/mounts/turn")
        bao.kv2("turn")
        bao.put("turn/data/app", {"data": {"a": "2"}})
        assert s.good("get turn/app")["version"] == "1"  # at once: the 404 says so
        bao.delete("sys/mounts/turn")


def test_nested_mounts_and_namespaces(bao, tmp_path):
    bao.kv2("deep/er/kv")
    bao.put("deep/er/kv/data/app", {"data": {"a": "b"}})
    try:
        bao.put("sys/namespaces/team")
        bao.put("team/sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
    except bao_server.BaoError as e:
        assert e.status == 400  # there already
    end = time.monotonic() + 60
    while True:
        try:
            bao.put("team/kv/data/app", {"data": {"a": "b"}})
            break
        except bao_server.BaoError:  # being upgraded
            assert time.monotonic() < end
            time.sleep(0.05)
    path = write(tmp_path, "token", bao.root)
    with Store(tmp_path, config(bao, "token_file", token_file_path=path)) as s:
        s.good("login")
        assert s.good("get deep/er/kv/app")["version"] == "1"
        assert s.good("get team/kv/app")["version"] >= "1"
    with Store(tmp_path, config(bao, "token_file", namespace="team", token_file_path=path)) as s:
        s.good("login")
        assert s.good("get kv/app")["version"] >= "1"


# --- leases, certificates, static roles ---------------------------------------------------


def test_certificate(bao, tmp_path):
    bao.mount("pki", "pki")
    bao.put("pki/root/generate/internal", {"common_name": "root", "ttl": "24h"})
    bao.put("pki/roles/web", {"allow_any_name": True, "max_ttl": "1h"})
    c, _ = with_token(bao, tmp_path, ("pki/issue/web", "update"), ("pki/issue/none", "update"),
                      ("pki/issue/web", "update", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        a = s.good("write pki/issue/web common_name=a.example ttl=1000s")
        assert a["life"] == "until" and 840000 < a["next_ms"] < 960000 and ":" in a["version"]
        s.bad("get pki/issue/web", "denied", "give parameters")
        s.bad("write pki/issue/none common_name=a", "denied", "no such role")


def test_lease(bao, tmp_path):
    """A lease without a database: a certificate that the engine keeps a lease for."""
    bao.mount("pkilease", "pki")
    bao.put("pkilease/root/generate/internal", {"common_name": "root", "ttl": "24h"})
    bao.put("pkilease/roles/web", {"allow_any_name": True, "generate_lease": True})
    c, _ = with_token(bao, tmp_path, ("pkilease/issue/web", "update"))
    with Store(tmp_path, c) as s:
        s.good("login")
        a = s.good("write pkilease/issue/web common_name=a.example ttl=600s")
        assert a["life"] == "lease" and a["lease_id"].startswith("pkilease/issue/web/")
        assert 590000 < a["lease_ms"] <= 600000 and not a["renewable"]
        s.bad("renew", "denied", "cannot be renewed")
        bao.put("sys/leases/revoke", {"lease_id": a["lease_id"]})
        assert s.bad("renew", "missing", "lease is gone")["cause"] == 410


def test_other_engines(bao, tmp_path):
    """Engines without leases: what they make is read like any secret."""
    for kind in ("totp", "transit"):
        bao.mount(kind, kind)
    bao.put("totp/keys/me", {"generate": True, "issuer": "test", "account_name": "me"})
    bao.put("transit/keys/k")
    text = bao.put("transit/encrypt/k", {"plaintext": "c2VjcmV0"})["data"]["ciphertext"]
    c, _ = with_token(bao, tmp_path, ("totp/code/me", "read"), ("transit/decrypt/k", "update"),
                      ("cubbyhole/*", "create", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        assert s.good("get totp/code/me")["life"] == "static"
        assert s.good(f"write transit/decrypt/k ciphertext={text}")["data"] == digest(
            {"plaintext": "c2VjcmV0"})
        s.good("write cubbyhole/mine a=b")
        assert s.good("get cubbyhole/mine")["data"] == digest({"a": "b"})
        assert s.bad("get cubbyhole/none", "missing")["cause"] == 404


def test_sealed_and_unsealed(bao, tmp_path):
    bao.put("kv/data/app", {"data": {"a": "b"}})
    c, _ = with_token(bao, tmp_path, ("kv/data/app", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        s.good("get kv/app")
        bao.seal()
        assert s.bad("get kv/app", "retry", "sealed: unseal it")["cause"] == 503
        s.bad("login", "retry", "sealed")
        s.bad("check", "retry", "sealed")
        bao.unseal()
        s.good("get kv/app")


def test_rate_limit(bao, tmp_path):
    bao.put("kv/data/app", {"data": {"a": "b"}})
    c, _ = with_token(bao, tmp_path, ("kv/data/app", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        bao.put("sys/quotas/config", {"enable_rate_limit_response_headers": True})
        bao.put("sys/quotas/rate-limit/slow", {"rate": 1, "interval": "20s", "path": "kv/"})
        try:
            answers = [s.ask("get kv/app") for _ in range(5)]
        finally:
            bao.delete("sys/quotas/rate-limit/slow")
        slow = [a for a in answers if not a["ok"]]
        assert slow and slow[0]["kind"] == "retry" and slow[0]["cause"] == 429, answers
        assert 0 < slow[0]["retry_ms"] <= 300000


def test_server_restarts(session_folder, authority, tmp_path):
    with bao_server.Bao(session_folder / "durable", durable=True, authority=authority) as own:
        own.kv2("kv")
        own.put("kv/data/app", {"data": {"a": "b"}})
        own.policy("app", ("kv/data/app", "read"))
        token = own.token(["app"])
        c = config(own, "token_file", address=own.unix,
                   token_file_path=write(tmp_path, "token", token))
        with Store(tmp_path, c) as s:
            s.good("login")
            s.good("get kv/app")
            own.stop(kill=True)
            s.bad("get kv/app", "retry")
            own.start()
            s.good("get kv/app")


def test_wrong_authority(app, tmp_path):
    other = bao_server.Authority(tmp_path / "other-ca", name="another CA")
    c, _ = with_token(app, tmp_path, ("kv/data/app", "read"))
    c["tls"] = {"ca_file": other.cert}
    with Store(tmp_path, c) as s:
        s.bad("login", "config", app.https)
    c["tls"] = {"ca_file": os.fspath(tmp_path / "none.pem")}
    with Store(tmp_path, c) as s:
        s.bad("login", "config", "none.pem")


def test_many_at_once(app, tmp_path):
    for i in range(40):
        app.put(f"kv/data/many/{i}", {"data": {"i": i}})
    c, _ = with_token(app, tmp_path, ("kv/data/many/*", "read"))
    with Store(tmp_path, c) as s:
        s.good("login")
        answers = s.ask("get " + " ".join(f"kv/many/{i}" for i in range(40)))
        assert len(answers) == 40 and all(a["ok"] for a in answers.values())
