"""Enrolling a tablet."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, jsonify

from clerk_ui.auth.cookies import keep_device
from clerk_ui.auth.documents import DeviceDocument, Enrolment
from clerk_ui.auth.rate_limits import RateLimit, limit_attempts
from clerk_ui.database_sessions import request_time, writing
from clerk_ui.security import require_same_origin
from journey.devices import enrol

blueprint = APIBlueprint("devices", "clerk_ui.auth", tag="Tablets", url_prefix="/api/devices")
ENROLMENTS = RateLimit(10, 60)


@blueprint.post("/enrolment")
@blueprint.input(Enrolment, arg_name="body")
@blueprint.output(DeviceDocument, status_code=201)
@blueprint.doc(operation_id="enrolDevice")
def enrol_device(body: Enrolment) -> Response:
    """Enrol this tablet with a code; answers with its cookie.

    The code works once and for a short time (`osusume device enrol` makes one). A tablet that is enrolled again
    belongs to the store of the new code.
    """
    require_same_origin()
    limit_attempts(ENROLMENTS)
    with writing() as session:
        device, token = enrol(session, body.code, now=request_time())
        response = jsonify({"device_id": device.device_id, "name": device.name})
    response.status_code = 201
    keep_device(response, token)
    return response
