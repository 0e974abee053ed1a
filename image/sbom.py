# SPDX-License-Identifier: Apache-2.0
"""The software bill of materials: an SPDX 2.3 document in JSON.

It names what is linked into the executables, each with the version that was built and, where
the source is pinned (image/deps/sources.lock), its SHA-256; and each file of the image with
its digests.
"""
import hashlib
import urllib.parse

# name: (licence, supplier, what for)
KNOWN = {
    "mbedtls": ("Apache-2.0 OR GPL-2.0-or-later", "TLS and cryptography"),
    "openssl": ("Apache-2.0", "TLS and cryptography"),
    "curl": ("curl", "HTTP client"),
    "jansson": ("MIT", "JSON"),
    "libyaml": ("MIT", "YAML, in the command-line tool"),
    "musl": ("MIT", "C library"),
    "gcc": ("GPL-3.0-or-later WITH GCC-exception-3.1", "start files and run-time functions of the compiler"),
    "certifi": ("MPL-2.0", "CA certificates of Mozilla's root store"),
}


# What is not as its source package has it; the others are built with Debian's patches alone.
EDITED = {
    "mbedtls": "configured by image/deps/mbedtls_config.h",
    "curl": "edited by image/deps/thirdparty.sh, with image/deps/curl_mprintf.c",
    "libyaml": "edited by image/deps/thirdparty.sh, with image/deps/libyaml_small.h",
}


def purl(kind, name, version="", **qualifiers):
    """A package URL (the specification's section 5: all but letters, digits, ".-_~:" escaped)."""
    return (f"pkg:{kind}/{name}" + ("@" + urllib.parse.quote(version, safe=":") if version else "")
            + ("?" + "&".join(f"{k}={urllib.parse.quote(v, safe=':')}"
                              for k, v in sorted(qualifiers.items())) if qualifiers else ""))


def package(name, version, url, checksums):
    licence, what = KNOWN[name]
    return {
        "SPDXID": f"SPDXRef-Package-{name}", "name": name, "versionInfo": version,
        "summary": what, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
        "licenseConcluded": licence, "licenseDeclared": licence, "copyrightText": "NOASSERTION",
        "supplier": "NOASSERTION",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": url}],
        **({"sourceInfo": EDITED[name]} if name in EDITED else {}),
        **({"checksums": [{"algorithm": "SHA256", "checksumValue": c} for c in checksums]}
           if checksums else {})}


def document(version, variant, url, created, parts, files):
    """url: purl of the whole; parts: [(name, version, purl, [sha256])];
    files: {path: (mode, bytes)}."""
    digests = {p: (hashlib.sha1(d).hexdigest(), hashlib.sha256(d).hexdigest())
               for p, (_, d) in sorted(files.items())}
    whole = hashlib.sha256("".join(b for _, b in digests.values()).encode()).hexdigest()
    root = {
        "SPDXID": "SPDXRef-Package-ampoule", "name": "ampoule", "versionInfo": version,
        "downloadLocation": "NOASSERTION", "filesAnalyzed": True, "supplier": "NOASSERTION",
        "licenseConcluded": "Apache-2.0", "licenseDeclared": "Apache-2.0",
        "licenseInfoFromFiles": ["NOASSERTION"], "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "CONTAINER",
        "packageVerificationCode": {"packageVerificationCodeValue": hashlib.sha1(
            "".join(sorted(a for a, _ in digests.values())).encode()).hexdigest()},
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": url}]}
    packages = [package(*p) for p in parts]
    entries = [{
        "SPDXID": f"SPDXRef-File-{i}", "fileName": "./" + path,
        "checksums": [{"algorithm": "SHA1", "checksumValue": a},
                      {"algorithm": "SHA256", "checksumValue": b}],
        "licenseConcluded": "NOASSERTION", "licenseInfoInFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION"} for i, (path, (a, b)) in enumerate(digests.items())]
    how = {"certifi": "CONTAINS"}
    return {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"ampoule-{version}-{variant}",
        "documentNamespace": f"https://ampoule.dev/spdx/{version}-{variant}-{whole}",
        "creationInfo": {"created": created, "creators": [f"Tool: ampoule-image-{version}"]},
        "packages": [root, *packages], "files": entries,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
             "relatedSpdxElement": root["SPDXID"]},
            *({"spdxElementId": root["SPDXID"],
               "relationshipType": how.get(p["name"], "STATIC_LINK"),
               "relatedSpdxElement": p["SPDXID"]} for p in packages),
            *({"spdxElementId": root["SPDXID"], "relationshipType": "CONTAINS",
               "relatedSpdxElement": f["SPDXID"]} for f in entries)]}
