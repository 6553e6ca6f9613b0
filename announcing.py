"""What the command line says to people, in Chinese."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import OperationalError, ProgrammingError

from announcing_keys import needed_words
from announcing_recovery import refused_restore
from assembly import BadSettings, Failure
from casework.archive import BadArchive
from casework.calendars import Year
from casework.case_verifying import CaseReport
from casework.contact_table import Imported
from casework.delivery_record import Record
from casework.demo import HALLS, OVER_ALL, UNIT_PEOPLE, UNITS, WINDOW, Loaded
from casework.dossier_check import DossierReport
from casework.engine import EngineUnavailable
from casework.erased_list import NotAList
from casework.erasure_due import Withheld
from casework.erasure_holds import Coming
from casework.errors import BadInput, NotFound
from casework.findings import NotEvidence
from casework.imports import Looked, Shown
from casework.key_files import BadKeyFile
from casework.key_rotation import NoSuchKey, NotReady, StillNeeded
from casework.policy_draft import BadPolicy
from casework.report_running import Run
from casework.restoring import NewerBackup, NotEmpty
from casework.spreadsheet import BadTable
from casework.verifying import LedgerReport
from casework.volumes import Imported as VolumeImported
from embedded import EmbeddedFailure
from models.case import LedgerEvent
from models.crypto import UnsealError
from models.database import DatabaseUnavailable
from models.directory import User
from models.imported import Integration
from pages.labels import word
from pages.policy_faults import policy_faults_in_words
from routes.evidence_words import finding_words, lines_of, report_words
from routes.wording import ROLES, fault_words
from rules.calendar import local
from rules.case.vocabulary import Role
from rules.report_words import REPORT_KIND
from settings import Settings

_MISSING = {
    "user": "没有这个用户。",
    "hall": "没有这个大厅。",
    "case": "没有这个办件。",
    "person": "没有保存这个人的信息。",
    "integration": "没有这个在用的对接系统。",
}


@dataclass(frozen=True)
class Explanation:
    """What went wrong, for people; ``misuse`` where the command was given wrongly."""

    text: str
    misuse: bool = False


def explanation(error: Exception) -> Explanation | None:
    """Return what a failure means, None for one that is a fault of ours."""
    match error:
        case BadInput():
            faults = (f"{name}:{fault_words(slug)}" for name, slug in error.faults.items())
            return Explanation("\n".join(faults), misuse=True)
        case NotFound():
            return Explanation(_MISSING.get(error.what, "没有这项内容。"))
        case NotReady():
            return Explanation(f"这些进程还不能用新密钥：{error}。请先用新的 PAYLOAD_KEYS 重启它们。")
        case StillNeeded():
            return Explanation(needed_words(error.use))
        case BadArchive() | NewerBackup() | NotEmpty():
            return Explanation(refused_restore(error))
        case NoSuchKey():
            return Explanation(f"没有这把密钥：{error}。", misuse=True)
        case UnsealError():
            return Explanation(f"现有密钥打不开已加密的数据：请检查 PAYLOAD_KEYS。({error})")
        case DatabaseUnavailable():
            return Explanation(f"数据库无法连接({error})。")
        case EngineUnavailable():
            return Explanation(f"流程引擎无法连接({error})。")
        case OperationalError() | ProgrammingError():
            kind = type(error.orig).__name__
            return Explanation(f"数据库结构不是最新：请先运行 bancheng migrate。({kind})")
        case BadPolicy():
            return Explanation("\n".join(policy_faults_in_words(error.faults)), misuse=True)
        case BadSettings() | NotEvidence() | NotAList():
            return Explanation(str(error), misuse=True)
        case BadTable() | Failure() | EmbeddedFailure() | BadKeyFile() | OSError():
            return Explanation(str(error))
    return None


def announce(settings: Settings, loaded: Loaded | None) -> None:
    """Say where it runs, and who may sign in."""
    print(f"办不成事窗口已启动：{address(settings)}")
    print(f"  登录：{address(settings)}/sign-in；反映人查询：{address(settings)}/public")
    print(f"  接口：POST {address(settings)}/api/token，说明见 {address(settings)}/openapi.json")
    print(f"  数据目录：{settings.data_dir}(日志在 logs/)")
    print("  停止：Ctrl-C；再次启动会接着办理。")
    if loaded is not None:
        announce_demo(loaded)
    elif not settings.is_local:
        print("  首位管理员：bancheng user add admin --role admin --name 姓名")
    print(flush=True, end="")


def announce_rehearsal(settings: Settings, loaded: Loaded | None) -> None:
    """Say where the rehearsal runs, and how time is moved."""
    print(f"演练已启动：{address(settings)}(数据只在演练期间保留)")
    print(f"  演练时间：GET {address(settings)}/api/rehearsal/clock")
    print(f"  推进时间：POST {address(settings)}/api/rehearsal/advance")
    print('    内容为 {"working_days": 1}、{"working_hours": 2} 或 {"to": "2027-01-04T09:00:00+08:00"}')
    if loaded is not None:
        announce_demo(loaded)
    print(flush=True, end="")


def announce_demo(loaded: Loaded) -> None:
    """List the demonstration sign-ins."""
    if loaded.password:
        print(f"演示账号的密码(只显示这一次):{loaded.password}")
    elif loaded.users:
        print("演示账号的密码：BANCHENG_DEMO_PASSWORD 所设。")
    else:
        print("演示账号的密码：首次启动时已显示，或为 BANCHENG_DEMO_PASSWORD 所设。")
        print("  忘记了：设置 BANCHENG_DEMO_PASSWORD 后重新启动，或运行 bancheng user password 用户名。")
    print(f"  大厅 {'、'.join(f'{hall}({name})' for hall, (name, _, _) in HALLS.items())}")
    for pattern, title in _sign_ins():
        print(f"  {pattern:<22}{title}")
    print(f"  单位 {'、'.join(f'{unit}({name})' for unit, name in UNITS.items())}")


def _sign_ins() -> Iterator[tuple[str, str]]:
    for key, (_, title) in WINDOW.items():
        yield f"大厅.{key}", title
    for key, (_, title) in UNIT_PEOPLE.items():
        yield f"大厅.单位.{key}", f"承办单位{title}"
    for key, (_, title) in OVER_ALL.items():
        yield key, title


def address(settings: Settings) -> str:
    """Return the address that a browser on this machine takes."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def delivery_lines(found: Record) -> Iterator[str]:
    """Yield deliveries, one a line, and how much there is."""
    yield f"未送达 {found.dead}，待发送 {found.waiting}（其中失败将重试 {found.failing}）"
    for each in (*found.webhook, *found.items):
        words = (each.key, each.username or "—", word("outside", each.means), word("delivery", each.status))
        at = f"{local(each.laid_at):%Y-%m-%d %H:%M}"
        yield "  ".join((*words, at, f"尝试 {each.attempts} 次", each.error or "")).rstrip()


