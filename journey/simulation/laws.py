"""Every number the invented chain obeys, in one frozen place; written to ``truth/laws.json`` as used."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Laws:
    """The parameters of the invented chain. Rates are per day unless named, odds ratios are plain numbers."""

    # --- customers -------------------------------------------------------------------------------
    taste_dimensions: int = 8
    visit_rate_shape: float = 2.4  # gamma heterogeneity of visit rates (BG/NBD's r)
    visit_gap_days: float = 12.5  # 1 / mean visit rate of a customer of average heart
    heart_on_rate: float = 0.22  # log rate per standard deviation of heart
    churn_mean: float = 0.016  # mean probability of leaving after a purchase occasion
    churn_concentration: float = 30.0  # beta(a, b) of that probability: a + b
    heart_on_churn: float = -0.45  # logit of leaving per standard deviation of heart
    one_time_share: float = 0.11
    joining_share: float = 0.14  # regulars who join inside the window
    heart_head_noise: float = 0.40  # share of heart and head that no touchpoint explains
    refuse_profiling: float = 0.07
    consent_contact: float = 0.68
    card_share: float = 0.94
    app_share: float = 0.46
    ec_share: float = 0.34
    web_share: float = 0.58
    late_link_share: float = 0.12  # identities linked only inside the window, after first use
    never_link_share: float = 0.15  # cookies of members that are never linked
    shared_card_share: float = 0.03  # customers whose spouse pays with their card
    ghost_card_share: float = 0.02  # cards in use that nobody registered
    # --- arrivals --------------------------------------------------------------------------------
    weekday_factor: tuple[float, ...] = (0.94, 0.92, 0.93, 0.94, 1.04, 1.20, 1.14)  # Monday first
    holiday_factor: float = 1.16
    new_year_day_factor: float = 0.35
    points_day_factor: float = 1.18  # the 5th, 15th and 25th
    uncarded_share: float = 0.20  # of store receipts
    forgot_card: float = 0.06  # of members' store visits
    browser_share: float = 0.22  # of people entering a store who buy nothing
    dwell_minutes: float = 17.0
    ec_order_share: float = 0.30  # of the occasions of a customer who has an EC account
    app_order_share: float = 0.10  # of the occasions of a customer who has the app
    # --- floor -----------------------------------------------------------------------------------
    seeks_service: float = 0.42
    service_mean_seconds: float = 230.0
    service_cv: float = 1.21
    patience_mean_seconds: float = 300.0
    load_per_floor_clerk: float = 0.34  # offered load the roster is planned for; weekends are not planned for
    # --- baskets ---------------------------------------------------------------------------------
    buy_when_due: float = 0.40
    favourite_share: tuple[float, float] = (0.70, 0.19)
    cycle_noise: float = 0.28  # log-normal sigma of one repurchase gap
    impulse_mean: float = 0.70
    impulse_familiar: float = 0.35  # impulses that go back to something bought before
    complement_share: float = 0.10
    zipf_exponent: float = 1.05
    promotion_share: float = 0.05
    promotion_lift: float = 2.0
    return_share: float = 0.012
    magnet_share: float = 0.015  # products that draw new customers
    magnet_pull: float = 0.45  # of the impulses of a first visit
    # --- web -------------------------------------------------------------------------------------
    web_gap_days: float = 9.0
    early_share: float = 0.15  # of sessions: before the stores open
    intent_share: float = 0.50  # sessions that carry an intention to buy
    intent_days: int = 10
    intent_same: float = 0.66  # the viewed product is bought at the next occasion
    intent_substitute: float = 0.14  # or another of its kind
    mail_every_days: int = 14
    mail_open: float = 0.24
    mail_open_to_session: float = 0.30
    checkin_share: float = 0.45  # of app holders' store visits
    anonymous_session_ratio: float = 0.7  # per session of a member
    coupons_a_month: int = 8
    coupon_reach: float = 0.12  # of reachable members, per coupon
    coupon_intent: float = 0.12
    # --- proposals -------------------------------------------------------------------------------
    holdout_share: float = 0.10
    suggestions_per_set: int = 5
    propose_base: float = 0.62
    propose_in_basket: float = 0.2  # factor where the customer holds the product already
    accept_base: tuple[float, float, float] = (-1.35, -2.25, -2.05)  # repeat, explore, focus (logit)
    taste_on_accept: float = 0.60
    skill_sd: float = 0.42
    strength_sd: float = 0.25
    heart_on_accept: float = 0.30
    congestion_on_accept: float = -0.35
    viewed_on_accept: float = 0.35
    practice_odds: dict[str, float] = field(
        default_factory=lambda: {
            "listen_first": 1.60,  # first proposal 60 s or more after the suggestions were opened
            "familiar_first": 1.40,  # a repeat product is proposed before anything new
            "few": 1.30,  # at most two proposals in one service
            "reason_web_view": 1.50,  # the reason shown cites what was looked at on the web
            "reason_popular": 0.80,  # the reason shown is mere popularity
            "follows_rank": 1.00,  # proposes in the order of the screen: makes no difference
        }
    )
    tap_without_till: float = 0.03
    considering_share: float = 0.20  # of proposals not accepted
    considering_intent: float = 0.25
    adopt_share: float = 0.40  # accepted products that become a favourite
    not_proposed_tapped: float = 0.60
    uplift_groups: tuple[tuple[str, float, float, float], ...] = (
        # name, share, logit shift of acceptance, probability of buying unasked
        ("persuadable", 0.34, 0.75, 0.02),
        ("sure_thing", 0.18, 0.25, 0.28),
        ("lost_cause", 0.42, -1.10, 0.01),
        ("sleeping_dog", 0.06, -1.60, 0.18),
    )
    sleeping_dog_loss: float = 0.5  # purchases a proposal spoils for a sleeping dog
    # --- experience ------------------------------------------------------------------------------
    touchpoint_common: float = 0.45  # share of variance that touchpoint experiences have in common
    drivers: dict[str, dict[str, float]] = field(
        default_factory=lambda: {
            "heart": {"store": 0.62, "app": 0.24, "delivery": 0.12, "web": 0.03, "call": 0.36},
            "head": {"store": 0.12, "app": 0.22, "delivery": 0.34, "web": 0.50, "call": 0.02},
            "overall": {"store": 0.60, "app": 0.38, "delivery": 0.22, "web": 0.10, "call": 0.02},
            "nps": {"store": 0.56, "app": 0.32, "delivery": 0.10, "web": 0.03, "call": 0.20},
        }
    )
    one_tap_asked: float = 0.35
    one_tap_answer: float = 0.22
    periodic_every_days: int = 60
    periodic_asked: float = 0.45
    periodic_answer: float = 0.33
    heart_on_answer: float = 0.40  # logit of answering per standard deviation of heart
    comment_share: float = 0.35
    action_effect: float = 0.30  # one-tap points that the planted action adds in its store
    action_null_store: int = 0  # index of the store where an action without effect takes place
    action_store: int = 1  # index of the store where an action with effect takes place
