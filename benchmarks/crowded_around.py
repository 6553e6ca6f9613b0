"""What stands around the cases of `benchmarks/crowded.py`, in proportion to them. PostgreSQL only.

Of a thousand cases: five 通报, five typical cases, seven reports and heads (by the days they span), a
change of the contact table two, a request for rights two, a user five. Every case has its facts, every
ended one the export of its history; the people of open cases are sealed as they are at the counter.
"""

import json

import asyncpg
from sqlalchemy import make_url

from casework.services import Services
from models.crypto import CaseKey, Keyring
from models.petitioner import PetitionerDetails, seal_petitioner
from rules.counts import COUNTED

_WIDE = ", ".join(COUNTED)
# A matter's key as `rules/repeats.py` makes it; these matters have nothing to leave out.
_FACTS = f"""
INSERT INTO case_facts (case_id, hall, unit, kind, cause, received_at, received_on, person_key, matter_key,
  consulted, out_of_scope, merged, repeated, apart, counts_at, counts_on, {_WIDE})
SELECT id, hall, unit, kind, cause, received_at, received_at::date,
  ('x' || md5(id))::bit(64)::bigint,
  ('x' || encode(substr(sha256(convert_to(matter, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint,
  0, 0, 0, (right(id, 2) IN ('10', '33', '5a', '7c', '81', 'a4', 'c2', 'd9', 'ef', 'f0'))::int,
  false, closed_at, closed_at::date, {", ".join("1" for _ in COUNTED)}
FROM cases ORDER BY id
"""
_BULLETINS = """
INSERT INTO bulletins (case_id, case_number, seq, hall, unit, ground, status, created_at, department, year,
  serial, decided_at, decided_by, accountability, acts, sent_at)
SELECT id, number, 5, hall, unit, 'overdue',
  (ARRAY['draft','rejected','issued','issued','issued','issued'])[1 + n % 6], received_at,
  CASE WHEN n % 6 > 1 THEN hall END, CASE WHEN n % 6 > 1 THEN 2026 END, CASE WHEN n % 6 > 1 THEN n END,
  CASE WHEN n % 6 > 0 THEN received_at + '9 days' END, CASE WHEN n % 6 > 0 THEN 'guilin.supervisor' END,
  CASE WHEN n % 6 IN (2, 3) THEN 'referred' END, 2, CASE WHEN n % 6 > 1 THEN received_at + '9 days' END
FROM (SELECT *, row_number() OVER (ORDER BY id) AS n FROM cases WHERE light = 'red' AND NOT open) AS late
WHERE n % 14 = 0 OR n % 14 = 5
"""
_TYPICAL = """
INSERT INTO typical_cases (case_id, case_number, hall, unit, matter, cause, title, problem, done, lesson,
  status, written_by, written_at, published_at, last_hash)
SELECT id, number, hall, unit, matter, cause, '一次讲清,注销不再难', problem, '窗口与单位当场核对共享信息。',
  lesson, stage, 'guilin.lead', closed_at, CASE WHEN stage = 'published' THEN closed_at END, ''
FROM (SELECT *,
    (ARRAY['submitted','returned','withdrawn','published','published','published'])[1 + n / 60 % 6] AS stage
  FROM (SELECT c.*, row_number() OVER (ORDER BY id) AS n FROM cases c WHERE lesson IS NOT NULL) AS learnt
  WHERE n % 60 < 1 OR n % 60 = 29) AS written
"""
_REPORTS = """
WITH weeks AS (
  SELECT hall, kind, at, row_number() OVER (ORDER BY at, hall, kind) AS n
  FROM unnest(ARRAY['guilin','chengzhong']) AS hall, unnest(ARRAY['hall_weekly','centre_weekly']) AS kind,
    generate_series((SELECT min(received_at) FROM cases), (SELECT max(received_at) FROM cases), '7 days')
      AS at
)
INSERT INTO reports (id, kind, hall, category, covers_from, covers_to, due_at, made_at, provisional, facts,
  digest)
SELECT '00000000-0000-7000-9000-' || lpad(to_hex(n), 12, '0'), kind, hall,
  CASE kind WHEN 'hall_weekly' THEN 'forms_and_ledger' ELSE 'summary' END, at, at + '7 days', at + '7 days',
  at + '7 days', false, $1::jsonb, md5(n::text) FROM weeks
"""
_REPORT_FILES = """
INSERT INTO report_files (report_id, format, name, media_type, size, sha256, content)
SELECT id, format, '周报.' || format, 'application/octet-stream', 48000, digest, sha256(digest::bytea)
FROM reports, unnest(ARRAY['xlsx','pdf','docx']) AS format
"""
_RECEIPTS = """
INSERT INTO report_receipts (report_id, username, name, role, at)
SELECT id, 'guilin.centre', '政务服务中心', 'centre', made_at + '2 hours' FROM reports
"""
_PLANS = """
INSERT INTO reporting_plans (hall, kind, due_at, covers_from, covers_to, provisional)
SELECT DISTINCT ON (hall) hall, kind, due_at + '7 days', covers_to, covers_to + '7 days', false FROM reports
ORDER BY hall, due_at DESC
"""
_HEADS = """
INSERT INTO ledger_heads (number, day, due_at, taken_at, cases, events, leaves, tree, prev_root, root, key_id,
  signature)
SELECT row_number() OVER (ORDER BY at), at::date, at, at, 1000, 9000, 1000, md5(at::text),
  md5(at::text || '-'), md5(at::text || '+'), 'k1', repeat('a', 88)
FROM generate_series((SELECT min(received_at) FROM cases), (SELECT max(received_at) FROM cases), '1 day')
  AS at
"""
_PUBLICATIONS = """
INSERT INTO head_publications (head, outlet, at)
SELECT number, outlet, taken_at FROM ledger_heads, unnest(ARRAY['file','webhook']) AS outlet
"""
_CHECKS = """
INSERT INTO ledger_checks (at, ok, cases, events, heads, findings)
SELECT taken_at, true, cases, events, number, '[]' FROM ledger_heads
"""
_RUNS = """
INSERT INTO case_runs (run_id, case_id, state)
SELECT id, id, CASE WHEN open THEN 'running' WHEN right(id, 3) = '0a7' THEN 'ended' ELSE 'settled' END
FROM cases
"""
_HISTORIES = """
INSERT INTO history_exports (run_id, case_id, outcome, sha256, events, size, at)
SELECT id, id, CASE WHEN right(id, 3) = '0b3' THEN 'lost' ELSE 'exported' END, md5(id), 56, 13000, closed_at
FROM cases WHERE NOT open
"""
_USERS = """
INSERT INTO users (username, name, password_hash, role, hall, unit, alternate, active, demo,
  must_change_password, created_at)
SELECT 'guilin.' || unit || '.' || n, '联系人' || n, '', 'contact', 'guilin', unit, false, n % 9 > 0, false,
  false, now() FROM generate_series(1, greatest(1, $1::int / 1400)) AS n,
  unnest(ARRAY['market','social','medical','housing','resources','civil','education']) AS unit
"""
_CONTACTS = """
INSERT INTO contact_entries (hall, unit, version, deputy_leader, contact, alternate, valid_from, valid_to,
  changed_by)
SELECT hall, unit, version + n, deputy_leader, contact, alternate, valid_from, now(), changed_by
FROM contact_entries, generate_series(1, greatest(1, $1::int / 7000)) AS n
"""
_GRANTS = """
INSERT INTO grants (id, act, username, wanted, reason, requested_by, requested_at, status, decided_by,
  decided_at)
SELECT '00000000-0000-7000-a000-' || lpad(to_hex(n), 12, '0'), 'add', 'guilin.new' || n,
  '{"name": "新同事", "role": "supervisor", "hall": "guilin", "unit": null, "alternate": false}', '岗位调整',
  'admin', now() - n * interval '1 day', CASE WHEN n < 6 THEN 'waiting' ELSE 'approved' END,
  CASE WHEN n > 5 THEN 'auditor' END, CASE WHEN n > 5 THEN now() - n * interval '1 day' END
FROM generate_series(1, greatest(6, $1::int / 500)) AS n
"""
_SEALED = "UPDATE petitioners SET name = $2, phone = $3 WHERE case_id = $1"
_KEYS = "INSERT INTO case_secrets (case_id, wrapped_key) VALUES ($1, $2)"

