"""The workers in one process, on an address of their own: `python -m infra.local.workers --port 0`."""

import argparse

from infra.local.functions import workers_app
from infra.local.process import announce, serve_wsgi

THREADS = 8


def main() -> None:
    """Serve until the parent ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    serve_wsgi(workers_app(), arguments.port, THREADS, lambda url: announce(url=url))


if __name__ == "__main__":
    main()
