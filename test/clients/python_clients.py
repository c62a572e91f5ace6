"""Python clients that others have written, against a server of ours: what each of them was told, one JSON object a line.

    python python_clients.py CLIENT URL KEY MODEL FILE    FILE: 16-bit PCM, mono, 16 kHz
"""

import asyncio
import json
import logging
import sys

RATE_HZ = 16_000
OPENAI_RATE_HZ = 24_000
PART_S = 0.1
# Behind the last audio: finals come with silence, or with the end of it.
SILENCE_S = 1.5


def tell(kind, text=""):
    print(json.dumps({"kind": kind, "text": text}), flush=True)


def parts_of(pcm, rate_hz):
    size = 2 * int(rate_hz * PART_S)
    return [pcm[at : at + size] for at in range(0, len(pcm), size)]


def at_24_khz(pcm):
    """Three samples for two, on a straight line: good enough for speech."""
    import array

    samples = array.array("h", pcm)
    out = array.array("h")
    for at in range(0, len(samples) - 2, 2):
        first, second, third = samples[at : at + 3]
        out.extend((first, (first + 2 * second) // 3, (2 * second + third) // 3))
    return out.tobytes()


async def openai_realtime(url, key, model, pcm):
    import base64

    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=key, base_url=f"{url}/v1", websocket_base_url=f"{url.replace('http', 'ws')}/v1")
    async with client.realtime.connect(extra_query={"intent": "transcription"}) as connection:
        await connection.session.update(
            session={
                "type": "transcription",
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": OPENAI_RATE_HZ},
                        "transcription": {"model": model},
                        "turn_detection": {"type": "server_vad"},
                    }
                },
            }
        )
        silence = bytes(2 * int(OPENAI_RATE_HZ * SILENCE_S))
        for part in parts_of(at_24_khz(pcm) + silence, OPENAI_RATE_HZ):
            await connection.input_audio_buffer.append(audio=base64.b64encode(part).decode())
        open_turns = 0
        async for event in connection:
            if event.type == "input_audio_buffer.speech_started":
                open_turns += 1
            elif event.type == "conversation.item.input_audio_transcription.delta":
                tell("interim", event.delta)
            elif event.type == "conversation.item.input_audio_transcription.completed":
                tell("final", event.transcript)
                if event.transcript.rstrip(" .").endswith("minutes"):
                    return
            elif event.type == "error":
                tell("error", event.error.message)
                return


async def openai_file(url, key, model, pcm):
    import io
    import wave

    from openai import AsyncOpenAI

    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE_HZ)
        written.writeframes(pcm)
    client = AsyncOpenAI(api_key=key, base_url=f"{url}/v1")
    stream = await client.audio.transcriptions.create(model=model, file=("speech.wav", file.getvalue()), stream=True)
    async for event in stream:
        if event.type == "transcript.text.delta":
            tell("interim", event.delta)
        elif event.type == "transcript.text.done":
            tell("final", event.text)


async def mistral_realtime(url, key, model, pcm):
    from mistralai.client import Mistral
    from mistralai.extra.realtime import RealtimeTranscription

    async def audio():
        for part in parts_of(pcm, RATE_HZ):
            yield part

    client = RealtimeTranscription(Mistral(api_key=key, server_url=url).sdk_configuration)
    async for event in client.transcribe_stream(audio_stream=audio(), model=model):
        if event.type == "transcription.text.delta":
            tell("interim", event.text)
        elif event.type == "transcription.done":
            tell("final", event.text)
        elif event.type == "error":
            tell("error", str(event.error.message))


