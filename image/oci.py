# SPDX-License-Identifier: Apache-2.0
"""Writes container images: an archive that is an OCI layout and, for `docker load`, Docker's own.

The bytes follow from the arguments alone: entries are sorted, owners, modes and times are
given, and gzip's header carries neither a name nor a time. Sources: OCI image layout and image
specification 1.1; containerd's import reads the annotation io.containerd.image.name.
"""
import gzip
import hashlib
import io
import json
import tarfile

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def canonical(document):
    """JSON with one form only."""
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tar(files, epoch):
    """files: {path: (mode, bytes)}, or (mode, None) for a folder; all owned by root."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(files):
            mode, data = files[path]
            entry = tarfile.TarInfo(path)
            entry.mode, entry.mtime, entry.type = mode, epoch, tarfile.REGTYPE
            if data is None:
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            else:
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def with_folders(files):
    """The same files with the folders above them."""
    result = dict(files)
    for path in files:
        while "/" in path:
            path = path.rsplit("/", 1)[0]
            result.setdefault(path, (0o755, None))
    return result


class Image:
    """One layer and its configuration, for one architecture (Go's names: amd64, arm64)."""

    def __init__(self, files, epoch, created, architecture, labels, **config):
        plain = tar(with_folders(files), epoch)
        self.layer = gzip.compress(plain, 9, mtime=0)
        # The byte that names the operating system differs between versions of Python.
        self.layer = self.layer[:9] + b"\xff" + self.layer[10:]
        self.config = canonical({
            "architecture": architecture, "os": "linux", "created": created,
            "config": {"Labels": labels, **config},
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(plain)]},
            "history": [{"created": created, "created_by": "make image"}]})
        self.manifest = canonical({
            "schemaVersion": 2, "mediaType": MANIFEST, "annotations": labels,
            "config": descriptor(CONFIG, self.config),
            "layers": [descriptor(LAYER, self.layer)]})
        self.platform = {"architecture": architecture, "os": "linux"}

    @property
    def digest(self):
        return "sha256:" + sha256(self.manifest)

    @property
    def compressed_size(self):
        """What a registry stores and a node downloads."""
        return len(self.layer) + len(self.config) + len(self.manifest)

    def archive(self, names, epoch):
        """The whole archive, under these names (REPOSITORY:TAG)."""
        blobs = {f"blobs/sha256/{sha256(b)}": (0o644, b)
                 for b in (self.layer, self.config, self.manifest)}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [
            {**descriptor(MANIFEST, self.manifest), "platform": self.platform,
             "annotations": {"io.containerd.image.name": name,
                             "org.opencontainers.image.ref.name": name.rsplit(":", 1)[1]}}
            for name in names]}
        docker = [{"Config": f"blobs/sha256/{sha256(self.config)}", "RepoTags": names,
                   "Layers": [f"blobs/sha256/{sha256(self.layer)}"]}]
        return tar(with_folders({
            **blobs, "oci-layout": (0o644, b'{"imageLayoutVersion":"1.0.0"}'),
            "index.json": (0o644, canonical(index)),
            "manifest.json": (0o644, canonical(docker))}), epoch)


def descriptor(media_type, data):
    return {"mediaType": media_type, "digest": "sha256:" + sha256(data), "size": len(data)}
