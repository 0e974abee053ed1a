# SPDX-License-Identifier: Apache-2.0
"""The store functions beside the real `bao agent`: it renders templates from a real server;
`ampoule render` renders the same ones from that server's answers. The bytes must be equal."""
import json
import os
import pathlib
import subprocess
import urllib.request

import pytest

import bao as bao_server

CASES = pathlib.Path(__file__).parents[1] / "cases" / "template"
DATA = {
    "db": {"user": "app", "password": "p@ss'\"w\\rd $x", "port": 5432, "ratio": 1.50, "big": 12345678901234567890,
           "on": True, "none": None, "list": [1, "a", None], "deep": {"a": {"b": "c"}}},
    "odd": {"a-b": "dash", "b64": "aGVsbG8=", "special": "<a>&'\"\\ `y` é😀", "tree": {"a/b": 1, "a/c": "x"},
            "csv": "x,y,z", "pem": "-----BEGIN-----\nabc\n-----END-----\n", "spaced": "  v \n"},
    "app/one": {"v": "1"},
    "app/two": {"v": "2"},
}
V1, V2 = 'secret "t1/{}"', 'secret "t2/{}"'
# (secret …).Data without `with` fails in the agent's first pass, before the secret is there.
BODIES = [
    "{{with @db}}{{D.user}}:{{D.password}}{{end}}",
    "{{with @db}}{{D.port}} {{D.ratio}} {{D.big}} {{D.on}} {{D.none}} {{print D.none}}{{end}}",
    "{{with @db}}{{printf \"%d %s %q %T %v\" D.port D.port D.port D.port D.list}}{{end}}",
    "{{with @db}}{{if D.port}}t{{end}}{{len D.port}}{{eq D.port \"5432\"}}{{end}}",
    "{{with @db}}{{range $k, $v := DATA}}{{$k}}={{$v}}\n{{end}}{{end}}",
    "{{with @db}}{{DATA | toJSON}}{{end}}",
    "{{with @db}}{{DATA | toJSONPretty}}{{end}}",
    "{{with @odd}}{{DATA | toUnescapedJSON}} {{DATA | toUnescapedJSONPretty}}{{end}}",
    "{{with @db}}{{DATA | toYAML}}{{end}}",
    "{{with @odd}}{{DATA | toYAML}}{{end}}",
    "{{with @odd}}{{DATA | toTOML}}{{end}}",
    "{{with @odd}}{{index DATA \"a-b\"}} {{D.b64 | base64Decode}} {{D.special}}{{end}}",
    "{{with @odd}}{{D.tree | explodeMap | toJSON}} {{range split \",\" D.csv}}<{{.}}>{{end}}{{end}}",
    "{{with @odd}}{{D.pem | indent 2}}[{{D.spaced | trimSpace}}]{{end}}",
    "{{with @db}}{{D.deep.a.b}} {{index D.list 1}} {{range D.list}}[{{.}}]{{end}}{{end}}",
    "{{with @db}}[{{D.absent}}]{{end}}",
    "{{with @db}}{{D.host | sprig_default \"localhost\"}} {{or D.host \"h\"}}{{end}}",
    "{{with @db}}{{scratch.MapSet \"a\" \"x\" .Data}}{{len (scratch.Get \"a\")}}{{end}}",
    "{{with $a := @db}}{{with $b := @odd}}{{len $a.Data}}{{len $b.Data}}{{end}}{{end}}",
    "{{with @db}}{{sprig_int D.port}} {{sprig_toString D.port}} {{D.port | sprig_toString | parseInt | add 1}}{{end}}",
    "{{with @db}}{{. | printf \"%T\"}} {{.LeaseID}} {{.Renewable}}{{end}}",
]
LISTS = [
    '{{range secrets "t1/app"}}[{{.}}]{{end}}',
    '{{range secrets "t1/"}}{{.}} {{end}}{{len (secrets "t1/")}}',
    '{{range secrets "t2/app/"}}{{with secret (printf "t2/app/%s" .)}}{{.Data.data.v}};{{end}}{{end}}',
    '{{secrets "t1/app" | toJSON}} {{secrets "t1/app" | join "+"}}',
    '{{with secret "t2/db?version=1"}}{{.Data.data.user}} {{.Data.metadata.version}}{{end}}',
    '{{with secret "t2/data/db?version=2"}}{{.Data.data.user}}{{end}}{{with secret "t2/db"}}{{.Data.metadata.version}}{{end}}',
    '{{with secret "sys/tools/hash/sha2-256" "input=aGVsbG8=" "format=hex"}}{{.Data.sum}} {{.Data | toJSON}}{{end}}',
    '{{with secret "t1/db"}}{{with .Data.host}}x{{else}}none{{end}}{{if .Data.none}}y{{else}}n{{end}}{{index .Data "nope"}}{{end}}',
    '{{range secrets "t1/app"}}{{with secret (printf "t1/app/%s" .)}}{{.Data.v}};{{end}}{{end}}',
]


