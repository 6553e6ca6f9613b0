"""The pages for people: server-rendered, in Chinese; every one works without JavaScript."""

from fastapi import FastAPI

from routes import add_routes


def register_pages(app: FastAPI, *, in_rehearsal: bool = False) -> None:
    """Mount every page, the static files, and error pages for whoever asked for a page."""
    # Not at the head: whoever needs one module of this package must not import all of them.
    from pages import (
        access_log,
        account,
        account_notifications,
        admin,
        admin_calendar,
        admin_contacts,
        admin_deliveries,
        admin_exports,
        admin_grants,
        admin_halls,
        admin_import,
        admin_policies,
        admin_user,
        admin_users,
        bottlenecks,
        bulletins,
        case,
        case_evidence,
        case_files,
        case_private,
        cases,
        counter,
        counter_import,
        counter_queue,
        department,
        evidence,
        exports,
        figure_exports,
        figures,
        help,
        home,
        inbox,
        lead,
        lessons,
        list_exports,
        oidc,
        personal_data,
        public,
        public_cases,
        public_file,
        receipt,
        rehearsal,
        reports,
        sign_in,
        supervision,
        typical,
        volumes,
        what_if,
    )
    from pages.dossier_pdf import dossier_pdf
    from pages.errors import install_error_pages
    from pages.head import HeadAsGet
    from pages.headers import PageHeaders
    from pages.limits import BodyLimit
    from pages.static_files import mount_static

    modules = [sign_in, oidc, home, account, counter, counter_import, receipt, department, lead, supervision]
    modules += [list_exports, figure_exports, admin_exports, access_log]
    modules += [exports, cases, case, case_private, case_files, case_evidence, evidence, counter_queue]
    modules += [public, public_file, admin, inbox, help]
    modules += [admin_users, admin_user, admin_grants, admin_halls, admin_contacts, admin_import]
    modules += [admin_calendar, admin_policies, volumes, reports, bulletins, bottlenecks, lessons, typical]
    modules += [public_cases, figures, what_if, personal_data]
    modules += [account_notifications, admin_deliveries]
    modules += [rehearsal] * in_rehearsal
    add_routes(app, modules)
    app.state.in_rehearsal = in_rehearsal
    app.state.print_dossier = dossier_pdf  # for the API too, which stands below the pages' words
    mount_static(app)
    install_error_pages(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(PageHeaders)
    app.add_middleware(HeadAsGet)
