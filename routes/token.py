"""`/api/token`: signing in and out."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from casework.accounts import Credentials, sign_in, sign_out
from routes.bodies import Body, body_of, raw_body
from routes.dependencies import Given, SignedIn, Token
from routes.openapi import public_refusals, refusals
from routes.refusal_log import address

router = APIRouter(prefix="/api", tags=["token"])
