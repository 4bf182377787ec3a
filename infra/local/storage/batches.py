"""Several requests of the JSON API in one: https://cloud.google.com/storage/docs/batch"""

from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import urlsplit
from uuid import uuid4

from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from infra.local.storage.errors import InvalidRequest, StorageError, json_error
from infra.local.storage.json_api import JsonApi

MAX_REQUESTS = 100


def answer_batch(api: JsonApi, request: Request) -> Response:
    """A multipart/mixed answer with the answer to each part of the request, in their order."""
    try:
        parts = _parse(request)
        answers = [(part.get("Content-ID", ""), _answer_part(api, part)) for part in parts]
    except StorageError as error:
        return json_error(error)
    boundary = f"batch_{uuid4().hex}"
    body = "".join(f"--{boundary}\r\n{_format(content_id, answer)}\r\n" for content_id, answer in answers)
    return Response(f"{body}--{boundary}--\r\n", content_type=f"multipart/mixed; boundary={boundary}")


def _parse(request: Request) -> list[Message]:
    head = f"Content-Type: {request.content_type}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.get_data())
    if not message.is_multipart():
        raise InvalidRequest("Failed to parse batch request.")
    parts = [part for part in message.get_payload() if isinstance(part, Message)]
    if not 0 < len(parts) <= MAX_REQUESTS:
        raise InvalidRequest(f"A batch has 1 to {MAX_REQUESTS} requests.")
    return parts


def _answer_part(api: JsonApi, part: Message) -> Response:
    """The answer to the HTTP request in a part; uploads and downloads are not taken. Raises InvalidRequest."""
    payload = part.get_payload(decode=True)
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    match head.split("\n", 1)[0].split(" "):
        case [method, target, _]:
            address = urlsplit(target)
        case _:
            raise InvalidRequest("Failed to parse batch request.")
    if not address.path.startswith("/storage/v1/") or "alt=media" in address.query.split("&"):
        raise InvalidRequest("A batch has neither uploads nor downloads.")
    environ = EnvironBuilder(method=method, path="/", query_string=address.query, data=body.strip()).get_environ()
    return api.answer(Request(environ), address.path)


def _format(content_id: str, answer: Response) -> str:
    data = answer.get_data(as_text=True)
    return (
        "Content-Type: application/http\r\n"
        f"Content-ID: <response-{content_id.strip('<>')}>\r\n\r\n"
        f"HTTP/1.1 {answer.status}\r\n"
        f"Content-Type: {answer.content_type}\r\n"
        f"Content-Length: {len(data.encode())}\r\n\r\n{data}"
    )
