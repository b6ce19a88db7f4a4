"""The endpoints where machines bring facts, and what is told to the recommender once these are committed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import Flask, current_app
from sqlalchemy import select

from clerk_ui import recommendations
from clerk_ui.application_settings import settings
from clerk_ui.auth.callers import Caller
from clerk_ui.auth.requirements import requires
from clerk_ui.database_sessions import end_reading, reading, request_time, writing
from clerk_ui.grouped import Grouped
from clerk_ui.intake.bodies import (
    AnswersBody,
    CheckinsBody,
    EventsBody,
    OrdersBody,
    PosLinesBody,
    RowsDocument,
    StockBody,
    TrafficBody,
)
from clerk_ui.intake.rows import answer, refuse_too_many, take, take_groups, taken_rows
from clerk_ui.openapi import answers
from journey.confirmations import confirm_customers
from journey.intake.rows import RowsTaken
from journey.purchases import PosLine
from journey.visits import Visit
from journey.web import stored_events

blueprint = APIBlueprint("facts", __name__, tag="Intake", url_prefix="/api")
GROUPS = "osusume.machine_events"
TOO_MANY = answers({413: "more than 1,000 rows"})
MADE_AHEAD_AT_MOST = 20  # of one request; who else arrived is served when asked for


def init_app(app: Flask) -> None:
    """Events of requests that come together are committed together."""
    app.extensions[GROUPS] = Grouped[Sequence[Any], RowsTaken](_store_events)


@blueprint.post("/events")
@blueprint.output(RowsDocument)
@blueprint.doc(operation_id="postEvents", security="machine", responses=TOO_MANY)
@requires("events")
@blueprint.input(EventsBody, arg_name="body")
def post_events(caller: Caller, body: EventsBody) -> dict[str, Any]:
    """Web and app events, at most 1,000 at once; the same event again is ignored. Suggestions heed them at once."""
    refuse_too_many(body.events)
    end_reading()
    groups: Grouped[Sequence[Any], RowsTaken] = current_app.extensions[GROUPS]
    return answer("web_events", groups.do(body.events))


def _store_events(groups: Sequence[Sequence[Any]]) -> list[RowsTaken]:
    """Commit the events of all requests that wait, then tell the recommender."""
    with writing() as session:
        taken = take_groups(session, "web_events", groups)
        inside = [row for rows, one in zip(groups, taken, strict=True) for row in taken_rows(rows, one)]
        stored = stored_events(session, [str(row.get("event_id")) for row in inside])
    recommendations.tell_events(stored)
    return taken


@blueprint.post("/pos-lines")
@blueprint.output(RowsDocument)
@blueprint.doc(operation_id="postPosLines", security="machine", responses=TOO_MANY)
@requires("pos-lines")
@blueprint.input(PosLinesBody, arg_name="body")
def post_pos_lines(caller: Caller, body: PosLinesBody) -> dict[str, Any]:
    """Lines of receipts, at most 1,000 at once; the same line again is ignored, another content is kept out.

    What was suggested to these customers lately and bought now is confirmed at once.
    """
    with writing() as session:
        taken = take(session, "pos_lines", body.pos_lines)
        receipts = {str(row.get("receipt_id")) for row in taken_rows(body.pos_lines, taken)}
        customers = session.scalars(
            select(PosLine.customer_id)
            .where(PosLine.receipt_id.in_(receipts), PosLine.customer_id.is_not(None))
            .distinct()
        ).all()
        people = [customer for customer in customers if customer]
        window = timedelta(hours=settings().chain.attribution_hours)
        confirm_customers(session, people, window=window, now=request_time())
    recommendations.tell_change(people, now=request_time())
    return answer("pos_lines", taken)


@blueprint.post("/checkins")
@blueprint.output(RowsDocument)
@blueprint.doc(operation_id="postCheckins", security="machine", responses=TOO_MANY)
@requires("checkins")
@blueprint.input(CheckinsBody, arg_name="body")
def post_checkins(caller: Caller, body: CheckinsBody) -> dict[str, Any]:
    """Arrivals and appointments. Who has just arrived finds suggestions made ahead."""
    rows = [{"source": "checkin"} | row if isinstance(row, dict) else row for row in body.checkins]
    with writing() as session:
        taken = take(session, "visits", rows)
        ids = [str(row.get("visit_id")) for row in taken_rows(rows, taken)]
        arrived = session.execute(
            select(Visit.store_id, Visit.customer_id, Visit.arrived_at)
            .where(Visit.visit_id.in_(ids), Visit.source != "appointment", Visit.ended_at.is_(None))
            .order_by(Visit.arrived_at.desc())
        ).all()
    for store_id, customer_id, arrived_at in arrived[:MADE_AHEAD_AT_MOST]:
        recommendations.tell_arrival(reading(), store_id, customer_id, at=arrived_at, now=request_time())
    return answer("visits", taken)


@blueprint.post("/orders")
@blueprint.output(RowsDocument)
@blueprint.doc(operation_id="postOrders", security="machine", responses=TOO_MANY)
@requires("orders")
@blueprint.input(OrdersBody, arg_name="body")
def post_orders(caller: Caller, body: OrdersBody) -> dict[str, Any]:
    """Mobile orders to collect, with the visiting time; sent again they change time and status.

    Those for today stand in the store's list at once. `status` is free; `collected` or `cancelled` closes one.
    """
    with writing() as session:
        taken = take(session, "orders", body.orders)
    return answer("orders", taken)


@blueprint.post("/answers")
@blueprint.output(RowsDocument)
@blueprint.doc(operation_id="postAnswers", security="machine", responses=TOO_MANY)
@requires("answers")
@blueprint.input(AnswersBody, arg_name="body")
def post_answers(caller: Caller, body: AnswersBody) -> dict[str, Any]:
    """Answers to surveys, one row per question; rows of one ``response_id`` are one person's sheet."""
    with writing() as session:
        taken = take(session, "answers", body.answers)
    return answer("answers", taken)


@blueprint.post("/traffic")
@blueprint.output(RowsDocument)
@blueprint.doc(operation_id="postTraffic", security="machine", responses=TOO_MANY)
@requires("traffic")
@blueprint.input(TrafficBody, arg_name="body")
def post_traffic(caller: Caller, body: TrafficBody) -> dict[str, Any]:
    """People counted at the door."""
    with writing() as session:
        taken = take(session, "traffic", body.traffic)
    return answer("traffic", taken)


@blueprint.post("/stock")
@blueprint.output(RowsDocument)
@blueprint.doc(operation_id="postStock", security="machine", responses=TOO_MANY)
@requires("stock")
@blueprint.input(StockBody, arg_name="body")
def post_stock(caller: Caller, body: StockBody) -> dict[str, Any]:
    """How many of a product a store has; an older count never replaces a newer one."""
    with writing() as session:
        taken = take(session, "stock", body.stock)
    return answer("stock", taken)
