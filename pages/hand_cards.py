"""The hand-cards of docs/hand-cards/: one page for each role, to be printed and kept at the desk.

`make hand-cards` writes them anew; a test fails where one went stale.
"""

from pathlib import Path

from pages.guide import DAY, DUTY, LADDER, LIGHTS, STAFF, commands_of
from pages.labels import LIGHT
from pages.navigation import HELP, INBOX, MORE, PLACES
from routes.wording import ROLES
from rules.case.vocabulary import Role

FOLDER = Path(__file__).parents[1] / "docs" / "hand-cards"


def card(role: Role) -> str:
    """Return the card of a role, as Markdown."""
    places = " · ".join(
        f"**{place.title}** `{place.path}`" for place in (*PLACES[role], *MORE.get(role, ()), INBOX, HELP)
    )
    parts = [f"# {ROLES[role]}:一页纸", DUTY[role], f"页面：{places}", "## 一天怎么过"]
    parts.append("\n".join(f"{number}. {step}" for number, step in enumerate(DAY[role], 1)))
    if commands := commands_of(role):
        rows = [f"| {name} | {hint} |" for name, hint in commands]
        parts += ["## 在办件页可以做", "\n".join(["| 操作 | 什么时候、填什么 |", "|---|---|", *rows])]
    if role is not Role.ADMIN:
        parts.append("## 灯和升级")
        parts.append("\n".join(f"- **{LIGHT[light]}**:{words}" for light, words in LIGHTS))
        parts.append("\n".join(f"{number}. {what}:{then}" for number, (what, then) in enumerate(LADDER, 1)))
    return "\n\n".join(parts) + "\n"


def write_cards() -> None:
    """Write every card."""
    FOLDER.mkdir(exist_ok=True)
    for role in STAFF:
        (FOLDER / f"{role}.md").write_text(card(role), encoding="utf-8")


if __name__ == "__main__":
    write_cards()
