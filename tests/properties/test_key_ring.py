"""Stored keys: they open for their owner, untouched, while their ring key is there, and in no other case."""

import base64
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr

from shared.config import KeyRingSettings
from shared.errors import AppError
from shared.services.key_ring import KeyRing
from tests.properties.texts import TEXTS

RING_KEYS = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=4, unique=True)
ONE_KEY = bytes(range(32))


def key_ring(*keys: bytes, newest: int = 0) -> KeyRing:
    """A ring of these keys, the newest one first; each is named by its number."""
    order = sorted(range(len(keys)), key=lambda number: number != newest)
    entries = ",".join(f"k{number}:{base64.b64encode(keys[number]).decode()}" for number in order)
    secret = SecretStr("a secret of fingerprints")
    return KeyRing(KeyRingSettings(key_ring=SecretStr(entries), key_fingerprint_secret=secret))


@given(TEXTS, st.uuids(), RING_KEYS, st.data())
def test_a_key_opens_for_its_owner_whatever_ring_key_is_the_newest(
    key: str, owner: UUID, ring_keys: list[bytes], data: st.DataObject
) -> None:
    then, now = (data.draw(st.integers(0, len(ring_keys) - 1)) for _ in range(2))
    stored = key_ring(*ring_keys, newest=then).encrypt(key, owner)
    ring = key_ring(*ring_keys, newest=now)
    assert ring.decrypt(stored, owner) == key
    assert ring.is_current(stored) == (then == now)


@given(TEXTS, st.uuids(), st.uuids())
def test_a_key_opens_for_nobody_else(key: str, owner: UUID, stranger: UUID) -> None:
    assume(owner != stranger)
    ring = key_ring(ONE_KEY)
    with pytest.raises(AppError):
        ring.decrypt(ring.encrypt(key, owner), stranger)


@given(TEXTS, st.uuids(), st.data())
def test_a_key_that_was_changed_does_not_open(key: str, owner: UUID, data: st.DataObject) -> None:
    ring = key_ring(ONE_KEY)
    stored = ring.encrypt(key, owner)
    start = data.draw(st.integers(0, len(stored)))
    stop = data.draw(st.integers(start, min(len(stored), start + 8)))
    changed = stored[:start] + data.draw(st.binary(max_size=8)) + stored[stop:]
    assume(changed != stored)
    with pytest.raises(AppError):
        ring.decrypt(changed, owner)


@given(st.binary(max_size=80), st.uuids())
def test_bytes_that_somebody_made_up_do_not_open(stored: bytes, owner: UUID) -> None:
    for made_up in (stored, b"k0:" + stored):
        with pytest.raises(AppError):
            key_ring(ONE_KEY).decrypt(made_up, owner)