def user_line(user: User) -> str:
    """Return a user in one line."""
    place = "/".join(filter(None, (user.hall, user.unit))) or "-"
    marks = ["备用"] * user.alternate + ["演示"] * user.demo + ["停用"] * (not user.active)
    return "\t".join([user.username, user.name, ROLES[Role(user.role)], place, "、".join(marks)]).rstrip()


def run_lines(done: Run) -> Iterator[str]:
    """Say what a run of a report came to."""
    report = done.report
    period = f"{_minute(report.covers_from)} 之后至 {_minute(report.covers_to)}"
    yield f"{report.hall} {REPORT_KIND[report.kind]}：{period}，应于 {_minute(report.due_at)} 生成"
    if not done.again:
        yield f"  已生成并存档(生成时间 {_minute(report.made_at)})，内容摘要 {report.digest}"
    elif done.erased:
        yield "  所载办件的个人信息已有清除，存档文件随之清空；按台账现状重新生成，与当时不同"
    elif done.differs:
        yield f"  与存档不一致：{'、'.join(done.differs)}(存档的内容摘要 {report.digest})"
    else:
        yield f"  与存档一致，内容摘要 {report.digest}"


def _minute(at: datetime) -> str:
    return f"{local(at):%Y-%m-%d %H:%M}"


def import_lines(done: Imported) -> Iterator[str]:
    """Say what an import did."""
    for title, keys in (
        ("新增大厅", done.halls),
        ("新增单位", done.units),
        ("新版本", done.versions),
        ("没有变化", done.unchanged),
    ):
        yield f"{title} {len(keys)}" + (f":{'、'.join(keys)}" if keys else "")


def volume_line(done: VolumeImported) -> str:
    """Say what importing a month's 12345 volume did."""
    of = done.volume
    if done.unchanged:
        return f"{of.month} 没有变化(第 {of.version} 版)。"
    replaced = f"，替换第 {done.before.version} 版(合计 {done.before.total} 件)" if done.before else ""
    return f"已导入 {of.month}：{len(of.counts)} 个单位，合计 {of.total} 件，第 {of.version} 版{replaced}。"


def year_lines(year: Year) -> Iterator[str]:
    """Show a year's notice."""
    whose = f"{year.hall} 大厅自有安排" if year.hall else "全国"
    yield f"{year.year} 年 {whose} · 来源：{year.notice.source or '—'}"
    if year.provisional:
        yield "暂定：国务院通知尚未载入，按法定节假日推算，不含调休。"
    for title, days in (("放假", year.notice.off), ("调休上班", year.notice.work)):
        yield f"{title} {len(days)} 天：" + " ".join(day.isoformat() for day in sorted(days))


