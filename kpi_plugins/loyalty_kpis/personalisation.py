"""Individual treatment: contacts by one's own behaviour, suggestions taken up, discounts of one's own."""

from __future__ import annotations

from kpibook import kpi, ratio, share, variants


@kpi(
    unit="percent",
    better="higher",
    question="Do we treat people as customers or as an anonymous mass?",
    family="campaigns",
)
def personalised_treatment_rate(delivered_contacts, treated_persons):
    """Personalised treatment: delivered contacts of campaigns that are personalised and select by a rule on the
    customer's own data, out of all delivered contacts of the period.

    A first name alone does not count: without a target_rule a campaign is no individual treatment. The variant
    customers is the part of the active customers whom at least one such contact reached in the 365 days before the
    period's end, or as far as the data reach.
    """
    contacts = delivered_contacts
    return variants(
        share(contacts.by_own_behaviour, cluster=contacts.customer_id),
        customers=share(treated_persons.by_own_behaviour, cluster=treated_persons.customer_id),
    )


@kpi(unit="percent", better="higher", question="Do customers take up our suggestions?", family="campaigns")
def suggestion_acceptance_rate(suggestions, suggestions_and_others):
    """Accepted suggestions: suggestions whose product was bought and kept within 14 days, out of suggestions seen by
    identified persons in the period whose 14 days are over.

    Showings of a product to a person less than 14 days after one another are one suggestion. The variant not_shown is
    how many of the active customers never shown the same products bought them in the same days, more_than_not_shown
    the difference: who is shown what is not random, so it is an association.
    """
    rows = suggestions_and_others
    known, cluster = rows.rate.notnull(), rows.customer_id
    count, others = rows.count(where=known), rows.rate.fill_null(0.0) + rows.scatter
    return variants(
        share(suggestions.accepted, where=suggestions.over, cluster=suggestions.customer_id),
        not_shown=ratio(others.sum(), count, cluster=cluster),
        more_than_not_shown=ratio((known.ifelse(rows.accepted, 0) - others).sum(), count, cluster=cluster),
    )


@kpi(
    unit="percent",
    better="neutral",
    question="How much of discounting is individual, and does everybody get one?",
    family="campaigns",
)
def personalised_discount_share(receipts, personal_discount_lines, treated_persons):
    """Personalised discount share: personal discounts, out of all discounts (general, loyalty and personal) on the
    purchases of the period, returns netted into the original purchase.

    The variant depth is the personal discount out of the shelf value of the lines that carry one; customers is the
    part of the active customers whom an individual offer reached, both in the 365 days before the period's end or as
    far as the data reach. Prices set
    by automated profiling must be announced to the buyer: Directive 2011/83/EU, article 6(1)(ea).
    """
    given = receipts.general_discount + receipts.loyalty_discount + receipts.personal_discount
    bought, lines = receipts.is_purchase, personal_discount_lines
    return variants(
        ratio(receipts.personal_discount.sum(where=bought), given.sum(where=bought), cluster=receipts.customer_id),
        depth=ratio(lines.personal_discount.sum(), lines.gross_amount.sum(), cluster=lines.customer_id),
        customers=share(treated_persons.has_personal_offer, cluster=treated_persons.customer_id),
    )


DEFINITIONS = (personalised_treatment_rate, suggestion_acceptance_rate, personalised_discount_share)