async def pipecat(service, pcm, rate_hz, commits):
    """`commits`: voice detection of pipecat's own says when speech stops."""
    from pipecat.frames.frames import (
        ErrorFrame,
        InputAudioRawFrame,
        InterimTranscriptionFrame,
        TranscriptionFrame,
        VADUserStartedSpeakingFrame,
        VADUserStoppedSpeakingFrame,
    )
    from pipecat.pipeline.pipeline import Pipeline
    from pipecat.pipeline.runner import PipelineRunner
    from pipecat.pipeline.task import PipelineParams, PipelineTask
    from pipecat.processors.frame_processor import FrameProcessor

    finals = asyncio.Event()

    class Listener(FrameProcessor):
        async def process_frame(self, frame, direction):
            await super().process_frame(frame, direction)
            if isinstance(frame, TranscriptionFrame):
                tell("final", frame.text)
                if frame.text.rstrip(" .").endswith("minutes"):
                    finals.set()
            elif isinstance(frame, InterimTranscriptionFrame):
                tell("interim", frame.text)
            elif isinstance(frame, ErrorFrame):
                tell("error", frame.error)
                finals.set()
            await self.push_frame(frame, direction)

    params = PipelineParams(audio_in_sample_rate=rate_hz)
    task = PipelineTask(Pipeline([service, Listener()]), params=params, enable_rtvi=False)

    async def speak():
        await asyncio.sleep(1)
        if commits:
            await task.queue_frame(VADUserStartedSpeakingFrame())
        silence = bytes(2 * int(rate_hz * SILENCE_S))
        for part in parts_of(pcm + silence, rate_hz):
            await task.queue_frame(InputAudioRawFrame(audio=part, sample_rate=rate_hz, num_channels=1))
            await asyncio.sleep(PART_S / 4)
        if commits:
            await task.queue_frame(VADUserStoppedSpeakingFrame())
        await finals.wait()
        await task.cancel()

    await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), speak())


async def pipecat_openai(url, key, model, pcm):
    from pipecat.services.openai.stt import OpenAIRealtimeSTTService

    service = OpenAIRealtimeSTTService(
        api_key=key, model=model, base_url=f"{url.replace('http', 'ws')}/v1/realtime"
    )
    await pipecat(service, at_24_khz(pcm), OPENAI_RATE_HZ, commits=True)


async def pipecat_mistral(url, key, model, pcm):
    from pipecat.services.mistral.stt import MistralSTTService

    settings = MistralSTTService.Settings(model=model)
    service = MistralSTTService(api_key=key, base_url=url, settings=settings)
    await pipecat(service, pcm, RATE_HZ, commits=True)


async def pipecat_deepgram(url, key, model, pcm):
    from pipecat.services.deepgram.stt import DeepgramSTTService

    service = DeepgramSTTService(api_key=key, base_url=url.replace("http", "ws"))
    await pipecat(service, pcm, RATE_HZ, commits=False)


async def pipecat_flux(url, key, model, pcm):
    from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService

    service = DeepgramFluxSTTService(api_key=key, url=f"{url.replace('http', 'ws')}/v2/listen")
    await pipecat(service, pcm, RATE_HZ, commits=False)


async def pipecat_assemblyai(url, key, model, pcm):
    from pipecat.services.assemblyai.stt import AssemblyAISTTService

    address = f"{url.replace('http', 'ws')}/v3/ws"
    service = AssemblyAISTTService(api_key=key, api_endpoint_base_url=address)
    await pipecat(service, pcm, RATE_HZ, commits=True)


CLIENTS = {
    "openai-realtime": openai_realtime,
    "openai-file": openai_file,
    "mistral-realtime": mistral_realtime,
    "pipecat-openai": pipecat_openai,
    "pipecat-mistral": pipecat_mistral,
    "pipecat-deepgram": pipecat_deepgram,
    "pipecat-flux": pipecat_flux,
    "pipecat-assemblyai": pipecat_assemblyai,
}

if __name__ == "__main__":
    try:
        from loguru import logger

        logger.remove()
        logger.add(sys.stderr, level="WARNING")
    except ImportError:
        logging.basicConfig(level=logging.WARNING)
    name, server_url, api_key, model_name, path = sys.argv[1:6]
    with open(path, "rb") as spoken:
        asyncio.run(CLIENTS[name](server_url, api_key, model_name, spoken.read()))
