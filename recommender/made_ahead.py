"""Suggestions made before they are asked for: the same answer, written as bytes, given new ids when it is shown.

The bytes hold the evidence and no words: whoever shows the answer tells its reasons in their own language.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from os import urandom
from typing import Any, Final

import orjson

from journey.database import to_micros
from recommender.reasons import talk_line, tell
from recommender.requests import Proposal, SuggestionRequest, SuggestionSet

DEFAULTS: Final = ("k", "kind", "seen_products", "basket", "visitor_id", "campaign_id")
"""Only requests that leave these as they are can be answered ahead."""
WORDS: Final = ("reason", "talk")
"""What is told anew from the evidence each time that the answer is shown."""


def can_be_ahead(request: SuggestionRequest) -> bool:
    """Whether the request is for a known customer and asks for nothing special."""
    plain = SuggestionRequest(store_id=request.store_id)
    return request.customer_id is not None and all(getattr(request, f) == getattr(plain, f) for f in DEFAULTS)


def pack(answer: SuggestionSet) -> bytes:
    """The answer as bytes; the version comes first, so that another model's answers are told at once."""
    document = {
        "model": answer.model, "policy": answer.policy, "arm": answer.arm,
        "proposals": [_wordless(proposal) for proposal in answer.proposals],
        "withheld": [_wordless(proposal) for proposal in answer.withheld],
        "rules": dict(answer.rules), "consent": answer.consent,
    }  # fmt: skip
    return orjson.dumps(document, default=str)


def unpack(
    made: bytes, request: SuggestionRequest, *, version: str, policy: str, language: str, now: datetime
) -> SuggestionSet | None:
    """The answer for this request, as of now, in words of a language; None where another version or policy made it."""
    document = orjson.loads(made)
    if (document["model"], document["policy"]) != (version, policy):
        return None
    set_id = new_set_id(now)
    return SuggestionSet(
        set_id=set_id, shown_at=now, model=version, policy=policy, arm=document["arm"], request=request,
        proposals=tuple(_proposal(fields, set_id, language) for fields in document["proposals"]),
        withheld=tuple(_proposal(fields, set_id, language) for fields in document["withheld"]),
        rules=document["rules"], consent=document["consent"],
    )  # fmt: skip


def new_set_id(now: datetime) -> str:
    """An id that sorts by time, so that rows of one hour lie together in the index."""
    return f"{to_micros(now):014x}{urandom(9).hex()}"


def _wordless(proposal: Proposal) -> dict[str, Any]:
    return {name: value for name, value in proposal._asdict().items() if name not in WORDS}


def _proposal(fields: dict[str, Any], set_id: str, language: str) -> Proposal:
    fields["suggestion_id"] = f"{set_id}-{fields['rank']}"
    fields["marks"] = tuple(fields["marks"])
    if fields["price"] is not None:
        fields["price"] = Decimal(fields["price"])
    evidence = fields["evidence"]
    return Proposal(**fields | {"reason": tell(evidence, language), "talk": talk_line(evidence, language)})
