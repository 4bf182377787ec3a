"""The server as a process: `python -m infra.local.cloud_tasks_v2 --queue '{"name": "projects/.../queues/..."}'`."""

import argparse
import json
import logging

from infra.local.cloud_tasks_v2.server import CloudTasksServer
from infra.local.process import announce, stop_with_parent


def main() -> None:
    """Serve until the parent ends."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.cloud_tasks_v2", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--certs-port", type=int, default=0)
    parser.add_argument(
        "--queue", action="append", type=json.loads, default=[], metavar="JSON", help="a queue to begin with"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    server = CloudTasksServer(arguments.queue, port=arguments.port, certs_port=arguments.certs_port)
    stop_with_parent()
    announce(address=server.address, jwks_url=server.jwks_url)
    server.wait()


if __name__ == "__main__":
    main()
