"""Who may call which route: domain.md, sections 1 and 4, and contract.md, written out by hand.

A new route needs a line here, or `tests/integration/test_role_matrix.py` fails with its name:
`"GET /new/page": STAFF,`. Write what the specification says, not what the code does. The matrix is of one
case of hall guilin, which its unit market signed for and the supervisor referred upward; every user of the
matrix is of that hall and unit. A role that is missing from a line gets 403 or 404, and whoever is not
signed in gets 401 or is led to /sign-in.
"""

from rules.case.vocabulary import Role

Roles = frozenset[Role]


def _roles(*roles: Role) -> Roles:
    return frozenset(roles)


CLERKS = _roles(Role.CLERK, Role.WINDOW_LEAD)
LEAD = _roles(Role.WINDOW_LEAD)
CONTACT = _roles(Role.CONTACT)
LEADER = _roles(Role.DEPUTY_LEADER)
UNIT = CONTACT | LEADER
CENTRE = _roles(Role.CENTRE)
SUPERVISOR = _roles(Role.SUPERVISOR)
SUPERIOR = _roles(Role.SUPERIOR)
AUDITOR = _roles(Role.AUDITOR)
ADMIN = _roles(Role.ADMIN)
NOBODY: Roles = frozenset()

ACTING = CLERKS | UNIT | CENTRE | SUPERVISOR | SUPERIOR
STAFF = ACTING | AUDITOR
SIGNED_IN = STAFF | ADMIN
# Of a bulletin that was issued and referred upward, as the one of the matrix was.
READERS = SUPERVISOR | SUPERIOR | AUDITOR | UNIT | LEAD | CENTRE
OVERSEERS = LEAD | CENTRE | SUPERVISOR
ANYONE = SIGNED_IN | {Role.CITIZEN}
"""The citizen stands for whoever is not signed in."""

COMMANDS: dict[str, Roles] = {
    "answer_order": LEADER,
    "archive": LEAD,
    "check_reply": LEAD,
    "confirm_unsolvable": LEAD,
    "convene": OVERSEERS,
    "coordinate": LEADER,
    "decide_extension": LEAD,  # the supervisor once one was granted
    "decide_return": LEAD,  # the centre the second, the supervisor the later ones
    "declare_unsolvable": LEADER,
    "excuse": SUPERVISOR,
    "inform": CLERKS | UNIT,
    "judge_revisit": LEAD,
    "mark_unable": CONTACT,
    "merge": LEAD,
    "opine": NOBODY,  # a co-unit, and market is the lead unit
    "order": SUPERVISOR,
    "progress": UNIT,
    "reassign": LEAD,
    "reclassify": LEAD,
    "refer_up": SUPERVISOR,
    "referral_reply": SUPERIOR | SUPERVISOR,
    "remind": OVERSEERS,
    "reply": UNIT,
    "report_complex": LEAD | CENTRE,
    "request_extension": LEADER,
    "resume": LEAD,
    "return_order": UNIT,
    "revisit": CLERKS,
    "set_limit": SUPERVISOR,
    "sign": UNIT,
    "suspend": LEAD,
    "transfer": LEAD | CENTRE,
    "triage": CLERKS,
    "withdraw": CLERKS,
}

