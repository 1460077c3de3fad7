"""The embedded database's password, which keeps other users of the machine out.

The server listens on a port of the loopback interface, which every user reaches; a socket in a
folder it cannot do. With `--auth` it asks for a password, but a user can be made only while it runs
without. For that one start it takes connections only with the key of a certificate
that is made for it, so that the port is open to others at no time.

Files in the data folder, readable by its owner alone: `database.password`, and `database.pem` while
the user is made.
"""

import contextlib
import ipaddress
import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from benchmark_manager.errors import StartError

USER: Final = "benchmark-manager"
#: The codes of MongoDB: https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
AUTHENTICATION_FAILED: Final = 18
_USER_NOT_FOUND: Final = 11
_TRY_SECONDS: Final = 2.0
_CERTIFICATE_DAYS: Final = 2


class PasswordFile:
    """The file which holds the password; it appears whole, once the server knows the user."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "database.password"

    def read(self) -> str | None:
        """Return the password, or None where there is none.

        Raises:
            StartError: the file cannot be read.
        """
        try:
            return self.path.read_text(encoding="ascii").strip() or None
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise StartError(
                f"The file {self.path} cannot be read ({type(error).__name__})."
            ) from None

    def write(self, password: str) -> None:
        part = self.path.with_name(f"{self.path.name}.part")
        _write_private(part, password.encode("ascii") + b"\n")
        part.replace(self.path)


class Certificate:
    """A certificate with its key in one file, for the server, its clients and their authority."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "database.pem"

    def write(self, host: str) -> None:
        _write_private(self.path, _certificate(host))

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    @property
    def server_options(self) -> list[str]:
        path = str(self.path)
        files = [
            option for name in ("cert", "key", "ca") for option in (f"--tls-{name}-file", path)
        ]
        return [*files, "--tls-require-client-cert"]


def new_password() -> str:
    return secrets.token_urlsafe(32)


def make_user(host: str, port: int, certificate: Path, password: str) -> None:
    """Make the user, or change its password; this blocks for at most some seconds.

    Raises:
        PyMongoError: the server does not answer yet, or refuses.
    """
    milliseconds = int(_TRY_SECONDS * 1000)
    client: MongoClient[dict[str, Any]] = MongoClient(
        host,
        port,
        directConnection=True,
        retryWrites=False,
        tls=True,
        tlsCAFile=str(certificate),
        tlsCertificateKeyFile=str(certificate),
        serverMonitoringMode="poll",
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=milliseconds,
        socketTimeoutMS=5 * milliseconds,
    )
    with client:
        try:
            client.admin.command("updateUser", USER, pwd=password, roles=["root"])
        except OperationFailure as error:
            if error.code != _USER_NOT_FOUND:
                raise
            client.admin.command("createUser", USER, pwd=password, roles=["root"])


def _write_private(path: Path, data: bytes) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _certificate(host: str) -> bytes:
    # Needed once for a data folder, and slow to import.
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    name = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, "benchmark-manager embedded database")]
    )
    now = datetime.now(UTC)
    addresses = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        # A machine's clock may be set while it starts.
        .not_valid_before(now - timedelta(days=_CERTIFICATE_DAYS))
        .not_valid_after(now + timedelta(days=_CERTIFICATE_DAYS))
        .add_extension(addresses, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)
