"""What the CoE and managers decide – questionnaires, actions, follow-ups, terms of work – as tables of the extract.

They come from our own export only, so that a record can move to another machine whole. Who may sign in and who leads
which unit is not among them: rights are given by people, never by a file.
"""

from __future__ import annotations

from journey import actions, availability, questionnaires, survey_invitations, survey_tasks
from journey.intake.column_kinds import clerk, customer, identifier, key, number, store, table_of, time
from journey.intake.layout import Column, Kind, Layout

QUESTION_FIELDS = frozenset(questionnaires.Question.__dataclass_fields__)


def _whole(name: str, *, required: bool = True, low: float = 0) -> Column:
    return Column(name, Kind.INTEGER, required=required, low=low)


QUESTIONNAIRES = Layout(
    "questionnaires",
    table_of(questionnaires.Questionnaire),
    (
        key("survey_id"),
        key("version", Kind.INTEGER, low=1),
        Column("state", required=True, choices=("draft", "published", "retired")),
        Column("name", required=True),
        Column("kind", required=True, choices=questionnaires.KINDS),
        Column("touchpoint"),
        Column("questions", Kind.LIST, required=True, fields=QUESTION_FIELDS),
        number("share", required=True, low=0, high=1),
        _whole("quarantine_days"),
        _whole("store_day_quota"),
        _whole("delay_hours"),
        _whole("valid_days"),
        _whole("low_score", required=False),
        _whole("follow_up_days"),
        _whole("period_days"),
        time("created_at", required=True),
        identifier("created_by", required=True),
        time("published_at"),
        identifier("published_by"),
    ),
    updates=None,
)

SURVEY_INVITATIONS = Layout(
    "survey_invitations",
    table_of(survey_invitations.Invitation),
    (
        key("invitation_id"),
        identifier("token_hash", required=True),
        identifier("survey_id", required=True),
        _whole("version", low=1),
        Column("occasion", required=True),
        customer(required=True),
        store(),
        clerk(),
        identifier("receipt_id"),
        identifier("visit_id"),
        time("occurred_at", required=True),
        time("made_at", required=True),
        time("expires_at", required=True),
        time("answered_at"),
        identifier("response_id"),
        time("commented_at"),
    ),
    fills=frozenset({"answered_at", "response_id", "commented_at"}),
)

SURVEY_TASKS = Layout(
    "survey_tasks",
    table_of(survey_tasks.SurveyTask),
    (
        key("task_id"),
        identifier("response_id", required=True),
        identifier("survey_id", required=True),
        customer(required=True),
        store(),
        Column("touchpoint"),
        number("score", required=True),
        number("scale_max"),
        time("opened_at", required=True),
        Column("due_on", Kind.DATE, required=True),
        identifier("assignee"),
        time("done_at"),
        identifier("done_by"),
        Column("note"),
    ),
    updates=frozenset({"assignee"}),
    fills=frozenset({"done_at", "done_by", "note"}),
)

ACTION_PLANS = Layout(
    "action_plans",
    table_of(actions.ActionPlan),
    (
        key("action_id"),
        Column("finding", required=True),
        Column("owner", required=True),
        Column("unit", required=True),
        Column("kpi", required=True),
        number("baseline"),
        number("target"),
        Column("starts_on", Kind.DATE, required=True),
        Column("due_on", Kind.DATE, required=True),
        Column("stores", Kind.LIST),
        Column("comparison_stores", Kind.LIST),
        Column("state", required=True, choices=("proposed", "running", "done", "dropped")),
        time("created_at", required=True),
        Column("area"),
        identifier("owner_id"),
        Column("source"),
        Column("outcome"),
        Column("segment"),
        time("closed_at"),
    ),
    updates=None,
    ordered=(("starts_on", "due_on"),),
)

CLERK_TERMS = Layout(
    "clerk_terms",
    table_of(availability.ClerkTerms),
    (key("clerk_id"), number("week_hours", required=True, low=0), Column("plannable", Kind.BOOLEAN, required=True)),
    updates=None,
)

CLERK_AVAILABILITY = Layout(
    "clerk_availability",
    table_of(availability.ClerkAvailability),
    (
        key("clerk_id"),
        key("weekday", Kind.INTEGER, low=0, high=availability.WEEKDAYS - 1),
        Column("first_slot", Kind.INTEGER, required=True, low=0, high=availability.SLOTS),
        Column("last_slot", Kind.INTEGER, required=True, low=0, high=availability.SLOTS),
    ),
    updates=None,
    ordered=(("first_slot", "last_slot"),),
)

CLERK_DAYS_OFF = Layout(
    "clerk_days_off", table_of(availability.ClerkDayOff), (key("clerk_id"), key("day", Kind.DATE)), updates=None
)

STORE_RULES = Layout(
    "store_rules",
    table_of(availability.StoreRules),
    (
        store(required=True, key=True),
        number("shortest_hours", required=True, low=0),
        number("longest_hours", required=True, low=0),
        number("week_hours", required=True, low=0),
        number("rest_hours", required=True, low=0),
        Column("day_off_in", Kind.INTEGER, required=True, low=1),
        number("hour_cost", low=0),
    ),
    updates=None,
)
