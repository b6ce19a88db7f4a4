"""What is answered about customers."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from clerk_ui.field_types import Body, ClientUuid, Document, Id, Price, Text


class CustomerRow(Document):
    """A customer in a list; ``exact`` where a code named this one person."""

    customer_id: str
    name: str | None
    kana: str | None
    tier: str | None
    exact: bool
    last_visit_at: datetime | None


class CustomerList(Document):
    """Customers that match."""

    customers: list[CustomerRow]


class Consent(Document):
    """What the person allowed; null where unknown. ``may_profile`` is what follows for the screens."""

    profiling: bool | None
    contact: bool | None
    may_profile: bool


class Interest(Document):
    """Something looked at on the web or in the app: the strongest kind of event, how often, when last."""

    kind: str
    times: int
    last_at: datetime
    product_id: str | None
    product_name: str | None
    query: str | None
    content_id: str | None


class CouponDocument(Document):
    """A coupon that can be redeemed now; ``channel`` is where it was granted."""

    coupon_id: str
    name: str
    kind: str | None
    value: Price | None
    valid_until: datetime | None
    product_id: str | None
    category: str | None
    channel: str | None
    granted_at: datetime


class OrderDocument(Document):
    """An order to collect; ``here`` where it waits in the store that asks."""

    order_id: str
    store_id: str
    ordered_at: datetime
    pickup_at: datetime | None
    status: str | None
    here: bool


class AnswerDocument(Document):
    """The last answer the customer gave us."""

    question: str
    touchpoint: str
    score: float | None
    scale_min: float | None
    scale_max: float | None
    comment: str | None
    answered_at: datetime


class NoteDocument(Document):
    """A clerk's note; for staff only."""

    note_id: str
    text: str
    written_at: datetime
    clerk_id: str
    clerk_name: str | None


class Frequent(Document):
    """A product bought on several days."""

    product_id: str
    name: str
    times: int = Field(validation_alias="days")
    last_at: datetime


class OfferDocument(Document):
    """Something other than a product to propose, the most useful first. ``kind`` is collect (an order), coupon, event
    or join_app; ``subject`` the id of the order, coupon or event. ``usefulness`` is the chance of being taken up, on
    the scale of a suggestion's probability. Answered at ``PUT /api/offers/{offer_id}``.
    """

    offer_id: str
    kind: str
    subject: str
    title: str
    text: str
    talk: str
    until: datetime | None
    usefulness: float


class CustomerCard(Document):
    """Everything a clerk is told about a customer."""

    customer_id: str
    name: str | None
    kana: str | None
    tier: str | None
    member_since: date | None
    last_visit_at: datetime | None
    days_since_last_visit: int | None
    consent: Consent
    web_interests: list[Interest]
    coupons: list[CouponDocument]
    orders: list[OrderDocument]
    last_answer: AnswerDocument | None
    notes: list[NoteDocument]
    frequent_products: list[Frequent]
    offers: list[OfferDocument] = Field(description="empty for machines that name no store_id")


class NoteBody(Body):
    """A note under an id made by the client. ``clerk_id`` names its author where it waited for a network."""

    note_id: ClientUuid
    text: Text = Field(min_length=1)
    clerk_id: Id | None = None
    store_id: Id | None = Field(None, description="machines only: the store where it was written")