_COUNTS = {"registered": 140, "closed": 130, "late": 9}
_PRINTED = {
    "figures": {"period": _COUNTS, "standing": {"open": 300, "overdue": 60}},
    "head": None,
    "cases": 140,
}
_FROM_CASES = (_FACTS, _BULLETINS, _TYPICAL, _REPORT_FILES, _RECEIPTS, _PLANS, _HEADS, _PUBLICATIONS, _CHECKS)


async def fill_around(services: Services, url: str, cases: int) -> None:
    """Add what stands around so many cases, which are there already."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_REPORTS, json.dumps(_PRINTED))
        for statement in (*_FROM_CASES, _RUNS, _HISTORIES):
            await connection.execute(statement)
        for statement in (_USERS, _CONTACTS, _GRANTS):
            await connection.execute(statement, cases)
        await _seal_people(connection, services.keyring)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _seal_people(connection: asyncpg.Connection, keyring: Keyring) -> None:
    """Seal the name and phone of everybody with an open case."""
    keys, sealed = [], []
    for row in await connection.fetch("SELECT id FROM cases WHERE open"):
        id, key = row["id"], CaseKey.create()
        person = seal_petitioner(PetitionerDetails("person", "周小明", "13800130002"), id, key, keyring)
        keys.append((id, key.wrap(keyring, id)))
        sealed.append((id, person.name, person.phone))
    await connection.executemany(_KEYS, keys)
    await connection.executemany(_SEALED, sealed)
