"""Real receivers on this machine: an HTTP server that answers as told, and a mail server with TLS."""

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from casework.personal_channels import Message
from tests.support.processes import LOOPBACK, free_port

USERNAME, PASSWORD = "bancheng", "mail-for-tests-only"
ID = "5f0c1c1e-0000-4000-8000-000000000001"
TEXT = '桂林-20260309-0001 已超过办结时限 "&<>{}\\ 😀'


def message(to: str = "zhou@hall.example", *lines: str) -> Message:
    """Return a message of several lines, or of one with everything in it that means something somewhere."""
    return Message(ID, to, TEXT, lines or (TEXT,))


@dataclass
class Asked:
    """One request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server: `status` and `body` are what it answers, after `delay` seconds."""

    url: str
    status: int = 200
    body: bytes = b'{"errcode":0,"errmsg":"ok"}'
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def http_receiver() -> Iterator[Receiver]:
    """Run one on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.asked.append(Asked(self.command, self.path, headers, body))
            begun = time.monotonic()
            while time.monotonic() - begun < receiver.delay:  # a test may shorten it meanwhile
                time.sleep(0.01)
            try:
                self.send_response(receiver.status)
                for name, value in receiver.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(receiver.body)))
                self.end_headers()
                self.wfile.write(receiver.body)
            except OSError:  # whoever asked has gone
                pass

        do_GET = do_POST = do_PUT = _take

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    receiver = Receiver(f"http://{LOOPBACK}:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Mailbox:
    """What a mail server took; `refuse` maps a recipient to the answer that it gets instead of yes."""

    host: str
    port: int
    authority: Path
    received: list[EmailMessage] = field(default_factory=list)
    secured: list[bool] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to a recipient."""
        if answer := self.refuse.get(address):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take a mail."""
        assert isinstance(envelope.content, bytes)
        await asyncio.sleep(self.delay)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.received.append(mail)
        self.secured.append(session.ssl is not None)
        return "250 taken"


@contextmanager
def mail_receiver(folder: Path, port: int | None = None) -> Iterator[Mailbox]:
    """Run a mail server that wants STARTTLS and a password before anything else."""
    certificate, key = certified(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    mailbox = Mailbox(LOOPBACK, port or free_port(), certificate)

    def sign_in(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        known = LoginPassword(USERNAME.encode(), PASSWORD.encode())
        return AuthResult(success=given == known, handled=False)

    controller = Controller(
        mailbox,
        hostname=LOOPBACK,
        port=mailbox.port,
        tls_context=context,
        require_starttls=True,
        auth_required=True,
        authenticator=sign_in,
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def certified(folder: Path, name: str = LOOPBACK) -> tuple[Path, Path]:
    """Write a certificate for this machine, which is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.crt", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths
