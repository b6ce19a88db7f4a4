"""A small web shop to try the beacon in: it plays the shop's own server and uses what any shop may use.

Only where ``OSUSUME_DEMO_SHOP`` is set: anybody who reaches it can log in as one of a few members.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from apiflask import APIBlueprint
from flask import Response, make_response, redirect, render_template, request
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy.orm import Session

from clerk_ui import recommendations
from clerk_ui.application_settings import settings
from clerk_ui.counter.products import image_url
from clerk_ui.database_sessions import end_reading, reading, request_time, writing
from clerk_ui.intake.links import link_or_claim
from clerk_ui.intake.visitor_codes import new_code
from clerk_ui.security import current_key, require_form_token, secure_cookies
from journey.customer_search import current_customer
from journey.customers import Customer
from journey.errors import Conflict, InputError, NotFound, Unavailable
from journey.identity import owner
from journey.intake.browser_events import VISITOR as VISITOR_FORM
from journey.local_days import day_bounds, local_date, store_zone
from journey.products import Product
from journey.shelf import find_products, product
from journey.shop_window import departments, members_to_try, on_sale, pick_up_stores, products_by_id, web_store
from journey.visits import Order
from recommender.requests import SuggestionRequest

blueprint = APIBlueprint("demo_shop", "clerk_ui.web", url_prefix="/demo/shop", enable_openapi=False)
SHOWN = 24
SUGGESTED = 6
MOST_IN_CART = 20
SLOT = timedelta(minutes=30)
# what any shop needs, and the cookie that only consent makes
CART, MEMBER, VISITOR = "osusume_demo_cart", "osusume_demo_member", "osusume_visitor"


@blueprint.get("")
def front() -> str:
    """Shelves, search, and what is suggested to whoever has come."""
    typed, category = request.args.get("q", "").strip()[:100], request.args.get("category", "").strip()[:200]
    session = reading()
    found = find_products(session, typed, limit=SHOWN) if typed else on_sale(session, category=category, limit=SHOWN)
    suggested = [] if typed else _suggested(cart())
    return _page(
        "shop/front.html", products=found, typed=typed, category=category, departments=departments(session),
        suggested=suggested,
    )  # fmt: skip


@blueprint.get("/products/<product_id>")
def item(product_id: str) -> str:
    """One product, and what goes with it."""
    found = product(reading(), product_id)
    return _page("shop/item.html", item=found, picture=image_url(found.attributes), suggested=_with(found.product_id))


@blueprint.get("/cart")
def basket() -> str:
    """What was put into the cart, and where and when it can be collected."""
    session = reading()
    return _page(
        "shop/cart.html", products=products_by_id(session, cart()), stores=pick_up_stores(session), slots=_slots(),
        ordered=request.args.get("ordered", "")[:64],
    )  # fmt: skip


@blueprint.post("/cart")
def put() -> Response:
    """Put a product into the cart, or take it out."""
    require_form_token()
    chosen = request.form.get("product_id", "")[:64]
    kept = [one for one in cart() if one != chosen]
    if request.form.get("act") == "put":
        kept = [chosen, *kept][:MOST_IN_CART]
    return _with_cookie(redirect("/demo/shop/cart", 303), CART, "|".join(kept))


@blueprint.post("/orders")
def order() -> Response:
    """Reserve what is in the cart for collection; it stands in the store's list at once."""
    require_form_token()
    member = _member(reading())
    if member is None:
        return _redirect("/demo/shop/login")
    store_id, slot = request.form.get("store_id", "")[:64], request.form.get("pickup_at", "")
    stores = {store.store_id for store in pick_up_stores(reading())}
    try:
        pickup_at = datetime.fromisoformat(slot)
    except ValueError:
        pickup_at = None
    if store_id not in stores or pickup_at is None or pickup_at.tzinfo is None or not cart():
        raise InputError("choose a store and a time", where="pickup_at", what_to_do="go back to the cart")
    order_id = f"W-{uuid.uuid4().hex[:8]}"
    with writing() as session:
        session.add(
            Order(order_id=order_id, customer_id=member.customer_id, customer_ref=member.customer_id,
                  store_id=store_id, ordered_at=request_time(), pickup_at=pickup_at, status="ordered")
        )  # fmt: skip
    return _with_cookie(redirect("/demo/shop/cart?" + urlencode({"ordered": order_id}), 303), CART, "")


@blueprint.get("/login")
def login_form() -> str:
    """Members to try."""
    return _page("shop/login.html", members=members_to_try(reading()))


