"""The template's connection to Redis: a real server behind TLS with a certificate of its own authority, and tokens."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import importlib.util
import ssl
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import google.auth
import pytest
import redis
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support import stores
from support.checkout import ROOT

SOURCE = ROOT / "delivery" / "template" / "repository" / "app" / '{% if "redis" in stores %}cache.py{% endif %}'


@dataclass
class Token:
    """Credentials as google-auth has them, whose token the test lets expire."""

    refreshed: int = 0
    valid: bool = False

    @property
    def token(self) -> str:
        return f"token-{self.refreshed}"

    def refresh(self, request: object) -> None:
        self.refreshed, self.valid = self.refreshed + 1, True


@dataclass
class Authority:
    """A certificate authority, and the certificate of the instance that it signed."""

    certificate: str
    chain: Path


def authority(folder: Path) -> Authority:
    """As Memorystore makes one for each instance: the certificate names no address."""
    now = dt.datetime.now(dt.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("authority", "instance")]

    def signed(number: int) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(names[number]).issuer_name(names[0])
        builder = builder.public_key(keys[number].public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - dt.timedelta(days=1))
        builder = builder.not_valid_after(now + dt.timedelta(days=1))
        builder = builder.add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
        identifier = x509.SubjectKeyIdentifier.from_public_key(keys[number].public_key())
        builder = builder.add_extension(identifier, critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key())
        builder = builder.add_extension(issuer, critical=False)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        ) | {"encipher_only": False, "decipher_only": False}
        builder = builder.add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=number == 0, crl_sign=number == 0, **usage),
            critical=True,
        )
        return builder.sign(keys[0], hashes.SHA256())

    pem = [signed(number).public_bytes(serialization.Encoding.PEM).decode() for number in range(2)]
    key = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.mkdir()
    (folder / "chain.pem").write_text(pem[1] + key.decode())
    return Authority(pem[0], folder / "chain.pem")


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def _forward(address: str, chain: Path, started: Future[int], ended: asyncio.Event) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    target = urlsplit(address)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inside, outside = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(_copy(reader, outside), _copy(inside, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    started.set_result(server.sockets[0].getsockname()[1])
    await ended.wait()
    server.close()
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


@contextlib.contextmanager
def encrypted(address: str, chain: Path) -> Generator[str]:
    """The address at which a server on loopback answers with TLS; clients close their connections before the end."""
    loop, started, ended = asyncio.new_event_loop(), Future[int](), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_forward(address, chain, started, ended),))
    thread.start()
    try:
        yield f"rediss://127.0.0.1:{started.result(60)}/0"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


@pytest.fixture
def module() -> ModuleType:
    spec = importlib.util.spec_from_loader("cache", loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    exec(compile(SOURCE.read_text(), str(SOURCE), "exec"), vars(module))  # noqa: S102 (the template has no module name)
    return module


@pytest.fixture
def server() -> Iterator[str]:
    with stores.redis() as address:
        yield address


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> Token:
    token = Token()
    monkeypatch.setattr(google.auth, "default", lambda scopes: (token, "project"))
    return token


def test_without_a_login_the_connection_is_plain(
    module: ModuleType, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_URL", server)
    monkeypatch.delenv("REDIS_AUTH", raising=False)
    with module.connect() as client:
        assert client.incr("visits") == 1


def test_each_new_connection_has_a_valid_token_and_open_ones_stay(
    module: ModuleType, server: str, token: Token, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours = authority(tmp_path / "ours")
    administrator = redis.Redis.from_url(server)
    administrator.config_set("requirepass", "token-1")
    with encrypted(server, ours.chain) as address:
        monkeypatch.setenv("REDIS_URL", address)
        monkeypatch.setenv("REDIS_AUTH", "iam")
        monkeypatch.setenv("REDIS_CA", ours.certificate)
        client = module.connect()
        assert (client.incr("visits"), token.refreshed) == (1, 1)
        administrator.config_set("requirepass", "token-2")
        token.valid = False
        assert (client.incr("visits"), token.refreshed) == (2, 1), "the open connection asks for no other token"
        client.connection_pool.disconnect()
        assert (client.incr("visits"), token.refreshed) == (3, 2)
        client.connection_pool.disconnect()
        assert (client.incr("visits"), token.refreshed) == (4, 2), "a valid token is used again"
        administrator.config_set("requirepass", "of another account")
        with pytest.raises(redis.AuthenticationError), module.connect() as stranger:
            stranger.ping()
        client.close()
    administrator.close()


def test_a_server_with_a_certificate_of_another_authority_is_refused(
    module: ModuleType, server: str, token: Token, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours, other = authority(tmp_path / "ours"), authority(tmp_path / "other")
    with encrypted(server, other.chain) as address:
        monkeypatch.setenv("REDIS_URL", address)
        monkeypatch.setenv("REDIS_AUTH", "iam")
        monkeypatch.setenv("REDIS_CA", ours.certificate)
        with pytest.raises(redis.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"), module.connect() as client:
            client.ping()
    assert token.refreshed == 0, "no token is sent to a stranger"
