"""Employee satisfaction worked by hand."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from kpis.survey_cases import answer, compute, figure, frame, reason
from loyalty_kpis.employees import employee_satisfaction
from tiny_client import row

INVITED = pd.DataFrame({"invited_on": [pd.Timestamp("2024-05-01")], "invited": [100]})
FORTY = [10] * 20 + [7] * 10 + [3] * 10


def staff(*scores: float) -> pd.DataFrame:
    return frame(list(scores), "ENPS", "0-10")


def test_enps_of_forty_among_a_hundred() -> None:
    """20 and 10 of 40: 25. Adjusted: 20.75/43 - 10.75/43 = 0.232558, error sqrt((31.5/43 - 0.054083) / 43) = 0.125613:
    -0.013639 to 0.478755. 40 of 100 were heard: sqrt(60/99) = 0.778499 of the way from 0.25 to either end.
    """
    found = employee_satisfaction(staff(*FORTY), INVITED)
    assert (found.value, found.n, found.status) == (25, 40, "ok")
    assert (found.low, found.high) == pytest.approx((100 * 0.044757, 100 * 0.428086), abs=2e-3)
    alone = employee_satisfaction(staff(*FORTY), INVITED.iloc[:0])
    assert (alone.low, alone.high) == pytest.approx((-1.3639, 47.8755), abs=2e-3)


def test_everybody_heard_is_no_sample() -> None:
    found = employee_satisfaction(staff(*FORTY), INVITED.assign(invited=40))
    assert (found.low, found.high) == (25, 25)


@pytest.mark.parametrize(("n", "status"), [(9, "low_n"), (10, "low_n"), (29, "low_n"), (30, "ok")])
def test_staff_are_few_and_could_be_known_again(n: int, status: str) -> None:
    found = employee_satisfaction(staff(*[10] * n), INVITED)
    assert found.status == status
    if n < 10:
        assert (found.value, found.n, json.loads(found.reason)) == (
            None,
            None,
            {"id": "reason.privacy", "minimum": 10},
        )
    else:
        assert found.value == 100


def test_job_satisfaction() -> None:
    """6 of 10 say 4 or 5; with nine answers it is withheld; without eNPS it stands alone."""
    jobs = frame([5] * 6 + [3] * 4, "JOB_SAT")
    found = employee_satisfaction(jobs, INVITED)
    assert (found.value, found.status) == (None, "undefined")
    content = found.parts["variant"]["job_satisfaction"]
    assert (content.value, content.unit, content.status) == (0.6, "percent", "low_n")
    few = employee_satisfaction(jobs.iloc[:9], INVITED).parts["variant"]["job_satisfaction"]
    assert (few.value, few.n, few.status) == (None, None, "low_n")


def test_employees_of_a_client() -> None:
    """12 anonymous employees: 9 tens, 3 zeros: 50. 24 were asked in the year, 8 customers and the year before do not
    count; a customer's answer does not either.
    """
    answers = [answer(None, "ENPS", 10, scale=(0, 10), respondent_type="employee") for _ in range(9)]
    answers += [answer(None, "ENPS", 0, scale=(0, 10), respondent_type="employee") for _ in range(3)]
    answers.append(answer("ann", "ENPS", 0, scale=(0, 10)))
    sent = [
        {"invitation_id": f"i{i}", "respondent_type": kind, "sent_at": f"{day} 09:00:00"}
        for i, (kind, day) in enumerate(
            [("employee", "2024-04-01")] * 24 + [("customer", "2024-04-01")] * 8 + [("employee", "2023-04-01")] * 5
        )
    ]
    results = compute("employee_satisfaction", *answers, survey_invitations=sent)
    found = row(results, "employee_satisfaction")
    assert figure(results, "employee_satisfaction") == (50, 12, "low_n")
    assert reason(results, "employee_satisfaction") == {"id": "reason.too_few_cases", "n": 12, "minimum": 30}
    assert found["family"] == "governance"
    plain = employee_satisfaction(staff(*[10] * 9, *[0] * 3), INVITED.iloc[:0])
    assert found["high"] - 50 == pytest.approx((12 / 23) ** 0.5 * (plain.high - 50))
