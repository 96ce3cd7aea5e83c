"""The certificates of the control planes: a CA for the sandbox, and a server certificate for loopback."""

from __future__ import annotations

from pathlib import Path

from atwork.files import replace_file

_LOOPBACK = ("127.0.0.1", "localhost")


def write(folder: Path) -> None:
    """Create ca.crt, server.crt, server.key, and the key pair that signs tokens of service accounts, if missing.

    API server and etcd use the server certificate as client certificate, too. The API server verifies tokens with the
    public key in sa.pub, which is a certificate.
    """
    if (folder / "sa.pub").exists():
        return
    import trustme

    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="atwork sandbox", key_type=trustme.KeyType.ECDSA)
    server, tokens = (authority.issue_cert(*_LOOPBACK, key_type=trustme.KeyType.ECDSA) for _ in range(2))
    contents = {
        "ca.crt": authority.cert_pem,
        "server.crt": server.cert_chain_pems[0],
        "server.key": server.private_key_pem,
        "sa.key": tokens.private_key_pem,
        "sa.pub": tokens.cert_chain_pems[0],
    }
    for name, content in contents.items():
        replace_file(folder / name, content.bytes(), mode=0o600)


def write_kubelet_client(folder: Path) -> None:
    """Create kubelet-ca.crt and kubelet-client.crt with its key, if missing: the login of API servers at kubelets."""
    if (folder / "kubelet-client.crt").exists():
        return
    import trustme

    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="atwork sandbox", key_type=trustme.KeyType.ECDSA)
    client = authority.issue_cert(
        "localhost",  # Go refuses a certificate with an empty list of names
        common_name="kube-apiserver",
        organization_name="system:masters",
        key_type=trustme.KeyType.ECDSA,
    )
    replace_file(folder / "kubelet-ca.crt", authority.cert_pem.bytes(), mode=0o600)
    replace_file(folder / "kubelet-client.key", client.private_key_pem.bytes(), mode=0o600)
    replace_file(folder / "kubelet-client.crt", client.cert_chain_pems[0].bytes(), mode=0o600)
