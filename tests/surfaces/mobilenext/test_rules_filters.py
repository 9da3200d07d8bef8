from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionary.surfaces.mobilenext import rules
from sessionary.surfaces.mobilenext.models import DeviceRow

PHONE = DeviceRow(
    serial="s",
    platform="ios",
    type="real",
    name="iPhone 16 Pro",
    version="18.6.2",
    provision_seconds=0,
    is_default=0,
    is_retired=0,
    is_allocated=0,
)


def holds(attribute: str, operator: str, value: str, device: DeviceRow = PHONE) -> bool:
    return rules.is_match(device, [{"attribute": attribute, "operator": operator, "value": value}])


@pytest.mark.parametrize(
    ("attribute", "operator", "value", "expected"),
    [
        ("platform", "EQUALS", "ios", True),
        ("platform", "EQUALS", "IOS", True),
        ("platform", "EQUALS", "android", False),
        ("type", "EQUALS", "Real", True),
        ("type", "EQUALS", "rea", False),
        ("name", "EQUALS", "iphone 16 pro", True),
        ("name", "EQUALS", "iPhone 16", False),
        ("name", "STARTS_WITH", "IPHONE", True),
        ("name", "STARTS_WITH", "16", False),
        ("name", "CONTAINS", "16 PRO", True),
        ("name", "CONTAINS", "17", False),
        ("name", "CONTAINS", "", True),
        ("version", "STARTS_WITH", "18.6", True),
        ("version", "CONTAINS", "6.2", True),
        ("version", "STARTS_WITH", "8", False),
    ],
)
def test_text_ignores_case(attribute: str, operator: str, value: str, expected: bool) -> None:
    assert holds(attribute, operator, value) is expected


@pytest.mark.parametrize(
    ("version", "order"),
    [
        ("18", 1),
        ("18.6", 1),
        ("18.6.1", 1),
        ("9", 1),
        ("18.6.2", 0),
        ("18.6.2.0.0", 0),
        ("018.06.2", 0),
        ("18.6.2.0.1", -1),
        ("18.6.10", -1),
        ("18.10", -1),
        ("26", -1),
    ],
)
def test_versions_compare_by_number_and_missing_parts_are_zero(version: str, order: int) -> None:
    expected = {
        "EQUALS": order == 0,
        "GREATER_THAN": order > 0,
        "GREATER_THAN_OR_EQUALS": order >= 0,
        "LESS_THAN": order < 0,
        "LESS_THAN_OR_EQUALS": order <= 0,
    }
    assert {operator: holds("version", operator, version) for operator in expected} == expected


@pytest.mark.parametrize("version", ["18.", "eighteen", "", "18.6.2 ", "١٨", "18,6", "-18"])
def test_a_value_that_is_not_a_version_matches_no_device(version: str) -> None:
    assert not holds("version", "EQUALS", version)
    assert not rules.is_version(version)


def test_every_filter_must_hold() -> None:
    fits = [
        {"attribute": "platform", "operator": "EQUALS", "value": "ios"},
        {"attribute": "version", "operator": "GREATER_THAN", "value": "18"},
    ]
    assert rules.is_match(PHONE, fits)
    for attribute, value in (("name", "Pixel"), ("type", "simulator")):
        fails = {"attribute": attribute, "operator": "EQUALS", "value": value}
        assert not rules.is_match(PHONE, [*fits, fails])
        assert not rules.is_match(PHONE, [fails, *fits])


versions = st.lists(st.integers(0, 40), min_size=1, max_size=5).map(
    lambda numbers: ".".join(map(str, numbers))
)


@given(versions, versions)
def test_of_two_versions_exactly_one_is_less_or_they_are_equal(one: str, other: str) -> None:
    device = PHONE._replace(version=one)
    results = [
        holds("version", name, other, device) for name in ("LESS_THAN", "EQUALS", "GREATER_THAN")
    ]
    assert results.count(True) == 1
    assert holds("version", "LESS_THAN_OR_EQUALS", other, device) is (results[0] or results[1])
    assert holds("version", "GREATER_THAN_OR_EQUALS", other, device) is (results[1] or results[2])


def test_every_attribute_and_operator_works_on_every_device() -> None:
    for attribute, operator in product(rules.ATTRIBUTES, ("EQUALS", "STARTS_WITH", "CONTAINS")):
        assert holds(attribute, operator, getattr(PHONE, attribute)) is True
