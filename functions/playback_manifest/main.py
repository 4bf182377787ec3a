"""The playback manifest: what to play, and signed URLs to play it from."""

from flask import Response

from shared import http
from shared.clients.url_signer import UrlSigner
from shared.config import UrlSigningSettings, load
from shared.db.database import database
from shared.dto.playback import ManifestQuery, PlaybackManifest
from shared.dto.schema import NotebookPath
from shared.services.playback import Playback

api = http.user_api("playback_manifest", "What to play, in which order, and from where.")
playback = Playback(database(), UrlSigner(load(UrlSigningSettings)))


@api.get("/notebooks/<id:notebook_id>/playback-manifest", responses={200: PlaybackManifest})
def manifest(path: NotebookPath, query: ManifestQuery) -> Response:
    """Phrases and clips in the order they are played."""
    return http.answer(playback.manifest(http.caller(), path.notebook_id, query))


playback_manifest = http.serve(api)
