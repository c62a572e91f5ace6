"""LiveKit's speech-to-text plug-ins, without a room, against a server of ours: what each of them was told.

    python livekit_plugins.py CLIENT URL KEY MODEL FILE
"""

import asyncio

from livekit import rtc
from livekit.agents import stt
from livekit.agents.utils import http_context

from spoken import RATE_HZ, is_last, parts_of, run, tell, web_socket, with_silence

# Four times the pace of speech.
PACE_S = 0.025
KINDS = {
    stt.SpeechEventType.START_OF_SPEECH: "start",
    stt.SpeechEventType.INTERIM_TRANSCRIPT: "interim",
    stt.SpeechEventType.FINAL_TRANSCRIPT: "final",
    stt.SpeechEventType.END_OF_SPEECH: "end",
}


def frames_of(pcm):
    return [rtc.AudioFrame(part, RATE_HZ, 1, len(part) // 2) for part in parts_of(pcm)]


def text_of(event):
    return event.alternatives[0].text if event.alternatives else ""


async def stream(plugin, pcm):
    spoken = plugin.stream()

    async def speak():
        for frame in frames_of(with_silence(pcm)):
            spoken.push_frame(frame)
            await asyncio.sleep(PACE_S)

    async def listen():
        open_turns, has_last = 0, False
        async for event in spoken:
            kind = KINDS.get(event.type)
            if kind is not None:
                tell(kind, text_of(event))
            open_turns += {"start": 1, "end": -1}.get(kind, 0)
            has_last = has_last or (kind == "final" and is_last(text_of(event)))
            # It never ends by itself where the server ends turns: the last words of the recording do, or the end behind them.
            if has_last and open_turns == 0:
                return

    speaking = asyncio.create_task(speak())
    await listen()
    speaking.cancel()
    await spoken.aclose()


async def recognise(plugin, pcm):
    event = await plugin.recognize(frames_of(pcm))
    tell("final", text_of(event))


def openai(url, key, model):
    from livekit.plugins.openai import STT

    return STT(api_key=key, base_url=f"{url}/v1", model=model, use_realtime=True)


def openai_commits(url, key, model):
    """Voice detection of LiveKit's own ends turns."""
    from livekit.plugins.openai import STT

    return STT(api_key=key, base_url=f"{url}/v1", model="gpt-realtime-whisper")


def openai_file(url, key, model):
    from livekit.plugins.openai import STT

    return STT(api_key=key, base_url=f"{url}/v1", model="gpt-4o-mini-transcribe")


def mistral(url, key, model):
    return mistral_of(url, key, "voxtral-mini-transcribe-realtime-2602")


def mistral_file(url, key, model):
    return mistral_of(url, key, "voxtral-mini-latest")


def mistral_of(url, key, model):
    from livekit.plugins.mistralai import STT
    from mistralai.client import Mistral

    return STT(client=Mistral(api_key=key, server_url=url), model=model)


def deepgram(url, key, model):
    from livekit.plugins.deepgram import STT

    return STT(api_key=key, base_url=f"{url}/v1/listen", model="nova-3")


def flux(url, key, model):
    from livekit.plugins.deepgram import STTv2

    return STTv2(api_key=key, base_url=f"{web_socket(url)}/v2/listen", model="flux-general-en")


def assemblyai(url, key, model):
    from livekit.plugins.assemblyai import STT

    return STT(api_key=key, base_url=web_socket(url), model="universal-streaming-english")


def client(use, make):
    async def converse(url, key, model, pcm):
        async with http_context.open():
            await use(make(url, key, model), pcm)

    return converse


if __name__ == "__main__":
    run(
        {
            "openai": client(stream, openai),
            "openai-commits": client(stream, openai_commits),
            "openai-file": client(recognise, openai_file),
            "mistral": client(stream, mistral),
            "mistral-file": client(recognise, mistral_file),
            "deepgram": client(stream, deepgram),
            "deepgram-file": client(recognise, deepgram),
            "flux": client(stream, flux),
            "assemblyai": client(stream, assemblyai),
        }
    )
