"""Certificates of throw-away authorities, and a process of ours that ends TLS in front of a server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import hpack
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.processes import LOOPBACK

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS, _CONTINUATION, _END, _PADDED, _PRIORITY = 1, 9, 0x4, 0x8, 0x20


@dataclass(frozen=True)
class Issued:
    """A certificate and its key as files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; `certificate` is its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        extension = x509.BasicConstraints(ca=True, path_length=0)
        own = self._builder(self._name, self._key.public_key()).add_extension(extension, critical=True)
        self.certificate = folder / f"{name}.pem"
        self.certificate.write_bytes(_pem(own.sign(self._key, hashes.SHA256())))

    def issue(self, name: str, *, address: str = LOOPBACK) -> Issued:
        """Issue a certificate for a name and an address, for servers and clients alike."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address(address))])
        signed = self._builder(subject, key.public_key()).add_extension(names, critical=False)
        issued = Issued(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        issued.certificate.write_bytes(_pem(signed.sign(self._key, hashes.SHA256())))
        issued.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return issued

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
        )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass
class Gate:
    """Where a server is reached by TLS, and the `authorization` headers that came through."""

    address: str
    authorizations: set[str] = field(default_factory=set)


@asynccontextmanager
async def tls_in_front_of(port: int, own: Issued, clients: Path | None = None) -> AsyncIterator[Gate]:
    """End TLS in front of a loopback port; with `clients`, only for whom that authority has signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    context.set_alpn_protocols(["h2"])
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    gate = Gate("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port)
        overheard = _Overheard(gate.authorizations)
        with suppress(OSError, asyncio.CancelledError):
            await asyncio.wait(
                [
                    asyncio.create_task(_copy(reader, inner_writer, overheard)),
                    asyncio.create_task(_copy(inner_reader, writer, None)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        for each in (writer, inner_writer):
            each.close()

    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=context)
    gate.address = f"{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
    try:
        yield gate
    finally:
        server.close()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, overheard: "_Overheard | None"
) -> None:
    while data := await reader.read(65536):
        if overheard:
            overheard.take(data)
        writer.write(data)
        await writer.drain()


class _Overheard:
    """Reads the headers of HTTP/2 requests as they pass by."""

    def __init__(self, found: set[str]) -> None:
        self._found, self._decoder = found, hpack.Decoder()
        self._buffer, self._block = b"", b""

    def take(self, data: bytes) -> None:
        self._buffer += data
        if self._buffer.startswith(_PREFACE):
            self._buffer = self._buffer[len(_PREFACE) :]
        while len(self._buffer) >= 9:
            length = int.from_bytes(self._buffer[:3])
            if len(self._buffer) < 9 + length:
                return
            kind, flags = self._buffer[3], self._buffer[4]
            payload, self._buffer = self._buffer[9 : 9 + length], self._buffer[9 + length :]
            if kind in (_HEADERS, _CONTINUATION):
                self._frame(kind, flags, payload)

    def _frame(self, kind: int, flags: int, payload: bytes) -> None:
        if kind == _HEADERS and flags & _PADDED:
            payload = payload[1 : len(payload) - payload[0]]
        if kind == _HEADERS and flags & _PRIORITY:
            payload = payload[5:]
        self._block += payload
        if flags & _END:
            for name, value in self._decoder.decode(self._block):
                if name == "authorization":
                    self._found.add(str(value))
            self._block = b""
