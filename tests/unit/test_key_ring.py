"""The key ring: what it encrypts opens for its owner only, also after the ring was turned."""

import base64
import os
import re
from uuid import UUID

import pytest
from pydantic import SecretStr

from shared.config import KeyRingSettings, SettingsError
from shared.errors import AppError
from shared.services.key_ring import NONCE_BYTES, KeyRing

USER = UUID("5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b11")
STRANGER = UUID("5f3c1a52-3a1f-4c52-9d8f-0a8a4f0c2b12")
KEY = "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"
OLD = f"k1:{base64.b64encode(bytes(range(32))).decode()}"
NEW = f"k2:{base64.b64encode(bytes(range(32, 64))).decode()}"


def key_ring(entries: str, hashed_under: str = "a secret of fingerprints") -> KeyRing:
    settings = KeyRingSettings(key_ring=SecretStr(entries), key_fingerprint_secret=SecretStr(hashed_under))
    return KeyRing(settings)


@pytest.mark.parametrize("key", [KEY, "", "zażółć 🙂", "x" * 200], ids=lambda key: key[:10])
def test_a_key_comes_back_as_it_was(key: str) -> None:
    ring = key_ring(OLD)
    assert ring.decrypt(ring.encrypt(key, USER), USER) == key


def test_a_stored_key_says_which_ring_key_opens_it_and_does_not_show_the_key() -> None:
    stored = key_ring(OLD).encrypt(KEY, USER)
    assert stored.startswith(b"k1:")
    assert KEY.encode() not in stored
    assert len(stored) == len(b"k1:") + NONCE_BYTES + len(KEY) + 16


def test_a_key_is_never_stored_twice_alike() -> None:
    ring = key_ring(OLD)
    assert len({ring.encrypt(KEY, USER) for _ in range(100)}) == 100


def test_the_key_of_another_learner_does_not_open() -> None:
    ring = key_ring(OLD)
    with pytest.raises(AppError, match="does not open for this learner"):
        ring.decrypt(ring.encrypt(KEY, USER), STRANGER)


def test_a_key_that_was_tampered_with_does_not_open() -> None:
    ring = key_ring(OLD)
    stored = ring.encrypt(KEY, USER)
    for position in range(len("k1:"), len(stored)):
        tampered = bytearray(stored)
        tampered[position] ^= 1
        with pytest.raises(AppError, match="does not open"):
            ring.decrypt(bytes(tampered), USER)


def test_a_key_that_was_cut_short_does_not_open() -> None:
    ring = key_ring(OLD)
    stored = ring.encrypt(KEY, USER)
    for length in range(len(stored)):
        with pytest.raises(AppError):
            ring.decrypt(stored[:length], USER)


@pytest.mark.parametrize("garbage", [b"", b":", b"k1", b"k1:", b"\xff\xfe:abc", os.urandom(60)], ids=repr)
def test_what_is_no_stored_key_does_not_open(garbage: bytes) -> None:
    with pytest.raises(AppError):
        key_ring(OLD).decrypt(garbage, USER)


def test_a_failure_does_not_show_the_key() -> None:
    ring = key_ring(OLD)
    with pytest.raises(AppError) as failure:
        ring.decrypt(ring.encrypt(KEY, USER), STRANGER)
    assert KEY not in str(failure.value)
    assert failure.value.details == {}


def test_an_older_ring_key_still_decrypts() -> None:
    stored = key_ring(OLD).encrypt(KEY, USER)
    assert key_ring(f"{NEW},{OLD}").decrypt(stored, USER) == KEY


def test_the_first_ring_key_encrypts() -> None:
    assert key_ring(f"{NEW},{OLD}").encrypt(KEY, USER).startswith(b"k2:")


def test_a_key_is_current_while_the_first_ring_key_encrypted_it() -> None:
    stored = key_ring(OLD).encrypt(KEY, USER)
    assert key_ring(f"{OLD},{NEW}").is_current(stored)
    assert not key_ring(f"{NEW},{OLD}").is_current(stored)


def test_a_ring_key_whose_id_begins_alike_is_another() -> None:
    stored = key_ring(OLD.replace("k1:", "k10:")).encrypt(KEY, USER)
    assert not key_ring(OLD).is_current(stored)


def test_a_key_whose_ring_key_is_gone_does_not_open() -> None:
    stored = key_ring(OLD).encrypt(KEY, USER)
    with pytest.raises(AppError, match="not on the key ring any more"):
        key_ring(NEW).decrypt(stored, USER)


def test_a_ring_key_of_the_same_id_and_another_value_does_not_open() -> None:
    stored = key_ring(OLD).encrypt(KEY, USER)
    with pytest.raises(AppError, match="does not open"):
        key_ring(NEW.replace("k2:", "k1:")).decrypt(stored, USER)


def test_spaces_around_entries_do_not_matter() -> None:
    stored = key_ring(f" {NEW} ,\n{OLD}\n").encrypt(KEY, USER)
    assert key_ring(NEW).decrypt(stored, USER) == KEY


@pytest.mark.parametrize(
    "entries",
    [
        "swordfish-swordfish-swordfish",
        f"{OLD},",
        f"{OLD},{OLD}",
        f"{OLD},{NEW.replace('k2:', 'k1:')}",
        OLD.removeprefix("k1"),
        OLD.replace(":", "="),
        f"{OLD}!",
        OLD[:-4],
        "k1:swordfish-swordfish-swordfish",
        f"k1:{base64.b64encode(b'swordfish' * 2).decode()}",
        f"k1:{base64.b64encode(bytes(16)).decode()}",
        f"k1:{base64.b64encode(bytes(33)).decode()}",
        f"k1:{base64.urlsafe_b64encode(bytes([255] * 32)).decode()}",
        "k1:ża\u0142ość-ża\u0142ość-ża\u0142ość",
    ],
)
def test_a_malformed_key_ring_is_refused_and_not_shown(entries: str) -> None:
    with pytest.raises(SettingsError, match="KEY_RING") as refusal:
        key_ring(entries)
    shown = str(refusal.value)
    assert not any(part in shown for part in entries.replace("k1:", ",").split(",") if part)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


def test_a_fingerprint_is_16_digits_of_a_keyed_hash() -> None:
    fingerprint = key_ring(OLD).fingerprint(KEY)
    assert re.fullmatch(r"SHA256:[0-9a-f]{16}", fingerprint)
    assert fingerprint == f"SHA256:{key_ring(OLD).hmac(KEY).hex()[:16]}"


def test_a_key_has_the_same_fingerprint_whatever_ring_key_encrypts() -> None:
    assert key_ring(OLD).fingerprint(KEY) == key_ring(NEW).fingerprint(KEY)


def test_two_keys_have_two_fingerprints() -> None:
    assert key_ring(OLD).fingerprint(KEY) != key_ring(OLD).fingerprint(KEY + "x")


def test_under_another_secret_a_key_has_another_fingerprint() -> None:
    other = key_ring(OLD, "another secret of fingerprints")
    assert other.fingerprint(KEY) != key_ring(OLD).fingerprint(KEY)
    assert other.hmac(KEY) != key_ring(OLD).hmac(KEY)


def test_an_hmac_has_32_bytes() -> None:
    assert len(key_ring(OLD).hmac(KEY)) == 32
