"""Probability that a proposal is accepted, learnt from what came of the proposals that were shown.

The ranker states the chance that a product is bought next time. Whether a proposal of it is accepted is another
question: it is learnt from clerks' outcomes as they come in, on top of that chance, which stands alone until then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.baskets import Flags, Floats
from recommender.calibration import Calibration, logistic

EDGE = 1e-4
FEWEST = 30
"""Held-out outcomes below which no calibration error is stated."""
ENOUGH_FOR_A_CURVE = 2_000
BINS = 10
CENTRE = np.array([0.0, 1.0, 0.0, 0.0])
PENALTY = np.array([4.0, 10.0, 5.0, 5.0])
"""Drawn towards the chance of purchase as it stands by about ten outcomes' weight: a few taps move it little."""


@dataclass(frozen=True)
class Acceptance:
    """A logistic model of the purchase chance's logit, of whether the product is new to the customer and whether the
    web speaks for it (`weights`, in that order, after an intercept), and with many outcomes a monotone curve through
    what it says. `outcomes` counts what it was learnt from.
    """

    weights: tuple[float, float, float, float] = (0.0, 1.0, 0.0, 0.0)
    outcomes: int = 0
    curve: Calibration | None = None

    @property
    def learnt_nothing(self) -> bool:
        """Whether it leaves every chance as it is."""
        return self.weights == (0.0, 1.0, 0.0, 0.0) and self.curve is None

    def __call__(self, chance: NDArray[Any], is_new: Flags, web: Flags) -> NDArray[np.float64]:
        """The chance that a proposal with this chance of purchase is accepted; arrays of one length."""
        if self.learnt_nothing:
            return np.asarray(chance, np.float64)
        told = expit(self.weights @ features(chance, is_new, web))
        if self.curve is None:
            return told
        return np.interp(told, self.curve.score, self.curve.probability)

    def described(self) -> dict[str, Any]:
        """As kept among a version's parameters."""
        curve = None if self.curve is None else [self.curve.score.tolist(), self.curve.probability.tolist()]
        return {"weights": list(self.weights), "outcomes": self.outcomes, "curve": curve}

    @classmethod
    def of(cls, described: Mapping[str, Any] | None) -> "Acceptance":
        """From a version's parameters; a version without any leaves chances as they are."""
        if not described:
            return cls()
        intercept, slope, new, web = described["weights"]
        curve = described.get("curve")
        found = None if curve is None else Calibration(np.array(curve[0], np.float32), np.array(curve[1], np.float32))
        return cls((intercept, slope, new, web), described["outcomes"], found)


@dataclass(frozen=True)
class Answered:
    """Proposals that were put to customers, in order of time: the purchase `chance` stated when they were shown,
    whether the product was new to the customer, whether the web spoke for it, and whether it was `accepted`.

    `elsewhere` counts outcomes of another recommender's proposals, whose chance is not ours: proposals, accepted.
    """

    chance: Floats = field(default_factory=lambda: np.zeros(0, np.float32))
    is_new: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    web: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    accepted: Flags = field(default_factory=lambda: np.zeros(0, np.bool_))
    elsewhere: tuple[int, int] = (0, 0)

    def __len__(self) -> int:
        return len(self.chance)

    def part(self, place: slice) -> "Answered":
        """Some of them."""
        return Answered(self.chance[place], self.is_new[place], self.web[place], self.accepted[place], self.elsewhere)


def learn(answered: Answered, usual: Floats) -> Acceptance:
    """The model from outcomes; `usual` are the chances of what would be proposed today, for the level of outcomes of
    another recommender's proposals.
    """
    centre = CENTRE.copy()
    if answered.elsewhere[0] and len(usual):
        centre[0] = level_of(usual, answered.elsewhere)
    if not len(answered):
        return Acceptance(_four(centre), 0)
    x = features(answered.chance, answered.is_new, answered.web)
    weights = logistic(x.T, answered.accepted, centre, PENALTY)
    curve = None
    if len(answered) >= ENOUGH_FOR_A_CURVE:
        curve = Calibration.learnt(expit(weights @ x).astype(np.float32), answered.accepted)
    return Acceptance(_four(weights), len(answered), curve)


def judged(answered: Answered, usual: Floats) -> dict[str, Any]:
    """How well a model of the earlier four fifths foretells the latest fifth.

    Keys: outcomes, elsewhere, and where there are enough held_out, accepted (share), ece, ece_by_chance (what chances
    that are exactly right would show with so few) and reliability (n, stated, accepted, by rising stated chance).
    """
    held = len(answered) // 5
    counts = {"outcomes": len(answered), "elsewhere": answered.elsewhere[0]}
    if held < FEWEST:
        return counts
    early, late = answered.part(slice(None, -held)), answered.part(slice(-held, None))
    stated = learn(early, usual)(late.chance, late.is_new, late.web)
    table = [
        {
            "n": len(part),
            "stated": round(float(stated[part].mean()), 5),
            "accepted": round(float(late.accepted[part].mean()), 5),
        }
        for part in np.array_split(np.argsort(stated, kind="stable"), min(BINS, held))
    ]
    error = sum(row["n"] * abs(row["stated"] - row["accepted"]) for row in table) / held
    return counts | {
        "held_out": held,
        "accepted": round(float(late.accepted.mean()), 5),
        "ece": round(error, 5),
        "ece_by_chance": round(_by_chance(stated), 5),
        "reliability": table,
    }


def _by_chance(stated: NDArray[np.float64], draws: int = 100) -> float:
    """The calibration error of chances that are exactly right, from the scatter of the outcomes alone."""
    random = np.random.default_rng(0)
    ordered = np.sort(stated)
    errors = [
        sum(abs(float((part - (random.random(len(part)) < part)).sum())) for part in np.array_split(ordered, BINS))
        for _ in range(draws)
    ]
    return float(np.mean(errors)) / len(stated)


def level_of(usual: Floats, elsewhere: tuple[int, int]) -> float:
    """The shift of the logit at which today's proposals would be accepted as often as those of another recommender."""
    proposed, accepted = elsewhere
    rate = (accepted + 1.0) / (proposed + 2.0)
    logit = logit_of(usual)
    low, high = -12.0, 12.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if float(expit(logit + middle).mean()) < rate else (low, middle)
    return (low + high) / 2


def features(chance: NDArray[Any], is_new: Flags, web: Flags) -> NDArray[np.float64]:
    """4 × n: one, the logit of the chance, new, web."""
    return np.stack([np.ones(len(chance)), logit_of(chance), is_new.astype(np.float64), web.astype(np.float64)])


def logit_of(chance: NDArray[Any]) -> NDArray[np.float64]:
    """The logit of a chance kept away from nought and one."""
    inside = np.clip(np.asarray(chance, np.float64), EDGE, 1 - EDGE)
    return np.log(inside / (1 - inside))


def expit(told: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of the logit."""
    return 1 / (1 + np.exp(-np.clip(told, -30, 30)))


def _four(weights: NDArray[np.float64]) -> tuple[float, float, float, float]:
    intercept, slope, new, web = (round(float(weight), 6) for weight in weights)
    return intercept, slope, new, web
