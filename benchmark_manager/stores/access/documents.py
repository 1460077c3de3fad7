"""Convert accounts and grants to documents and back, and read both in one command."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.domain.access.grants import roles_by_project
from benchmark_manager.domain.access.names import account_key
from benchmark_manager.models.access.account import Account, AccountKind, AccountWithGrants, Grant
from benchmark_manager.models.access.principal import Role
from benchmark_manager.models.record import known_word, words_of
from benchmark_manager.stores.database.database import Document

_ROLES: Final[frozenset[Role]] = words_of(Role)
_ACCOUNT: Final = "account"
_GRANTS: Final = "grants"
#: The hash of a password leaves the database for `AccountStore.credentials` alone.
WITHOUT_PASSWORD: Final[Document] = {"password_hash": 0}


def local_identity(name: str) -> str:
    """Return the value by which a local account is unique."""
    return f"local\n{account_key(name)}"


def external_identity(kind: AccountKind, issuer: str, subject: str) -> str:
    """Return the value by which an account of an issuer is unique."""
    return f"{kind}\n{issuer}\n{subject}"


def identity_of(account: Account) -> str:
    """Return the value by which an account is unique."""
    if account.issuer is None or account.subject is None:
        return local_identity(account.name)
    return external_identity(account.kind, account.issuer, account.subject)


def account_document(account: Account) -> Document:
    """Return the document of an account, without a password."""
    return {
        "_id": ObjectId(account.id),
        "identity": identity_of(account),
        "name_key": account_key(account.name),
        "grantees": grantees(account),
        **account.model_dump(exclude={"id"}),
    }


def grantees(account: Account) -> list[str]:
    """Return whose grants an account has: its own and its groups'."""
    return [
        grantee("account", account.id),
        *(grantee("group", name) for name in account.groups),
    ]


def grantee(kind: str, key: str) -> str:
    """Return who has a grant; a group's key is its name."""
    return f"{kind}:{key}"


def account_of(document: Mapping[str, Any]) -> Account:
    """Return the account of a document; a role of a newer version allows nothing."""
    names = Account.model_fields.keys() - {"id", "role"}
    values = {name: document[name] for name in names if name in document}
    role = document["role"]
    return Account(id=str(document["_id"]), role=role if role in _ROLES else None, **values)


def known_role(word: str) -> Role:
    """Return a stored role; one of a newer version allows only to read."""
    return known_word(word, _ROLES, "reader")


def grant_document(grant: Grant) -> Document:
    """Return the document of a grant, without its id."""
    return {
        "project_id": ObjectId(grant.project_id),
        "grantee": grantee(grant.kind, grant.id),
        "role": grant.role,
    }


def grant_of(document: Mapping[str, Any]) -> Grant:
    """Return the grant of a document."""
    kind, _, key = document["grantee"].partition(":")
    return Grant(
        project_id=str(document["project_id"]),
        kind="account" if kind == "account" else "group",
        id=key,
        role=known_role(document["role"]),
    )


def joined_account() -> list[Document]:
    """Add the account of `account_id`, and its grants; without an account, no row is left."""
    fields = {"localField": "account_id", "foreignField": "_id"}
    pipeline = [{"$project": WITHOUT_PASSWORD}]
    return [
        {"$lookup": {"from": "accounts", **fields, "pipeline": pipeline, "as": _ACCOUNT}},
        {"$unwind": f"${_ACCOUNT}"},
        joined_grants(f"{_ACCOUNT}."),
    ]


def joined_grants(prefix: str = "") -> Document:
    """Add the grants to any of `grantees`, a list."""
    fields = {"localField": f"{prefix}grantees", "foreignField": "grantee"}
    return {"$lookup": {"from": "grants", **fields, "as": _GRANTS}}


def account_with_grants(row: Mapping[str, Any]) -> AccountWithGrants:
    """Return the account of a row of `joined_account`."""
    return with_grants(row[_ACCOUNT], row[_GRANTS])


def account_row_with_grants(row: Mapping[str, Any]) -> AccountWithGrants:
    """Return the account of its own document with `joined_grants`."""
    return with_grants(row, row[_GRANTS])


def with_grants(
    account: Mapping[str, Any], grants: Iterable[Mapping[str, Any]]
) -> AccountWithGrants:
    """Return an account with the highest role in each project."""
    return AccountWithGrants(
        account=account_of(account), roles=roles_by_project(map(grant_of, grants))
    )
