"""What every script here needs: speech in the shape of a microphone, and a line of JSON for whatever a client was told."""

import asyncio
import json
import logging
import sys

RATE_HZ = 16_000
PART_S = 0.1
# Behind the last audio: finals come with silence, or with the end of it.
SILENCE_S = 1.5


def tell(kind, text=""):
    print(json.dumps({"kind": kind, "text": text}), flush=True)


def is_last(text):
    """Whether these are the last words of the recording."""
    return text.rstrip(" .").endswith("minutes")


def parts_of(pcm, rate_hz=RATE_HZ):
    size = 2 * int(rate_hz * PART_S)
    return [pcm[at : at + size] for at in range(0, len(pcm), size)]


def with_silence(pcm, rate_hz=RATE_HZ):
    return pcm + bytes(2 * int(rate_hz * SILENCE_S))


def web_socket(url):
    return url.replace("http", "ws", 1)


def wav_of(pcm):
    import io
    import wave

    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE_HZ)
        written.writeframes(pcm)
    return file.getvalue()


def at_24_khz(pcm):
    """Three samples for two, on a straight line: good enough for speech."""
    import array

    samples = array.array("h", pcm)
    out = array.array("h")
    for at in range(0, len(samples) - 2, 2):
        first, second, third = samples[at : at + 3]
        out.extend((first, (first + 2 * second) // 3, (2 * second + third) // 3))
    return out.tobytes()


def run(clients):
    """Runs the one that is asked for: CLIENT URL KEY MODEL FILE, of which FILE is 16-bit PCM, mono, 16 kHz."""
    try:
        from loguru import logger

        logger.remove()
        logger.add(sys.stderr, level="WARNING")
    except ImportError:
        logging.basicConfig(level=logging.WARNING)
    name, url, key, model, path = sys.argv[1:6]
    with open(path, "rb") as spoken:
        asyncio.run(clients[name](url, key, model, spoken.read()))
