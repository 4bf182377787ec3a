"""Google Secret Manager over real gRPC, as far as reading secrets goes: google.cloud.secretmanager.v1."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from google.cloud.secretmanager_v1.types import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    ListSecretsRequest,
    ListSecretsResponse,
    Secret,
    SecretPayload,
)

SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"
PROJECT = "audio-loop-test"


@dataclass
class SecretManager:
    """Secrets of one project by id; `forbidden` ones exist but may not be read, and `calls` is what was asked."""

    secrets: Mapping[str, str]
    forbidden: frozenset[str] = frozenset()
    calls: list[str] = field(default_factory=list)

    def access_secret_version(
        self, request: AccessSecretVersionRequest, context: grpc.ServicerContext
    ) -> AccessSecretVersionResponse:
        """The latest version of a secret."""
        self.calls.append(request.name)
        secret = request.name.removeprefix(f"projects/{PROJECT}/secrets/").removesuffix("/versions/latest")
        if secret in self.forbidden:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "Permission denied.")
        if secret not in self.secrets:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Secret [{request.name}] not found or has no versions.")
        return AccessSecretVersionResponse(name=request.name, payload=SecretPayload(data=self.secrets[secret].encode()))

    def list_secrets(self, request: ListSecretsRequest, _: grpc.ServicerContext) -> ListSecretsResponse:
        """Every secret of the project, on one page."""
        self.calls.append(request.parent)
        secrets = [Secret(name=f"{request.parent}/secrets/{secret}") for secret in self.secrets]
        return ListSecretsResponse(secrets=secrets, total_size=len(secrets))

    @property
    def accessed(self) -> list[str]:
        """The ids of the secrets that were asked for, in their order; a listing is there with its parent."""
        return [
            call.removeprefix(f"projects/{PROJECT}/secrets/").removesuffix("/versions/latest") for call in self.calls
        ]


@contextmanager
def serving(manager: SecretManager) -> Iterator[SecretManagerServiceClient]:
    """The official client of a server that has these secrets."""
    server = grpc.server(ThreadPoolExecutor(2))
    methods = {
        "AccessSecretVersion": _method(
            manager.access_secret_version, AccessSecretVersionRequest, AccessSecretVersionResponse
        ),
        "ListSecrets": _method(manager.list_secrets, ListSecretsRequest, ListSecretsResponse),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))
    finally:
        server.stop(grace=None).wait()


def _method(behaviour: Any, request: Any, response: Any) -> "grpc.RpcMethodHandler[Any, Any]":
    return grpc.unary_unary_rpc_method_handler(
        behaviour, request_deserializer=request.deserialize, response_serializer=response.serialize
    )