def case_lines(case: dict[str, Any], events: Sequence[LedgerEvent]) -> Iterator[str]:
    """Show a case and its events."""
    for field in ("number", "hall", "kind", "status", "level", "light", "unit", "matter", "problem"):
        yield f"{field:<12}{case[field] or '—'}"
    for field in ("received_at", "due_at", "told_at", "closed_at", "on_time"):
        yield f"{field:<12}{'—' if case[field] is None else case[field]}"
    petitioner = case["petitioner"] or {}
    yield f"{'petitioner':<12}{petitioner.get('name') or '—'} {petitioner.get('phone') or ''}".rstrip()
    if alarm := case["next_alarm"]:
        yield f"{'next_alarm':<12}{alarm['name']} {alarm['at']}"
    yield ""
    for event in events:
        actor = event.actor.get("name") or ROLES[Role(event.actor["role"])]
        yield f"{event.seq:>4}  {local(event.at):%Y-%m-%d %H:%M:%S}  {event.type:<22}{actor}"


def verified_lines(report: CaseReport) -> Iterator[str]:
    """Say what came of verifying a case."""
    yield "台账：" + ("完好" if report.ledger_ok else "未通过")
    outcome = "一致" if report.replay_ok else "已清除" if report.only_erased else "未通过"
    yield "重演：" + outcome
    yield report_words(report)


def ledger_lines(report: LedgerReport, numbers: Mapping[str, str]) -> Iterator[str]:
    """Say what came of verifying the whole ledger; `numbers` are those of cases, by id."""
    acts = f"通报与典型案例的 {report.acts} 条处理记录、" if report.acts else ""
    yield f"核验 {report.cases} 件、{report.events} 条记录、{acts}{report.heads} 次封签。"
    yield from lines_of(report.findings, numbers)
    if report.found > len(report.findings):
        yield f"另有 {report.found - len(report.findings)} 处，未逐一列出。"
    yield from lines_of(report.lost, numbers)
    if report.ok:
        yield "全部完好。"


def looked_lines(looked: Looked) -> Iterator[str]:
    """Say what a file of cases holds, every fault in a line."""
    yield f"可以登记 {looked.new} 行，此前已登记 {looked.repeated} 行，有问题 {len(looked.faults)} 处。"
    yield from map(str, looked.faults)


def imported_lines(looked: Looked, shown: Shown) -> Iterator[str]:
    """Say what came of an import."""
    yield from looked_lines(looked)
    counts = shown.counts
    done = f"已登记 {counts.get('filed', 0)} 行，此前已登记 {counts.get('repeated', 0)} 行"
    yield f"{done}，未登记 {counts.get('refused', 0)} 行。"


def integration_line(found: Integration) -> str:
    """Return a system that pushes cases in one line."""
    used = _minute(found.last_used_at) if found.last_used_at else "未使用"
    marks = f"停用于 {_minute(found.revoked_at)}" if found.revoked_at else "在用"
    return "\t".join([found.name, found.hall, found.source, f"最近使用 {used}", marks])


def due_lines(due: Sequence[Coming]) -> Iterator[str]:
    """Say whose personal data the next pass erases."""
    for each in due:
        yield f"{each.place.number}\t归档 {_minute(each.place.archived_at)}\t期满 {_minute(each.erased_at)}"
    yield f"到期 {len(due)} 件。" if due else "没有到期的办件。"


def withheld_lines(withheld: Withheld) -> Iterator[str]:
    """Say under which policies nothing is erased, and why."""
    for policy in withheld.unread:
        yield f"! 没有读到 {policy} 的政策文件：其办件到期不清除。请检查 BANCHENG_POLICIES_DIR。"
    for policy in withheld.clock:
        yield f"! {policy} 有期满的办件暂不清除：公示期内的夜间台账核验有中断。请核对系统时钟。"


def dossier_lines(report: DossierReport) -> Iterator[str]:
    """Say what came of verifying a dossier."""
    for finding in report.findings:
        yield finding_words(finding)
    if report.key is not None:
        known = "与所给公钥一致" if report.trusted else "请与对方公布的公钥核对"
        yield f"签名公钥 {report.key.text}({known})。"
    for head in report.heads:
        yield f"台账封签 {head.day.isoformat()}(第 {head.number} 号) {head.root};请与此前发布的核对。"
    if report.lost:
        yield f"{len(report.lost)} 段流程历史不在卷宗内，无法重演。"
    if report.ok:
        acts = f"通报与典型案例的 {report.acts} 条处理记录，" if report.acts else ""
        yield f"卷宗完好：{report.number},{report.events} 条记录，{acts}重演 {report.runs} 段历史一致。"
