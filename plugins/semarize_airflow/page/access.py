"""Who may see the page and press its buttons: Airflow's own logins and permissions decide.

Airflow does not protect what a plugin serves; everything here asks its auth manager.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.auth.tokens import get_signing_key
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.models.dag import DagModel
from fastapi import Depends, HTTPException
from itsdangerous import BadSignature, URLSafeTimedSerializer

from semarize_pipeline import vendors

# Long enough to read what a button will do; a form that is older has to be opened again.
FORM_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is logged in, and whose conversations they may see: those whose DAG they may read."""

    user: Any
    dags: frozenset[str]

    @property
    def vendors(self) -> tuple[str, ...]:
        return tuple(name for name in vendors.names() if dag_of(name) in self.dags)

    def may_trigger(self, dag_id: str) -> bool:
        details = DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id))
        return bool(
            get_auth_manager().is_authorized_dag(
                method="POST", access_entity=DagAccessEntity.RUN, details=details, user=self.user
            )
        )


def dag_of(vendor: str) -> str:
    """The DAG that reads a vendor."""
    return f"conversations__{vendor}"


def visitor(user: GetUserDep) -> Visitor:
    """The one who is logged in. 401 for nobody, 403 for somebody who may read no vendor's DAG."""
    found = Visitor(user, frozenset(get_auth_manager().get_authorized_dag_ids(user=user)))
    if not found.vendors:
        raise HTTPException(
            403,
            "You may read none of the DAGs conversations__<vendor>, or they have not been parsed "
            "yet. Ask whoever runs Airflow for a role that may read them.",
        )
    return found


VisitorDep = Annotated[Visitor, Depends(visitor)]


def sealed(who: Visitor, form: Mapping[str, Any]) -> str:
    """What a form carries so that it is ours, this user's, and pressed once."""
    # The same form twice is one order: its name is made here.
    return _serializer().dumps([who.user.get_id(), secrets.token_hex(8), dict(form)])


def opened(who: Visitor, token: str) -> tuple[str, dict[str, Any]]:
    """A form's own name and its values. 403 where it is not ours, not theirs, or too old."""
    try:
        user, name, form = _serializer().loads(token, max_age=FORM_SECONDS)
    except (BadSignature, ValueError, TypeError):
        raise HTTPException(403, "This form is too old or not ours. Open it again.") from None
    if user != who.user.get_id():
        raise HTTPException(403, "This form was made for somebody else. Open it again.")
    return str(name), dict(form)


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(get_signing_key("api", "secret_key"), salt="semarize-page")
