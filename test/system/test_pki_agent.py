# SPDX-License-Identifier: Apache-2.0
"""pkiCert against a real OpenBao: key and certificate match, templates share one issue, a
start issues no other one, and a certificate is renewed in time."""
import os
import ssl
import subprocess

import pytest

from agent_run import Agent, memory_folder, read, remove_folder, template, wait_until

ISSUE = '"pki/issue/web" "common_name=app.example" "ttl=%s"'
BOTH = "{{ with pkiCert " + ISSUE + " }}{{ .Cert }}\n{{ .Key }}\n{{ end }}"
CERT = "{{ with pkiCert " + ISSUE + " }}{{ .Cert }}\n{{ end }}"
KEY = "{{ with pkiCert " + ISSUE + " }}{{ .Key }}\n{{ end }}"
CHAIN = "{{ with pkiCert " + ISSUE + " }}{{ .Cert }}\n{{ .Key }}\n{{ .CA }}\n{{ end }}"
SECRET = ("{{ with secret " + ISSUE + " }}{{ .Data.certificate }}\n{{ .Data.private_key }}\n"
          "{{ end }}")


@pytest.fixture(name="folder")
def _folder():
    path = memory_folder()
    yield path
    remove_folder(path)


@pytest.fixture(name="pki", scope="module")
def _pki(shared_bao):
    bao = shared_bao
    bao.mount("pki", "pki", max_lease_ttl="24h")
    bao.put("pki/root/generate/internal", {"common_name": "test root", "ttl": "24h"})
    bao.put("pki/roles/web", {"allowed_domains": ["example"], "allow_subdomains": True,
                              "max_ttl": "12h", "key_type": "ec", "key_bits": 256,
                              "no_store": False})
    bao.policy("pki", ("pki/issue/web", "update", "create"))
    return bao


@pytest.fixture(name="start")
def _start(pki, folder, issuer):
    pki.jwt(issuer, "pki", ["pki"])
    with open(f"{folder}/jwt", "w", encoding="ascii") as f:
        f.write(issuer.token(sub="x", aud="ampoule"))
    running = []

    def start(*templates, state=False, plain=False):
        text = (f'vault {{\n  address = "{pki.http}"\n}}\n'
                'auto_auth {\n  method "jwt" {\n    config = {\n'
                f'      path = "{folder}/jwt"\n      role = "pki"\n'
                '      remove_jwt_after_reading = false\n    }\n  }\n}\n')
        if not plain:
            text += f'deliver "app" {{\n folder = "{folder}/app"\n mount = "{folder}/app"\n}}\n'
        if state:
            text += f'state {{\n path = "{folder}/state"\n}}\n'
        running.append(Agent(folder, text + "".join(templates), name=f"a{len(running)}"))
        return running[-1]

    yield start
    for a in running:
        a.close()


def openssl(*argv, text):
    return subprocess.run(["openssl", *argv], input=text, capture_output=True, text=True,
                          check=True, timeout=20).stdout


def matches(cert, key):
    return (openssl("x509", "-noout", "-pubkey", text=cert)
            == openssl("pkey", "-pubout", text=key))


def not_after(cert):
    text = openssl("x509", "-noout", "-enddate", text=cert).strip().removeprefix("notAfter=")
    return ssl.cert_time_to_seconds(text)


def issued(agent):
    return len(agent.events("fetch"))


def certificates(pki):
    return len(pki.api("LIST", "pki/certs")["data"]["keys"])


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("text", [BOTH, CHAIN])
def test_a_restart_uses_the_certificate_of_the_destination(pki, start, folder, text, plain):
    one = template(f"{folder}/app/tls.pem", text % "1h")
    start(one, plain=plain).started().close()
    before, count = read(f"{folder}/app/tls.pem"), certificates(pki)
    b = start(one, plain=plain).started()
    b.event("certificate of before is used on")
    assert read(f"{folder}/app/tls.pem") == before and certificates(pki) == count
    assert issued(b) == 0 and matches(before, before)


def test_several_templates_share_one_issue_and_match(pki, start, folder):
    both = [template(f"{folder}/app/cert.pem", CERT % "1h"),
            template(f"{folder}/app/key.pem", KEY % "1h")]
    count = certificates(pki)
    a = start(*both).started()
    cert, key = read(f"{folder}/app/cert.pem"), read(f"{folder}/app/key.pem")
    assert certificates(pki) == count + 1 and matches(cert, key)
    a.close()
    start(*both).started()
    assert (read(f"{folder}/app/cert.pem"), read(f"{folder}/app/key.pem")) == (cert, key)
    assert certificates(pki) == count + 1


def test_a_certificate_without_its_key_is_not_used(pki, start, folder):
    """The key was lost: another pair is issued, and both files change together."""
    both = [template(f"{folder}/app/cert.pem", CERT % "1h"),
            template(f"{folder}/app/key.pem", KEY % "1h")]
    start(both[0]).started().close()
    old = read(f"{folder}/app/cert.pem")
    start(*both).started()
    cert, key = read(f"{folder}/app/cert.pem"), read(f"{folder}/app/key.pem")
    assert cert != old and matches(cert, key)


def test_another_name_wants_another_certificate(start, folder):
    start(template(f"{folder}/app/tls.pem", BOTH % "1h")).started().close()
    other = (BOTH % "1h").replace("app.example", "other.example")
    b = start(template(f"{folder}/app/tls.pem", other)).started()
    assert issued(b) == 1
    assert "other.example" in openssl("x509", "-noout", "-subject",
                                      text=read(f"{folder}/app/tls.pem"))


@pytest.mark.parametrize("text", [BOTH, CERT, SECRET])
def test_the_state_holds_the_certificate(pki, start, folder, text):
    """Whatever of it the files show, and also for `secret` on an issuing path."""
    one = template(f"{folder}/app/tls.pem", text % "1h")
    start(one, state=True).started().close()
    before, count = read(f"{folder}/app/tls.pem"), certificates(pki)
    b = start(one, state=True).started()
    assert read(f"{folder}/app/tls.pem") == before and certificates(pki) == count
    assert issued(b) == 0


def test_a_certificate_is_renewed_in_time_with_its_key(start, folder):
    a = start(template(f"{folder}/app/tls.pem", BOTH % "10s")).started()
    first = read(f"{folder}/app/tls.pem")
    wait_until("the next one", lambda: read(f"{folder}/app/tls.pem") != first)
    again = read(f"{folder}/app/tls.pem")
    published = os.stat(f"{folder}/app/tls.pem").st_mtime
    assert matches(again, again) and issued(a) == 2
    assert published < not_after(first)
