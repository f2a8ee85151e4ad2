"""What a report keeps of its packs' words: the sentences that its figures are said in."""

from __future__ import annotations

import json

import pandas as pd

from kpibook.glossary import spoken

SENTENCE = "{n} answers came without a ticket."


def test_a_sentence_within_a_reason_may_begin_with_a_placeholder():
    reason = json.dumps({"id": "reason.noted", "note": json.dumps({"text": SENTENCE, "n": 3}), "why": SENTENCE})
    card = pd.DataFrame({"segment_by": ["total"], "segment": ["total"], "reason": [reason]})
    known = {SENTENCE: "{n} Antworten kamen ohne Ticket.", "never said": "nie gesagt"}
    assert spoken(known, card, {}) == {SENTENCE: "{n} Antworten kamen ohne Ticket."}
