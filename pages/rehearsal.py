"""Router of /rehearsal."""

from fastapi import APIRouter

from pages.frame import SIGNED_IN

router = APIRouter(dependencies=SIGNED_IN)
