"""Print the OpenAPI document: `python -m infra.local.document > docs/openapi.json`.

The functions read their settings when they are imported; here those of `.env.example` will do, since nothing is called.
"""

import os
import sys
from pathlib import Path

from dotenv import dotenv_values

SETTINGS = Path(__file__).parents[2] / ".env.example"


def main() -> None:
    """Print the document of all API functions."""
    os.environ.update({name: value for name, value in dotenv_values(SETTINGS).items() if value})
    from infra.local.functions import api_app, document_text

    sys.stdout.write(document_text(api_app()))


if __name__ == "__main__":
    main()
