"""Brings facts to the One ID that their identifiers lead to: after new links, merges and splits."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection

from journey.fact_days import DAY_SQL, mark_days

# Facts with the customer as delivered (customer_ref), and what else may lead to one, asked in the order of kinds.
IDENTIFIERS: dict[str, tuple[str, tuple[str, ...]] | None] = {
    "pos_lines": ("card_no", ("card", "app", "ec_account")),
    "web_events": ("visitor_id", ("cookie", "app")),
    "answers": ("email_hash", ("email_hash",)),
    "coupon_grants": None,
    "visits": None,
    "orders": None,
    "contacts": None,
    "suggestions": None,
    "customer_notes": None,
    "identity_claims": None,
    "dismissals": None,
    "follow_ups": None,
    "offers": None,
    "survey_invitations": None,
    "survey_tasks": None,
}


def among(connection: Connection, values: Collection[Any]) -> tuple[str, Any]:
    """An SQL condition ``IN (…)`` over any number of values, and its one parameter."""
    if connection.dialect.name == "postgresql":
        return "= ANY(%s)", list(values)
    return "IN (SELECT value FROM json_each(?))", json.dumps(list(values))


def assign_by_identifier(connection: Connection, kind: str, values: Collection[str]) -> int:
    """Re-assign the facts without a delivered customer that carry one of these identifiers; returns how many."""
    changed = 0
    for table, identifier in IDENTIFIERS.items():
        if identifier is not None and kind in identifier[1]:
            some, given = among(connection, values)
            changed += _assign(connection, table, f"t.customer_ref IS NULL AND t.{identifier[0]} {some}", given)
    return changed


def assign_of_customers(connection: Connection, customers: Collection[str]) -> int:
    """Re-assign every fact that is now one of these customers' to whom it leads; returns how many changed."""
    some, given = among(connection, customers)
    for table, identifier in IDENTIFIERS.items():
        # what was recorded on the spot names the customer of that moment: keep that before it moves
        nothing_else = f" AND {identifier[0]} IS NULL" if identifier else ""
        connection.exec_driver_sql(
            f"UPDATE {table} SET customer_ref = customer_id WHERE customer_ref IS NULL AND customer_id {some}"
            + nothing_else,
            (given,),
        )
    connection.exec_driver_sql(
        "UPDATE identities SET customer_id = (SELECT coalesce(c.merged_into, c.customer_id) FROM customers c "
        f"WHERE c.customer_id = identities.customer_ref) WHERE customer_id {some}",
        (given,),
    )
    return sum(_assign(connection, table, f"t.customer_id {some}", given) for table in IDENTIFIERS)


def _assign(connection: Connection, table: str, condition: str, given: Any) -> int:
    """Set the One ID where ``condition`` holds and it differs, and note the days that this touches."""
    found = _leads_to(table)
    where = f"{condition} AND t.customer_id IS DISTINCT FROM {found}"
    if table in DAY_SQL:
        days = connection.exec_driver_sql(f"SELECT DISTINCT {DAY_SQL[table]} FROM {table} t WHERE {where}", (given,))
        mark_days(connection, table, [day for (day,) in days])
    return connection.exec_driver_sql(f"UPDATE {table} AS t SET customer_id = {found} WHERE {where}", (given,)).rowcount


def _leads_to(table: str) -> str:
    """SQL for the customer that a row leads to: the one delivered, else that of its identifier."""
    delivered = "(SELECT coalesce(c.merged_into, c.customer_id) FROM customers c WHERE c.customer_id = t.customer_ref)"
    identifier = IDENTIFIERS[table]
    if identifier is None:
        return delivered
    column, kinds = identifier
    order = " ".join(f"WHEN '{kind}' THEN {rank}" for rank, kind in enumerate(kinds))
    names = ", ".join(f"'{kind}'" for kind in kinds)
    linked = (
        f"(SELECT i.customer_id FROM identities i WHERE i.value = t.{column} AND i.kind IN ({names}) "
        f"ORDER BY CASE i.kind {order} END LIMIT 1)"
    )
    return f"(CASE WHEN t.customer_ref IS NULL THEN {linked} ELSE {delivered} END)"
