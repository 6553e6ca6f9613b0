"""Router of /public."""

from fastapi import APIRouter

from pages.frame import OPEN_TO_ALL

router = APIRouter(dependencies=OPEN_TO_ALL)
