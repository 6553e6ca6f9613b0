"""The part of the command line that keys are rotated with."""

from typing import Annotated

import typer

from console import fail, group, misuse, read_settings, with_services

keys = group("Keys of payloads and columns: which there are, what needs them, and rotating them.")


@keys.command("list")
def list_keys() -> None:
    """List the keys, what stands under each, and the running processes with the keys that they have.

    Every sealed row is looked at. Without the engine its running workflows are not counted.
    """
    from announcing_keys import key_lines
    from casework.key_rotation import key_status

    print("\n".join(key_lines(with_services(key_status))))


@keys.command("new")
def new_key(key_id: Annotated[str, typer.Argument(help="Its name: letters, digits, hyphens.")]) -> None:
    """Print a new key as PAYLOAD_KEYS wants it. It is kept nowhere else: write it down now."""
    from models.crypto import KEY_ID, generate_key

    if not KEY_ID.fullmatch(key_id):
        misuse("a key's name has letters, digits, - and _, 32 at most")
    print(generate_key(key_id))


@keys.command("rotate")
def rotate_keys() -> None:
    """Move everything under a new key, while the house works.

    Generated keys (no PAYLOAD_KEYS): a new key is made, the running `serve` takes it up, everything is
    moved, and the old key leaves the file. Keys of the settings: everything is moved under the first;
    add it behind the others and restart every process, then put it first and restart them, before.
    May be ended at any time and run again. Ends with 1 while there is something left to do.
    """
    from announcing_keys import key_lines, rotated_lines
    from casework.generated_keys import rotate_generated
    from casework.key_rotation import KeyStatus, rotate
    from casework.sealed_columns import SealedColumn
    from casework.services import Services
    from processes import FolderLock

    settings = read_settings()
    moved: dict[str, int] = {}

    def done(column: SealedColumn, count: int) -> None:
        moved[column.name] = moved.get(column.name, 0) + count

    async def work(services: Services) -> KeyStatus:
        return await (rotate_generated if services.keys_file else rotate)(services, done)

    lock = FolderLock(settings.data_dir / "keys.lock")
    if not lock.take():
        fail("密钥轮换正在另一进程中进行。")
    status = with_services(work)
    print("\n".join([*rotated_lines(moved), *key_lines(status)]))
    if status.behind or any(use.in_columns for use in status.keys[1:]):
        raise typer.Exit(1)


@keys.command("forget")
def forget_key(key_id: Annotated[str, typer.Argument(help="A retired key.")]) -> None:
    """Destroy a retired key that the database keeps. Refused while anything may still need it."""
    from casework.key_rotation import forget

    with_services(lambda services: forget(services, key_id))
    print(f"密钥 {key_id} 已销毁。")
