"""A database as it is after years: most cases archived, some open, told in every inbox. PostgreSQL only.

Rows are made by the server itself, with the shares of a busy city: of a hundred cases three are open,
and of those one in five is late; of those that ended seven were late, thirty left a lesson, and four in
five are of some three hundred matters. Those archived for three years are erased, but for the texts in
their rows: so a search has the more to read. What else stands around cases is in
`benchmarks/crowded_around.py`. Names are invented, phones are 1380013xxxx.
"""

import json

import asyncpg
from sqlalchemy import make_url

from casework.services import Services
from models.crypto import Keyring
from models.messages import Terms, encode_state
from models.petitioner import NAME_INDEX, PHONE_INDEX
from tests.support.cases import Story, dispatched, handled, told

OPEN_SHARE = 3  # of a hundred
NAME, PHONE = "周小明", "13800130001"

# Where the cases of each kind stand: the open ones are spread over the statuses of a working day.
_CASES = """
WITH made AS (
  SELECT n, n % 100 < $8 AS open, n / 100 AS hundred, (n / 100) % 10 AS turn,
    (n / 100) % 5 AS fifth, n::bigint * 7919 % 100 AS lot,
         CASE WHEN n % 5 = 0 THEN 'chengzhong' ELSE 'guilin' END AS hall,
         (ARRAY['market','social','medical','housing','resources','civil','education'])[1 + n / 3 % 7]
           AS unit,
         $3::timestamptz - make_interval(mins => ($2 - n) * 10) AS received_at
  FROM generate_series($1::int, $2::int) AS n
)
INSERT INTO cases (facts_due, erased, id, number, hall, unit, co_units, channel, kind, status, level, light,
  round, outcome, open, referred, matter, problem, cause, lesson, received_at, registered_at, due_at,
  due_provisional, closed_at, on_time, step, step_by, order_due_at, response_since, policy_id, policy_version,
  calendar_version, seq, last_hash, state, updated_at)
SELECT false, NOT open AND lot >= 4 AND received_at < $3::timestamptz - '3 years'::interval,
  '00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'),
  hall || to_char('2020-01-01'::date + n / 1000, '-YYYYMMDD-') || lpad((n % 1000)::text, 4, '0'),
  hall, unit, '[]', 'counter',
  CASE WHEN lot < 2 THEN 'complex' WHEN lot < 30 THEN 'commitment' ELSE 'simple' END,
  CASE WHEN open AND hundred % 20 = 12 THEN 'referred'
    WHEN open THEN (ARRAY['handling','handling','handling','dispatched','dispatched','registered',
    'replied','revisiting','return_review','limit_pending'])[1 + turn]
    WHEN lot < 4 THEN 'closed' ELSE 'archived' END,
  CASE WHEN hundred % 9 = 0 THEN 'deputy_leader' WHEN hundred % 17 = 0 THEN 'supervision'
    ELSE 'contact' END,
  CASE WHEN open THEN (ARRAY['red','yellow','green','green','green'])[1 + fifth]
    WHEN lot >= 93 THEN 'red' ELSE 'green' END,
  1, CASE WHEN open THEN NULL ELSE 'solved' END, open,
  open AND hundred % 20 = 12,
  '个体工商户登记事项第'
    || CASE WHEN n % 10 < 8 THEN n::bigint * 7919 / 100 % 300 ELSE n END || '号',
  '窗口要求重复提交已经共享的证件,来回跑了' || n % 7 || '次,请予协调。',
  (ARRAY['materials_incomplete','mechanical_application','poor_attitude_or_skill','policy_gap',
    'no_classification','system_barrier','legacy','other'])[1 + n / 7 % 8],
  CASE WHEN NOT open AND lot >= 70
    THEN '凡能共享的证件不再要求提交,由窗口与承办单位当场核对第' || n || '次' END,
  received_at, received_at,
  CASE WHEN open THEN $3::timestamptz + make_interval(hours => fifth * 24 - 20)
    ELSE received_at + '3 days' END,
  false, CASE WHEN open THEN NULL ELSE received_at + '2 days' END, CASE WHEN open THEN NULL ELSE true END,
  CASE WHEN NOT open THEN NULL WHEN hundred % 40 = 2 THEN 'confirm_unsolvable'
    WHEN hundred % 40 = 7 THEN 'judge_revisit' ELSE (ARRAY['reply','decide_extension','reply','sign','sign',
    'triage','check_reply','revisit','decide_return','set_limit'])[1 + turn] END,
  CASE WHEN NOT open THEN NULL WHEN hundred % 40 IN (2, 7) THEN 'window_lead'
    WHEN hundred % 50 = 8 THEN 'centre' WHEN hundred % 30 IN (1, 18) THEN 'supervisor'
    ELSE (ARRAY['contact','window_lead','contact','contact','contact','clerk','window_lead','clerk',
    'window_lead','supervisor'])[1 + turn] END,
  CASE WHEN open AND hundred % 7 = 0 THEN $3::timestamptz + '1 day' END,
  CASE WHEN open AND turn IN (0, 3, 4) THEN received_at END,
  $4, $5, $6, 9, '', CASE WHEN NOT open OR turn IN (6, 7) THEN $7::jsonb WHEN turn = 5 THEN $9::jsonb
    WHEN turn IN (3, 4) THEN $10::jsonb ELSE $11::jsonb END, received_at
FROM made
"""
_FILINGS = """
INSERT INTO filings (case_id, hall, channel, received_at, clerk, body_hash, query_code_hash, number,
  registered_at)
SELECT id, hall, channel, received_at, 'guilin.clerk', '', id, number, received_at FROM cases
WHERE number >= '' AND id > $1
"""
_PETITIONERS = """
INSERT INTO petitioners (case_id, kind, name_index, phone_index)
SELECT id, 'person', CASE WHEN right(id, 3) = '007' THEN $2 ELSE md5(id) END,
  CASE WHEN right(id, 3) = '007' THEN $3 ELSE md5(id) END FROM cases WHERE id > $1
"""
_CO_UNITS = """
INSERT INTO case_co_units (case_id, unit, hall, opined)
SELECT id, CASE WHEN unit = 'market' THEN 'housing' ELSE 'market' END, hall, NOT open
FROM cases WHERE right(id, 2) IN ('00', '20', '51') AND id > $1
"""
_EVENTS = """
INSERT INTO events (case_id, seq, part, at, type, actor, data, changes, fired, command_id, prev_hash, hash)
SELECT id, 1, 0, received_at, CASE WHEN right(id, 1) = '7' THEN 'remind' ELSE 'sign' END,
  '{"name": "窗口负责人", "role": "window_lead"}', '{}', '{}', '[]', id, '', '' FROM cases WHERE id > $1
"""
_NOTES = """
INSERT INTO notifications (username, case_id, number, seq, kind, text, at, read)
SELECT who, id, number, 1, 'registered', number || ' 已登记,请分派', received_at, right(id, 1) <> '3'
FROM cases, unnest(ARRAY['guilin.lead', 'guilin.market.contact', 'guilin.clerk']) AS who WHERE id > $1
ORDER BY cases.id
"""


async def fill(services: Services, url: str, terms: Terms, first: int, last: int) -> None:
    """Add the cases from number `first` to `last`, and what stands around them."""
    now = await services.clock.now()
    before = f"00000000-0000-7000-8000-{first - 1:012x}"
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    try:
        ref = (terms.policy.id, terms.policy.version, terms.read_calendar().version)
        told_of, *others = _states()
        await connection.execute(_CASES, first, last, now, *ref, told_of, OPEN_SHARE, *others)
        for statement in (_FILINGS, _CO_UNITS, _EVENTS, _NOTES):
            await connection.execute(statement, before)
        await connection.execute(_PETITIONERS, before, *_indexes(services.keyring))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _states() -> list[str]:
    """States of cases of the usual length: told of the reply, just filed, dispatched, and signed for."""
    stories = (
        told(handled("03-09 09:20"), "03-10 15:00"),
        Story("03-09 09:20"),
        dispatched("03-09 09:20"),
        dispatched("03-09 09:20").give("sign"),
    )
    return [json.dumps(encode_state(story.state)) for story in stories]


def _indexes(keyring: Keyring) -> tuple[str, str]:
    return keyring.blind_index(NAME_INDEX, NAME), keyring.blind_index(PHONE_INDEX, PHONE)
