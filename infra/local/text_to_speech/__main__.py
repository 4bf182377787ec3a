"""The Text-to-Speech server as a process; LOCAL_TTS_... in the environment say how slow and how faulty it is."""

import argparse
import logging

from infra.local.process import announce, serve_wsgi
from infra.local.text_to_speech.app import TextToSpeechApp
from infra.local.text_to_speech.server import THREADS
from infra.local.text_to_speech.settings import LocalSpeechSettings


def main() -> None:
    """Serve until the parent ends."""
    parser = argparse.ArgumentParser(prog="python -m infra.local.text_to_speech", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for any free port")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    app = TextToSpeechApp(LocalSpeechSettings())
    serve_wsgi(app.wsgi_app, arguments.port, THREADS, lambda url: announce(endpoint=url))


if __name__ == "__main__":
    main()
