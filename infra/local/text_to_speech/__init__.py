"""Google Cloud Text-to-Speech on one machine, with espeak-ng as its voice.

espeak      the library, by ctypes
voices      which voices are on offer
ssml        what Google reads, made into what espeak-ng reads
sound       samples to WAV and MP3
faults      Google's error answers
synthesis   text:synthesize
keys        what each kind of key does
settings    latency and faults
app         the REST methods
server      all of it on a loopback port
"""

from infra.local.text_to_speech.server import TextToSpeechServer

__all__ = ["TextToSpeechServer"]
