"""Google's error answers: https://cloud.google.com/apis/design/errors, with the details of google/rpc/error_details."""

from typing import Any

SERVICE = "texttospeech.googleapis.com"
CONSUMER = "projects/000000000000"


class GoogleFault(Exception):
    """An error answer."""

    def __init__(self, code: int, status: str, message: str, *details: dict[str, Any]) -> None:
        super().__init__(message)
        self.code, self.status, self.message, self.details = code, status, message, details

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        return {"error": {**error, "details": list(self.details)} if self.details else error}


def invalid_argument(message: str) -> GoogleFault:
    """Something is wrong with the request. Text-to-Speech itself sends no details with it."""
    return GoogleFault(400, "INVALID_ARGUMENT", message)


def invalid_json(description: str) -> GoogleFault:
    """The body is not the JSON of the request."""
    message = f"Invalid JSON payload received. {description}"
    violations = [{"description": message}]
    return GoogleFault(400, "INVALID_ARGUMENT", message, _detail("BadRequest", fieldViolations=violations))


def unimplemented(message: str) -> GoogleFault:
    """Google does this; this server does not."""
    return GoogleFault(501, "UNIMPLEMENTED", message)


def not_found() -> GoogleFault:
    """There is no such method."""
    return GoogleFault(404, "NOT_FOUND", "Requested entity was not found.")


def unregistered_caller() -> GoogleFault:
    """The request brings no key."""
    message = (
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other "
        "form of API consumer identity to call this API."
    )
    return GoogleFault(403, "PERMISSION_DENIED", message)


def invalid_key() -> GoogleFault:
    """Google knows no such key."""
    message = "API key not valid. Please pass a valid API key."
    return GoogleFault(400, "INVALID_ARGUMENT", message, _error_info("API_KEY_INVALID"))


def service_disabled() -> GoogleFault:
    """The project of the key has not enabled the API."""
    page = f"https://console.developers.google.com/apis/api/{SERVICE}/overview?project=000000000000"
    message = (
        "Cloud Text-to-Speech API has not been used in project 000000000000 before or it is disabled. Enable it by "
        f"visiting {page} then retry. If you enabled this API recently, wait a few minutes for the action to propagate "
        "to our systems and retry."
    )
    links = [{"description": "Google developers console API activation", "url": page}]
    details = (_error_info("SERVICE_DISABLED", consumer=CONSUMER), _detail("Help", links=links))
    return GoogleFault(403, "PERMISSION_DENIED", message, *details)


def quota_exceeded(retry_seconds: float) -> GoogleFault:
    """The project of the key has asked too often."""
    message = (
        "Quota exceeded for quota metric 'All requests' and limit 'All requests per minute' of service "
        f"'{SERVICE}' for consumer 'project_number:000000000000'."
    )
    details = (
        _error_info("RATE_LIMIT_EXCEEDED", consumer=CONSUMER, quota_limit="RequestsPerMinutePerProject"),
        _detail("RetryInfo", retryDelay=f"{retry_seconds:.9f}".rstrip("0").rstrip(".") + "s"),
    )
    return GoogleFault(429, "RESOURCE_EXHAUSTED", message, *details)


def unavailable() -> GoogleFault:
    """Google has a bad moment."""
    return GoogleFault(503, "UNAVAILABLE", "The service is currently unavailable.")


def _error_info(reason: str, **metadata: str) -> dict[str, Any]:
    return _detail("ErrorInfo", reason=reason, domain="googleapis.com", metadata={"service": SERVICE, **metadata})


def _detail(name: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/google.rpc.{name}", **fields}
