"""A Google Cloud Storage on one machine: the JSON API for google-cloud-storage, the XML API for V4 signed URLs.

errors          every refusal, and how the two APIs word it
preconditions   ifGenerationMatch and its relatives
objects         an object: its metadata, its checksums, its file
buckets         objects in directories, with an index in memory
listings        a page of a listing
uploads         media, multipart and resumable uploads
json_api        /storage/v1, /upload, /download
batches         /batch
signed_urls     verification of V4 signatures
xml_api         /bucket/object, by signed URL, with CORS
downloads       the bytes of an object, whole or a range
server          all of it on a loopback port
"""

from infra.local.storage.server import StorageServer

__all__ = ["StorageServer"]