API: dict[str, Roles] = {
    "POST /api/token": ANYONE,
    "DELETE /api/token": SIGNED_IN,
    "GET /api/me": SIGNED_IN,
    "POST /api/cases": CLERKS,
    "GET /api/cases": STAFF,
    "GET /api/cases/{id}": STAFF,
    "GET /api/cases/{id}/ledger": STAFF,
    "GET /api/cases/{id}/events": STAFF,
    "GET /api/cases/{id}/holding": OVERSEERS | AUDITOR,
    "POST /api/cases/{id}/verify": SUPERVISOR | AUDITOR,
    "GET /api/cases/{id}/dossier": SUPERVISOR | AUDITOR,
    "POST /api/cases/{id}/unmask": CLERKS | UNIT | SUPERVISOR | AUDITOR,
    "POST /api/cases/{id}/query-code": CLERKS,
    "POST /api/cases/{id}/attachments": ACTING,
    "GET /api/cases/{id}/attachments": STAFF,
    "GET /api/cases/{id}/attachments/{attachment}": STAFF,
    "POST /api/public/track": ANYONE,
    "POST /api/public/rate": ANYONE,
    "POST /api/public/object": ANYONE,
    "GET /api/calendar/due": STAFF | ADMIN,  # who loads a year may see what it does
    "GET /api/calendar/{year}": STAFF | ADMIN,
    "PUT /api/calendar/{year}": ADMIN,
    "GET /api/directory/{hall}/units/{unit}": STAFF | ADMIN,
    "PUT /api/directory/{hall}/units/{unit}": ADMIN | SUPERVISOR,
    "GET /api/notifications": SIGNED_IN,
    "POST /api/notifications/read": SIGNED_IN,
    "GET /api/reports": LEAD | CENTRE | SUPERVISOR | AUDITOR,
    "GET /api/reports/{id}": LEAD | CENTRE | SUPERVISOR | AUDITOR,
    "GET /api/reports/{id}/file": LEAD | CENTRE | SUPERVISOR | AUDITOR,
    "GET /api/figures": SUPERVISOR | CENTRE | AUDITOR,
    "GET /api/bulletins": SUPERVISOR | AUDITOR,
    "GET /api/bulletins/{bulletin}": READERS,
    "GET /api/bulletins/{bulletin}/file": READERS,
    "POST /api/bulletins/{bulletin}/statement": LEADER,
    "POST /api/bulletins/{bulletin}/approve": SUPERVISOR,
    "POST /api/bulletins/{bulletin}/reject": SUPERVISOR,
    "POST /api/bulletins/{bulletin}/referral": SUPERIOR,
    "GET /api/access-log": SUPERVISOR | AUDITOR,
    "GET /api/engine-access": SUPERVISOR | AUDITOR,
    "POST /api/codec/decode": SUPERVISOR | AUDITOR,  # who oversees every hall
    "POST /api/work-orders": NOBODY,  # another system alone, by a token of its own
    "GET /api/work-orders/{number}": NOBODY,
    "GET /healthz": ANYONE,
    "GET /readyz": ANYONE,
    "GET /metrics": ANYONE,
    "GET /api/rehearsal/clock": ANYONE,
    "POST /api/rehearsal/advance": ANYONE,
} | {f"POST /api/cases/{{id}}/{name}": roles for name, roles in COMMANDS.items()}

