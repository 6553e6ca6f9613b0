"""The part of the command line for backups, restores and moves."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from console import checked, fail, log_to, misuse, read_settings, run, with_services
from kept_secrets import kept_secret

if TYPE_CHECKING:
    from casework.restoring import Restored
    from casework.services import Services
    from settings import Settings

FileArgument = Annotated[Path, typer.Argument(dir_okay=False)]
KeysOption = Annotated[Path | None, typer.Option("--keys", dir_okay=False, help="The file of the keys.")]
PassphraseOption = Annotated[
    bool, typer.Option("--passphrase-stdin", help="The keys' file is sealed: read its passphrase from stdin.")
]


def backup(file: FileArgument, keys: KeysOption = None, passphrase_stdin: PassphraseOption = False) -> None:
    """Back up database, attachments, exported histories, heads and templates, while the house works.

    The keys are not in it: --keys writes them to a file of their own, to be kept elsewhere.
    """
    from announcing_recovery import backup_lines
    from casework.backup import back_up, note_backup
    from casework.key_files import write_key_file

    settings = read_settings()
    passphrase = _passphrase(keys, passphrase_stdin, new=True)
    for path in filter(None, (file, keys)):
        if path.exists():
            fail(f"{path} is there already")
    secrets = settings.secrets() if keys else {}
    manifest = with_services(lambda services: back_up(services, file))
    if keys:
        if secrets != settings.secrets():
            file.unlink()
            fail("备份期间密钥在轮换：请轮换完再备份。")
        checked(write_key_file, keys, secrets, passphrase)
    with suppress(OSError):  # the backup is whole all the same, and its age goes on being told
        note_backup(settings.data_dir)
    print("\n".join(backup_lines(manifest, file, keys)))


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A backup.")],
    keys: KeysOption = None,
    passphrase_stdin: PassphraseOption = False,
) -> None:
    """Restore a backup into an empty system, on either database, and verify it.

    Stop every part of the house before. The next start begins the workflows of open cases again from the
    ledger. Ends with 1 where something does not hold; what is damaged is refused before anything is done.
    """
    settings = read_settings()
    if keys:
        _install(settings, keys, _passphrase(keys, passphrase_stdin))
    _end(_restored(settings, file))


def move(
    data_dir: Annotated[Path, typer.Option("--to-data-dir", file_okay=False, help="DATA_DIR over there.")],
    database: Annotated[
        str | None, typer.Option("--to-database", help="DATABASE_URL over there; else SQLite in DATA_DIR.")
    ] = None,
) -> None:
    """Move the house to another database and folder: from embedded to production, or back.

    Everything must be stopped, and stay stopped here afterwards. Generated keys go along, and the list
    of erased cases: a backup from before an erasure may be restored over there, too.
    """
    import tempfile

    from pydantic import SecretStr

    from casework.backup import back_up
    from casework.key_files import write_key_file
    from models.engines import database_url
    from settings import Settings

    settings = read_settings()
    given = {"data_dir": data_dir, "database_url": SecretStr(database) if database else None}
    try:
        target = Settings.model_validate(settings.model_dump() | given)
        database_url(target.database)
    except ValueError as error:  # pydantic's is one
        misuse(str(error))
    if target.database == settings.database or target.data_dir == settings.data_dir:
        misuse("--to-data-dir and --to-database must name another place")
    with _standing_still(settings), tempfile.TemporaryDirectory(prefix="bancheng-move-") as folder:
        archive, keys = Path(folder) / "house", Path(folder) / "keys"

        async def pack(services: "Services") -> None:
            await _refuse_running(services)
            await back_up(services, archive)

        with_services(pack)
        checked(write_key_file, keys, settings.secrets(), None)
        _install(target, keys, None)
        _take_erased_along(settings.data_dir, target.data_dir)
        restored = _restored(target, archive)
    _end(restored)
    print(f"已迁到 {target.data_dir}。请勿再在 {settings.data_dir} 上启动。")


def resume() -> None:
    """Start the workflows of open cases that have none, from the ledger.

    A worker does it by itself after a restore and when the engine is another one. This is for an engine
    whose own database was put back to an earlier state. It needs the engine.
    """
    from casework.resuming import resume_all

    print(f"已恢复 {with_services(resume_all)} 个在办件的流程。")


def _restored(settings: "Settings", file: Path) -> "Restored":
    from assembly import build_services
    from casework.restoring import WrongKeys, restore

    log_to(None, warnings_only=True)
    if settings.keys_file is not None and not settings.keys_file.exists():
        fail("没有密钥：请用 --keys 给出密钥文件，或设置 BANCHENG_PAYLOAD_KEYS。")

    async def work() -> "Restored":
        services = build_services(settings)
        try:
            await _refuse_running(services)
            return await restore(services, settings.database, file)
        finally:
            await services.database.close()

    try:
        with _standing_still(settings):
            return run(work())
    except WrongKeys:
        fail("现有密钥打不开这份备份：请用备份时的密钥。")


def _end(restored: "Restored") -> None:
    from announcing import ledger_lines
    from announcing_recovery import restored_lines

    print("\n".join(restored_lines(restored, ledger_lines(restored.ledger, {}))))
    if not restored.ok:
        raise typer.Exit(1)


@contextmanager
def _standing_still(settings: "Settings") -> Iterator[None]:
    """Keep `serve` off DATA_DIR meanwhile; end as failed where it runs."""
    from embedded import EmbeddedFailure, only_user_of

    try:
        with only_user_of(settings.data_dir):
            yield
    except EmbeddedFailure as failure:
        fail(str(failure))


async def _refuse_running(services: "Services") -> None:
    from assembly import Failure
    from casework.house_keys import holders

    if running := await holders(services):
        names = "、".join(holder.process for holder in running)
        raise Failure(f"仍有进程在运行：{names}。请先停止(刚被强行结束的，等一分半钟)。")


def _install(settings: "Settings", keys: Path, passphrase: str | None) -> None:
    """Put keys where the settings look for them; those that are given as settings count already."""
    from casework.key_files import read_key_file

    read = checked(read_key_file, keys, passphrase)
    given = {
        "PAYLOAD_KEYS": settings.payload_keys,
        "SIGNING_KEY": settings.signing_key,
        "SECRET_KEY": settings.secret_key,
        "WEBHOOK_SECRET": settings.webhook_secret,
    }
    for name, value in given.items():
        if value is None and (secret := read.get(name)):
            kept = checked(kept_secret, settings.data_dir / name.lower(), lambda secret=secret: secret)
            if kept != secret:
                fail(f"{settings.data_dir / name.lower()} 中已有另一把密钥。")
    if (trusted := read.get("TRUSTED_KEYS", "")) != settings.trusted_keys:
        print(f"请设置 BANCHENG_TRUSTED_KEYS={trusted}(旧的签名公钥)。")


def _take_erased_along(here: Path, there: Path) -> None:
    """Add the list of erased cases to the one over there: no backup has it, or it would undo itself."""
    source, target = here / "erased.txt", there / "erased.txt"
    if not source.exists():
        return
    known = target.read_bytes() if target.exists() else b""
    lines = [line for line in source.read_bytes().splitlines(keepends=True) if line not in known]
    if known and not known.endswith(b"\n"):
        lines.insert(0, b"\n")  # a power cut broke the last line off: it must not spoil the next
    there.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def _passphrase(keys: Path | None, from_stdin: bool, *, new: bool = False) -> str | None:
    from casework.key_files import SHORTEST

    if not from_stdin:
        return None
    if keys is None:
        misuse("--passphrase-stdin goes with --keys")
    typed = sys.stdin.readline().rstrip("\r\n")
    if new and len(typed) < SHORTEST:
        misuse(f"a passphrase has {SHORTEST} characters at least")
    return typed
