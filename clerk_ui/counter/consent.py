"""What a customer's consent means here."""

from __future__ import annotations

from clerk_ui.application_settings import settings


def may_profile(consent: bool | None) -> bool:
    """Whether a consent, or its absence, allows to use what the person did."""
    return settings().chain.consent_default == "allowed" if consent is None else consent