PAGES: dict[str, Roles] = {
    "GET /sign-in": ANYONE,
    "POST /sign-in": ANYONE,
    "GET /sign-in/oidc": ANYONE,
    "GET /sign-in/oidc/callback": ANYONE,
    "POST /sign-out": SIGNED_IN,
    "GET /": SIGNED_IN,
    "GET /account": SIGNED_IN,
    "POST /account/sign-out-everywhere": SIGNED_IN,
    "GET /account/password": SIGNED_IN,
    "POST /account/password": SIGNED_IN,
    "GET /account/second-factor": SIGNED_IN,
    "POST /account/second-factor": SIGNED_IN,
    "GET /account/second-factor/remove": SIGNED_IN,
    "POST /account/second-factor/remove": SIGNED_IN,
    "GET /account/notifications": SIGNED_IN,
    "POST /account/notifications": SIGNED_IN,
    "POST /account/notifications/try": SIGNED_IN,
    "GET /inbox": SIGNED_IN,
    "POST /inbox/read": SIGNED_IN,
    "POST /inbox/read-all": SIGNED_IN,
    "GET /help": ANYONE,
    "POST /help/tour/dismiss": SIGNED_IN,
    "GET /public": ANYONE,
    "GET /public/file": ANYONE,  # where a policy offers it
    "POST /public/file": ANYONE,
    "GET /public/track": ANYONE,
    "POST /public/track": ANYONE,
    "GET /public/rate": ANYONE,
    "POST /public/rate": ANYONE,
    "GET /public/object": ANYONE,
    "POST /public/object": ANYONE,
    "POST /rehearsal/advance": ANYONE,
    "GET /counter": CLERKS,
    "POST /counter": CLERKS,
    "POST /counter/check": CLERKS,
    "GET /counter/preview": CLERKS,
    "POST /counter/similar": CLERKS,
    "GET /counter/queue": CLERKS,
    "GET /counter/triage/{ref}": CLERKS,
    "POST /counter/triage/{ref}": CLERKS,
    "GET /counter/receipt/{id}": CLERKS,
    "GET /counter/receipt/{id}.pdf": CLERKS,
    "POST /counter/receipt/{id}/code": CLERKS,
    "GET /counter/import": CLERKS,
    "POST /counter/import": CLERKS,
    "GET /counter/import/template.xlsx": CLERKS,
    "GET /counter/import/{import_id}": CLERKS,
    "POST /counter/import/{import_id}": CLERKS,
    "GET /counter/import/{import_id}/outcome.xlsx": CLERKS,
    "GET /department": UNIT,
    "POST /department/sign": UNIT,
    "GET /lead": LEAD | CENTRE,
    "GET /supervision": SUPERVISOR | SUPERIOR | AUDITOR,
    "GET /bulletins": READERS,
    "GET /bulletins/{bulletin}": READERS,
    "GET /bulletins/{bulletin}/file.pdf": READERS,
    "POST /bulletins/{bulletin}/statement": LEADER,
    "POST /bulletins/{bulletin}/approve": SUPERVISOR,
    "POST /bulletins/{bulletin}/reject": SUPERVISOR,
    "POST /bulletins/{bulletin}/referral": SUPERIOR,
    "GET /bottlenecks": SUPERVISOR | AUDITOR | CENTRE,
    "GET /bottlenecks/{number}": SUPERVISOR | AUDITOR | CENTRE,
    "GET /lessons": STAFF,
    "GET /lessons/search": STAFF,
    "POST /lessons/search": STAFF,
    "GET /typical": LEAD | CENTRE | SUPERVISOR | AUDITOR,
    "GET /typical/{item}": LEAD | CENTRE | SUPERVISOR | AUDITOR,
    "GET /typical/write/{number}": LEAD | CENTRE,
    "POST /typical/write/{number}": LEAD | CENTRE,
    "POST /typical/{item}/review": SUPERVISOR,
    "POST /typical/{item}/withdraw": LEAD | CENTRE | SUPERVISOR,
    "GET /public/cases": ANYONE,
    "GET /public/cases/{item}": ANYONE,
    "GET /figures": SUPERVISOR | CENTRE | AUDITOR,
    "GET /figures/{hall}/{unit}": SUPERVISOR | CENTRE | AUDITOR,
    "GET /what-if": CENTRE | SUPERVISOR | AUDITOR,
    "POST /what-if": CENTRE | SUPERVISOR | AUDITOR,
    "POST /what-if/export.xlsx": CENTRE | SUPERVISOR | AUDITOR,
    "GET /bulletins/export.xlsx": READERS,
    "GET /bottlenecks/export.xlsx": SUPERVISOR | AUDITOR | CENTRE,
    "GET /bottlenecks/{number}/export.xlsx": SUPERVISOR | AUDITOR | CENTRE,
    "GET /lessons/export.xlsx": STAFF,
    "POST /lessons/search/export.xlsx": STAFF,
    "GET /typical/export.xlsx": LEAD | CENTRE | SUPERVISOR | AUDITOR,
    "GET /counter/queue/export.xlsx": CLERKS,
    "GET /reports/export.xlsx": LEAD | CENTRE | SUPERVISOR | AUDITOR,
    "GET /figures/export.xlsx": SUPERVISOR | CENTRE | AUDITOR,
    "GET /figures/{hall}/{unit}/export.xlsx": SUPERVISOR | CENTRE | AUDITOR,
    "GET /access-log": SUPERVISOR | AUDITOR,
    "GET /access-log/export.xlsx": SUPERVISOR | AUDITOR,
    "GET /personal-data": SUPERVISOR | AUDITOR | ADMIN,
    "POST /personal-data/export": SUPERVISOR | AUDITOR,
    "POST /personal-data/hold": SUPERVISOR,
    "POST /personal-data/lift": SUPERVISOR,
    "GET /admin/users/export.xlsx": ADMIN,
    "GET /admin/contacts/export.xlsx": ADMIN | SUPERVISOR,
    "GET /department/export.xlsx": UNIT,
    "GET /lead/export.xlsx": LEAD | CENTRE,
    "GET /supervision/export.xlsx": SUPERVISOR | SUPERIOR | AUDITOR,
    "GET /cases/export.xlsx": STAFF,
    "GET /cases/ledger.xlsx": STAFF,
    "POST /cases/search/export.xlsx": STAFF,
    "GET /cases": STAFF,
    "GET /cases/search": STAFF,
    "POST /cases/search": STAFF,
    "GET /cases/{number}": STAFF,
    "GET /cases/{number}/ledger": STAFF,
    "GET /cases/{number}/attachments/{attachment}": STAFF,
    "POST /cases/{number}/attachments": ACTING,
    "POST /cases/{number}/verify": SUPERVISOR | AUDITOR,
    "GET /cases/{number}/dossier": SUPERVISOR | AUDITOR,
    "GET /evidence": SUPERVISOR | AUDITOR,
    "GET /evidence/{head}.json": SUPERVISOR | AUDITOR,
    "POST /cases/{number}/unmask": CLERKS | UNIT | SUPERVISOR | AUDITOR,
    "POST /cases/{number}/query-code": CLERKS,
    "GET /reports": LEAD | CENTRE | SUPERVISOR | AUDITOR,
    "GET /reports/volumes": LEAD | CENTRE | SUPERVISOR | AUDITOR | ADMIN,
    "POST /reports/volumes": CENTRE | ADMIN,
    "GET /reports/volumes/template.xlsx": CENTRE | ADMIN,
    "GET /reports/{report}": LEAD | CENTRE | SUPERVISOR | AUDITOR,  # the matrix has one of the hall
    "GET /reports/{report}/file": LEAD | CENTRE | SUPERVISOR | AUDITOR,
    "POST /reports/{report}/receipt": CENTRE,  # the centre's summary: the supervisor
    "GET /admin": ADMIN,
    "GET /admin/users": ADMIN,
    "GET /admin/add-user": ADMIN,
    "POST /admin/add-user": ADMIN,
    "GET /admin/users/{username}": ADMIN,
    "POST /admin/users/{username}/change": ADMIN,
    "POST /admin/users/{username}/disable": ADMIN,
    "POST /admin/users/{username}/enable": ADMIN,
    "POST /admin/users/{username}/password": ADMIN,
    "POST /admin/users/{username}/second-factor": ADMIN,
    "GET /admin/grants": ADMIN | AUDITOR,
    "POST /admin/grants/{grant_id}/approve": ADMIN | AUDITOR,
    "POST /admin/grants/{grant_id}/reject": ADMIN | AUDITOR,
    "POST /admin/grants/{grant_id}/withdraw": ADMIN,
    "GET /admin/halls": ADMIN,
    "GET /admin/add-hall": ADMIN,
    "POST /admin/add-hall": ADMIN,
    "GET /admin/halls/{code}": ADMIN,
    "POST /admin/halls/{code}": ADMIN,
    "POST /admin/halls/{code}/units": ADMIN,
    "POST /admin/halls/{code}/units/{unit}": ADMIN,
    "GET /admin/contacts": ADMIN | SUPERVISOR,
    "GET /admin/contacts/{hall}/{unit}": ADMIN | SUPERVISOR,
    "POST /admin/contacts/{hall}/{unit}": ADMIN | SUPERVISOR,
    "GET /admin/contacts/import": ADMIN,
    "POST /admin/contacts/import": ADMIN,
    "GET /admin/contacts/template.xlsx": ADMIN,
    "GET /admin/calendar": ADMIN,
    "GET /admin/calendar/load": ADMIN,
    "POST /admin/calendar/load": ADMIN,
    "GET /admin/policies": ADMIN,
    "GET /admin/deliveries": ADMIN,
    "POST /admin/deliveries/again": ADMIN,
    "POST /admin/deliveries/drop": ADMIN,
    "POST /admin/deliveries/default": ADMIN,
} | {f"POST /cases/{{number}}/{name}": roles for name, roles in COMMANDS.items()}

ALLOWED = API | PAGES

MISSING = frozenset(
    {
        "GET /api/engine-access",  # no UI of Temporal's is set
        "POST /api/codec/decode",
        "GET /sign-in/oidc",  # no provider is set
        "GET /sign-in/oidc/callback",
        "GET /public/file",  # no policy offers it
        "POST /public/file",
        "GET /evidence/{head}.json",  # no head was taken
        "GET /counter/import/{import_id}",  # nothing was imported
        "POST /counter/import/{import_id}",
        "GET /counter/import/{import_id}/outcome.xlsx",
        "GET /api/bulletins/{bulletin}/file",  # it was issued without its record
        "GET /bulletins/{bulletin}/file.pdf",
        "POST /admin/grants/{grant_id}/approve",
        "POST /admin/grants/{grant_id}/reject",
        "POST /admin/grants/{grant_id}/withdraw",
    }
)
"""What answers 404 also to those who may, since the matrix has no such thing."""