def templates():
    out = {}
    for i, body in enumerate(BODIES):
        for name, form, data in (("v1", V1, ".Data"), ("v2", V2, ".Data.data")):
            text = body.replace("DATA", data).replace("D.", data + ".")
            for key in ("db", "odd"):
                text = text.replace("@" + key, form.format(key))
            out[f"{name}_{i}"] = text
    for i, text in enumerate(LISTS):
        out[f"list_{i}"] = text
    # Those of the case files that need no secrets: both sides have the functions alike.
    for path in sorted(CASES.glob("*.tmpl")):
        plain = not any(path.with_suffix(x).exists() for x in (".json", ".secrets.json", ".opts.json", ".err"))
        if plain and not path.stem.startswith(("ours_", "delims_")):
            out["case_" + path.stem] = path.read_bytes().decode()
    return out


# Its Go writes U+FFFD where the Go of this project's tests writes \\ufffd: both are right.
OTHER = {"case_to_json_invalid_utf8"}


@pytest.fixture(scope="module")
def rendered(shared_bao, tmp_path_factory):
    """All templates by one run of `bao agent`."""
    bao, folder = shared_bao, tmp_path_factory.mktemp("bao-agent")
    bao.kv1("t1")
    bao.kv2("t2")
    bao.put("t2/data/db", {"data": {"user": "the first"}})
    for key, data in DATA.items():
        bao.put(f"t1/{key}", data)
        bao.put(f"t2/data/{key}", {"data": data})
    (folder / "token").write_text(bao.root)
    config = [f'vault {{ address = "{bao.http}" }}',
              f'auto_auth {{ method "token_file" {{ config = {{ token_file_path = "{folder}/token" }} }} }}',
              "template_config { exit_on_retry_failure = true }", "exit_after_auth = true"]
    for name, text in templates().items():
        (folder / f"{name}.tmpl").write_bytes(text.encode())
        config.append(f'template {{ source = "{folder}/{name}.tmpl"\n destination = "{folder}/{name}.out" }}')
    (folder / "agent.hcl").write_text("\n".join(config))
    done = subprocess.run([bao_server.binary(), "agent", f"-config={folder}/agent.hcl"],
                          capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": str(folder)})
    assert done.returncode == 0, "\n".join(
        x for x in (done.stdout + done.stderr).splitlines() if "ERROR" in x or "WARN" in x)[:3000]
    secrets = {}
    for path in [f"t1/{k}" for k in DATA]:
        secrets[path] = raw(bao, path)
    for key in DATA:
        secrets[f"t2/{key}"] = raw(bao, f"t2/data/{key}")
    secrets["t2/db?version=1"] = raw(bao, "t2/data/db?version=1")
    secrets["t2/data/db?version=2"] = raw(bao, "t2/data/db?version=2")
    secrets["sys/tools/hash/sha2-256"] = json.dumps(
        bao.put("sys/tools/hash/sha2-256", {"input": "aGVsbG8=", "format": "hex"}))
    text = "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in secrets.items()) + "}"
    (folder / "secrets.json").write_text(text)
    return folder


def raw(bao, path):
    """The answer's own text: its numbers must not pass through floats."""
    request = urllib.request.Request(f"{bao.http}/v1/{path}", headers={"X-Vault-Token": bao.root})
    with urllib.request.urlopen(request, timeout=30) as reply:
        return reply.read().decode()


@pytest.mark.parametrize("name", sorted(set(templates()) - OTHER))
def test_same_bytes(rendered, name):
    got = subprocess.run([os.environ["AMPOULE_BIN"] + "/ampoule", "render", "--template",
                          str(rendered / f"{name}.tmpl"), "--secrets", str(rendered / "secrets.json")],
                         capture_output=True, timeout=30)
    assert got.returncode == 0, got.stderr
    assert got.stdout == (rendered / f"{name}.out").read_bytes()
