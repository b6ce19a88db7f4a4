"""The sentences: why this product for this customer, and what a clerk may say, in Japanese and English.

A key is a ground (candidate_set.GROUNDS), with a variant after a slash where the facts differ. In braces stand facts
of the evidence. Each sentence claims no more than its facts: without a name it names nothing.
"""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, dict[str, str]]] = {
    "ja": {
        "bought_before/due": "前回のご購入から{days}日。そろそろ補充の時期です",
        "bought_before/often": "これまでに{times}回お買い上げです(前回は{days_ago})",
        "bought_before/often_today": "これまでに{times}回お買い上げです(前回は本日)",
        "bought_before/once": "{when}お買い上げいただいた商品です",
        "bought_before/today": "本日お買い上げいただいた商品です",
        "bought_before": "以前お買い上げいただいた商品です",
        "bought_with": "『{name}』をお買い上げの方がよく一緒に選ばれています",
        "neighbours": "『{name}』などをお求めの、お好みの近いお客様に選ばれています",
        "neighbours/nameless": "お買い物の傾向が近いお客様に選ばれています",
        "viewed": "{when}ウェブでご覧になった『{name}』の関連商品です",
        "viewed/undated": "ウェブでご覧になった『{name}』の関連商品です",
        "viewed_itself": "{when}ウェブでご覧になった商品です",
        "viewed_itself/undated": "ウェブでご覧になっていた商品です",
        "searched": "{when}ウェブでお探しになった商品です",
        "carted": "{when}ウェブのカートにお入れになった商品です",
        "favorited": "{when}お気に入りに登録された商品です",
        "similar_name": "お買い上げの『{name}』によく似た商品です",
        "category": "お買い上げの『{name}』と同じ「{category}」の商品です",
        "category/nameless": "よくお求めの分野の商品です",
        "in_hand": "『{name}』と一緒によく選ばれています",
        "seen_with": "『{name}』と一緒によく見られています",
        "popular_here": "この店でよく選ばれている商品です",
        "popular": "多くのお客様に選ばれている商品です",
        "focus": "ただいまおすすめしている商品です",
        "none": "これまでのお買い物の傾向に合う商品です",
    },
    "en": {
        "bought_before/due": "Last bought {days} days ago; about time to restock",
        "bought_before/often": "Bought {times} times so far, last {days_ago}",
        "bought_before/often_today": "Bought {times} times so far, last today",
        "bought_before/once": "Bought {when}",
        "bought_before/today": "Bought today",
        "bought_before": "Bought before",
        "bought_with": "Customers who buy “{name}” often choose this too",
        "neighbours": "Chosen by customers with similar tastes, who also buy “{name}”",
        "neighbours/nameless": "Chosen by customers with a similar shopping pattern",
        "viewed": "Goes with “{name}”, viewed on the web {when}",
        "viewed/undated": "Goes with “{name}”, viewed on the web",
        "viewed_itself": "Viewed on the web {when}",
        "viewed_itself/undated": "Viewed on the web",
        "searched": "Searched for on the web {when}",
        "carted": "Put into the web cart {when}",
        "favorited": "Marked as a favourite {when}",
        "similar_name": "Much like “{name}”, bought before",
        "category": "In the same category as “{name}”: {category}",
        "category/nameless": "From a category often bought",
        "in_hand": "Often chosen together with “{name}”",
        "seen_with": "Often looked at together with “{name}”",
        "popular_here": "A favourite of this store",
        "popular": "Chosen by many customers",
        "focus": "Featured at the moment",
        "none": "Fits what was bought so far",
    },
}

TALK: Final[dict[str, dict[str, str]]] = {
    "ja": {
        "bought_before/due": "いつもの商品、そろそろ切れる頃ではございませんか",
        "bought_before/often": "何度かお買い上げいただいている商品です。本日もいかがでしょうか",
        "bought_before": "以前お求めの商品です。その後いかがでしたか",
        "bought_with": "こちらもご一緒にいかがでしょうか",
        "neighbours": "お好みに合いそうな商品がございます。ご覧になりませんか",
        "viewed": "気になっていらしたものと近い商品を、実物でご覧いただけます",
        "viewed_itself": "こちら、実物をご覧になりませんか",
        "searched": "お探しの商品、こちらにございます",
        "carted": "カートの商品、店頭でもお確かめいただけます",
        "favorited": "お気に入りの商品、店頭でお試しいただけます",
        "similar_name": "いつもの商品とお比べになりませんか",
        "category": "お好きな分野の、ほかの商品もお試しになりませんか",
        "in_hand": "ご一緒にお求めになる方が多い商品です",
        "seen_with": "あわせてご覧になる方が多い商品です",
        "popular_here": "当店でご好評をいただいている商品です",
        "popular": "多くのお客様にご好評をいただいています",
        "focus": "ただいまおすすめしております。お試しになりませんか",
        "none": "お好みに合いそうな商品がございます",
    },
    "en": {
        "bought_before/due": "Might you be running low on your usual one?",
        "bought_before/often": "You have had this a few times. Would you like it today?",
        "bought_before": "You had this one before. How did you find it?",
        "bought_with": "Would you like to have a look at this one too?",
        "neighbours": "I think this may be to your taste. Would you like to see it?",
        "viewed": "You can see something close to what you were looking at right here.",
        "viewed_itself": "Would you like to see it here in person?",
        "searched": "What you were looking for is right here.",
        "carted": "You can take a look at what is in your cart here in the store.",
        "favorited": "You can try your favourite here in the store.",
        "similar_name": "Would you like to compare it with your usual one?",
        "category": "Would you like to try something else of that kind?",
        "in_hand": "Many customers take these together.",
        "seen_with": "Many customers look at these together.",
        "popular_here": "This is a favourite in our store.",
        "popular": "Many of our customers like this one.",
        "focus": "We are featuring this now. Would you like to try it?",
        "none": "I think this may be to your taste.",
    },
}

WHEN: Final[dict[str, tuple[str, str, str, str]]] = {
    "ja": ("本日", "昨日", "{days}日前に", "約{months}か月前に"),
    "en": ("today", "yesterday", "{days} days ago", "about {months} months ago"),
}
"""As an adverb: today, yesterday, within two months, before that."""
