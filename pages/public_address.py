"""Where citizens follow a case: the address and the QR code on a receipt."""

from fastapi import Request

from casework.services import Services


def public_page(request: Request, services: Services) -> str:
    """Return the address of the public page.

    PUBLIC_URL goes first: what the request says of its host can be forged, and a proxy makes it wrong.
    """
    return f"{services.public_url or str(request.base_url).rstrip('/')}/public"


def public_link(request: Request, services: Services, code: str | None) -> str:
    """Return where the citizen follows the case.

    The code is a fragment: browsers keep it to themselves, so that no server's log ever has it.
    """
    return public_page(request, services) + (f"#code={code}" if code else "")
