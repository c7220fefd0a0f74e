"""The bodies of the API as pydantic models, which the OpenAPI description is made of."""

from typing import Annotated

from pydantic import BaseModel, Field, WithJsonSchema

from tooken_ci.sandbox.audit import Event
from tooken_ci.sandbox.credentials import Scope
from tooken_ci.sandbox.tokens import Status

NAME_LENGTH = 100

# A text and not a datetime: one that can't be read is 422, while a wrong type is 400.
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class NewTokenBody(BaseModel):
    """What ``POST /tokens`` takes; other fields are ignored."""

    name: Annotated[str, Field(min_length=1, max_length=NAME_LENGTH)]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    expires_at: Moment | None = None


class TokenBody(BaseModel):
    """A token without its secret."""

    id: str
    name: str
    scopes: list[Scope]
    status: Status
    created_at: Moment
    expires_at: Moment | None
    last_used_at: Moment | None
    created_by: str


class IssuedTokenBody(TokenBody):
    """A token with its secret, which is shown this once only."""

    token: str


class Meta(BaseModel):
    """Where a page stands in its list."""

    page: int
    per_page: int
    total: int


class TokenPage(BaseModel):
    """One page of tokens."""

    data: list[TokenBody]
    meta: Meta


class AuditEntryBody(BaseModel):
    """One entry of the audit log."""

    id: str
    event: Event
    token_id: str
    token_name: str
    actor: str
    created_at: Moment


class AuditPage(BaseModel):
    """One page of the audit log."""

    data: list[AuditEntryBody]
    meta: Meta


class ErrorBody(BaseModel):
    """Any error."""

    error: str
    message: str
    status: int