@blueprint.post("/login")
def login() -> Response:
    """Log in as a member; the cookie, if there is one, is theirs from now on."""
    require_form_token()
    try:
        customer = current_customer(reading(), request.form.get("customer_id", "")[:64])
    except NotFound:
        return _redirect("/demo/shop/login")
    _link_visitor(customer.customer_id)
    response = _redirect("/demo/shop")
    return _with_cookie(response, MEMBER, _signer().dumps(customer.customer_id))


@blueprint.post("/logout")
def logout() -> Response:
    """Log out; the cookie stays with the member, as with any shop."""
    require_form_token()
    response = _redirect("/demo/shop")
    response.delete_cookie(MEMBER, path="/demo/shop")
    return response


@blueprint.post("/member")
def meet() -> tuple[str, int]:
    """The page tells that the visitor has agreed while logged in: now there is a cookie to link."""
    require_form_token()
    member = _member(reading())
    if member is not None:
        _link_visitor(member.customer_id)
    return "", 204


@blueprint.get("/code")
def code() -> str:
    """A number to show at the counter: it links this browser to whoever stands there. Only after consent."""
    visitor = _visitor()
    return _page("shop/code.html", shown=new_code("cookie", visitor) if visitor else None)


def cart() -> list[str]:
    """The products in this browser's cart."""
    return [one for one in request.cookies.get(CART, "").split("|") if one]


def _suggested(basket: list[str]) -> list[Any]:
    """What the engine suggests to this member or visitor; nothing without a model."""
    session = reading()
    store_id, member, visitor = web_store(session), _member(session), _visitor()
    if store_id is None:
        return []
    known = member.customer_id if member else owner(session, "cookie", visitor) if visitor else None
    wish = SuggestionRequest(
        store_id=store_id, customer_id=known, visitor_id=None if known else visitor, k=SUGGESTED,
        basket=tuple(basket), channel="ec",
    )  # fmt: skip
    try:
        end_reading()
        return list(recommendations.suggestions(reading(), wish, now=request_time()).proposals)
    except Unavailable:
        return []


def _with(product_id: str) -> list[Any]:
    store_id = web_store(reading())
    if store_id is None:
        return []
    wish = SuggestionRequest(store_id=store_id, k=SUGGESTED, basket=tuple(cart()), channel="ec")
    try:
        end_reading()
        made = recommendations.suggestions_for_product(reading(), product_id, wish, now=request_time())
        return list(made.proposals)
    except Unavailable:
        return []


def _page(template: str, **context: Any) -> str:
    session = reading()
    everything: list[Product] = context.get("products", [])
    return render_template(
        template, member=_member(session), in_cart=len(cart()),
        pictures={one.product_id: image_url(one.attributes) for one in everything}, **context,
    )  # fmt: skip


def _member(session: Session) -> Customer | None:
    try:
        return current_customer(session, _signer().loads(request.cookies.get(MEMBER, "")))
    except (BadSignature, NotFound):
        return None


def _visitor() -> str | None:
    given = request.cookies.get(VISITOR, "")
    return given if VISITOR_FORM.fullmatch(given) else None


def _link_visitor(customer_id: str) -> None:
    visitor = _visitor()
    if visitor is not None:
        try:
            link_or_claim("cookie", visitor, customer_id, actor="demo shop")
        except Conflict:  # a family's tablet: both are kept for the CoE to look at, the log-in itself goes on
            return


def _slots() -> list[datetime]:
    """Half hours of today from the next one on that a customer could come at; tomorrow's when the day is over."""
    session, now = reading(), request_time()
    stores = pick_up_stores(session)
    zone = store_zone(session, stores[0].store_id if stores else "", settings().chain.timezone)
    first, _ = day_bounds(local_date(now, zone), zone)
    opening, closing = first + timedelta(hours=10), first + timedelta(hours=20, minutes=30)
    if now > closing - SLOT:
        opening, closing = opening + timedelta(days=1), closing + timedelta(days=1)
    start = max(opening, first + ((now - first) // SLOT + 1) * SLOT)
    return [start + SLOT * n for n in range((closing - start) // SLOT + 1)]


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_key(), salt="demo-shop-member")


def _redirect(place: str) -> Response:
    return make_response(redirect(place, 303))


def _with_cookie(response: Any, name: str, value: str) -> Response:
    made: Response = make_response(response)
    made.set_cookie(name, value, path="/demo/shop", httponly=True, samesite="Lax", secure=secure_cookies())
    return made
