"""Verifies V4 signed URLs as Google does.

The protocol: https://cloud.google.com/storage/docs/authentication/signatures and
https://cloud.google.com/storage/docs/authentication/canonical-requests. The refusals are those that Google's service
is seen to answer; it looks at the expiry before the signature.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from werkzeug.datastructures import Headers

from infra.local.storage.errors import (
    ClockSkew,
    ExpiredToken,
    Forbidden,
    InvalidRequest,
    MalformedHeader,
    SignatureMismatch,
    UnknownAccessId,
)

ALGORITHM = "GOOG4-HMAC-SHA256"
MAX_LIFETIME_SECONDS = 7 * 24 * 60 * 60
MAX_CLOCK_SKEW = timedelta(minutes=15)
SIGNATURE = "X-Goog-Signature"
PARAMETERS = {
    "X-Goog-Algorithm",
    "X-Goog-Credential",
    "X-Goog-Date",
    "X-Goog-Expires",
    "X-Goog-SignedHeaders",
    SIGNATURE,
}


@dataclass(frozen=True)
class SignedRequest:
    """What a signature is about: `bucket` and `name` are decoded, `query` is as it was sent."""

    method: str
    bucket: str
    name: str
    query: str
    headers: Headers


@dataclass(frozen=True)
class Credential:
    """Who signed, and for what: `access_id/YYYYMMDD/location/storage/goog4_request`."""

    access_id: str
    day: str
    location: str

    @classmethod
    def parse(cls, text: str) -> "Credential":
        """Raises InvalidRequest."""
        match text.split("/"):
            case [access_id, day, location, "storage", "goog4_request"]:
                return cls(access_id, day, location)
        raise InvalidRequest(details=f"Malformed X-Goog-Credential: {text}")

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.location}/storage/goog4_request"

    def key(self, secret: str) -> bytes:
        """The signing key that is derived from the secret for this scope."""
        key = f"GOOG4{secret}".encode()
        for part in self.scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return key


def verify(request: SignedRequest, hmac_keys: Mapping[str, str], now: datetime) -> None:
    """Returns if a key of `hmac_keys` (secrets by access id) signed this very request and it is valid now.

    Raises Forbidden without a signature, else InvalidRequest, MalformedHeader, ExpiredToken, ClockSkew,
    UnknownAccessId or SignatureMismatch.
    """
    parameters = _parse_parameters(request.query)
    credential = Credential.parse(parameters["X-Goog-Credential"])
    _check_time(parameters, credential, now)
    signed_headers = _signed_headers(parameters["X-Goog-SignedHeaders"], request.headers)
    if credential.access_id not in hmac_keys:
        raise UnknownAccessId
    canonical_request = _canonical_request(request, parameters, signed_headers)
    digest = hashlib.sha256(canonical_request.encode()).hexdigest()
    string_to_sign = f"{ALGORITHM}\n{parameters['X-Goog-Date']}\n{credential.scope}\n{digest}"
    signature = hmac.new(credential.key(hmac_keys[credential.access_id]), string_to_sign.encode(), "sha256").hexdigest()
    if not hmac.compare_digest(signature.encode(), parameters[SIGNATURE].encode()):
        raise _mismatch(string_to_sign, canonical_request)


def _parse_parameters(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
    except ValueError:
        raise InvalidRequest(details="Malformed query string.") from None
    parameters = dict(pairs)
    if SIGNATURE not in parameters:
        raise Forbidden(
            details="Anonymous caller does not have storage.objects.get access to the Google Cloud Storage object."
        )
    if len(parameters) != len(pairs):
        raise InvalidRequest(details="A query parameter is repeated.")
    if missing := PARAMETERS - parameters.keys():
        raise InvalidRequest(details=f"Missing {', '.join(sorted(missing))}.")
    if parameters["X-Goog-Algorithm"] != ALGORITHM:
        raise InvalidRequest(details=f"X-Goog-Algorithm is not {ALGORITHM}.")
    return parameters


def _check_time(parameters: Mapping[str, str], credential: Credential, now: datetime) -> None:
    start = _parse_time(parameters["X-Goog-Date"])
    if credential.day != parameters["X-Goog-Date"][:8]:
        raise InvalidRequest(details="X-Goog-Credential and X-Goog-Date are of different days.")
    end = start + _parse_lifetime(parameters["X-Goog-Expires"])
    if now > end:
        raise ExpiredToken(
            details=f"The provided token has expired. Request signature expired at: {end.isoformat(timespec='seconds')}"
        )
    if now < start - MAX_CLOCK_SKEW:
        raise ClockSkew


def _parse_time(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidRequest(details=f"Malformed X-Goog-Date: {text}") from None


def _parse_lifetime(text: str) -> timedelta:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MAX_LIFETIME_SECONDS:
        raise InvalidRequest(details=f"X-Goog-Expires must be between 1 and {MAX_LIFETIME_SECONDS} seconds.")
    return timedelta(seconds=int(text))


def _signed_headers(names: str, headers: Headers) -> dict[str, str]:
    """The signed headers by name, in the order of X-Goog-SignedHeaders; raises MalformedHeader."""
    signed = names.split(";")
    if "host" not in signed:
        raise MalformedHeader(details="Your request has a malformed header. Host header not signed.")
    for name in signed:
        if name not in headers:
            details = "Header was included in signedheaders, but not in the request."
            raise MalformedHeader(details=details, ParameterName=name)
    return {name: ",".join(" ".join(value.split()) for value in headers.getlist(name)) for name in signed}


def _canonical_request(request: SignedRequest, parameters: Mapping[str, str], headers: Mapping[str, str]) -> str:
    path = f"/{quote(request.bucket)}/{quote(request.name)}"
    query = "&".join(
        f"{quote(name, safe='')}={quote(value, safe='')}"
        for name, value in sorted(parameters.items())
        if name != SIGNATURE
    )
    header_lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    payload = headers.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD")
    return "\n".join([request.method, path, query, header_lines, ";".join(headers), payload])


def _mismatch(string_to_sign: str, canonical_request: str) -> SignatureMismatch:
    """With both strings, as Google tells them, so that a signer can be put right."""
    details = (
        "The request signature we calculated does not match the signature you provided."
        " Check your Google secret key and signing method."
    )
    return SignatureMismatch(details=details, StringToSign=string_to_sign, CanonicalRequest=canonical_request)
