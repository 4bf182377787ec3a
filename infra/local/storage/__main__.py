"""The storage server as a process; the secret of the HMAC key comes in LOCAL_STORAGE_HMAC_SECRET."""

import argparse
import logging
import os
from pathlib import Path

from infra.local.process import announce, serve_wsgi
from infra.local.storage.app import StorageApp

THREADS = 16
SECRET_VARIABLE = "LOCAL_STORAGE_HMAC_SECRET"


def main() -> None:
    """Serve until the parent ends."""
    arguments = _parse_arguments()
    logging.basicConfig(level=logging.INFO)
    app = StorageApp(
        root=arguments.root,
        buckets=[arguments.bucket],
        hmac_keys={arguments.hmac_key: os.environ[SECRET_VARIABLE]},
        cors_origins=arguments.cors,
    )
    serve_wsgi(app, arguments.port, THREADS, lambda url: announce(url=url))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.storage", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="where buckets are kept")
    parser.add_argument("--bucket", required=True, help="a bucket that is there from the start")
    parser.add_argument("--hmac-key", required=True, metavar="ACCESS_ID", help="who may sign URLs")
    parser.add_argument("--cors", nargs="+", default=[], metavar="ORIGIN", help="origins of the web app")
    parser.add_argument("--port", type=int, default=0, help="0 for any free port")
    arguments = parser.parse_args()
    if not os.environ.get(SECRET_VARIABLE):
        parser.error(f"{SECRET_VARIABLE} is not set")
    return arguments


if __name__ == "__main__":
    main()
