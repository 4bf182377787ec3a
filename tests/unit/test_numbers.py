"""Numbers in bodies: JSON does not tell 1 from 1.0, and nothing but a number is one."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.dto.jobs import GenerateRebuildJobRequest


@pytest.mark.parametrize("sent", [60, 60.0])
def test_a_number_without_a_fraction_is_whole(sent: float) -> None:
    timeout = GenerateRebuildJobRequest.model_validate({"timeout_sec": sent}).timeout_sec
    assert timeout == 60
    assert isinstance(timeout, int)


@pytest.mark.parametrize("sent", [60.5, "60", True, [60], float("inf"), float("nan"), 1e300, 0, 0.0, 86401])
def test_what_is_no_whole_number_or_out_of_bounds_is_refused(sent: Any) -> None:
    with pytest.raises(ValidationError):
        GenerateRebuildJobRequest.model_validate({"timeout_sec": sent})
