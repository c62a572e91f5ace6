"""Libraries in Python of OpenAI, Mistral, Deepgram, AssemblyAI and Home Assistant against a server of ours: what each of them was told.

    python sdks.py CLIENT URL KEY MODEL FILE
"""

import contextlib

from spoken import RATE_HZ, at_24_khz, is_last, parts_of, run, tell, wav_of, web_socket, with_silence

OPENAI_RATE_HZ = 24_000


async def openai_realtime(url, key, model, pcm):
    import base64

    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=key, base_url=f"{url}/v1", websocket_base_url=f"{web_socket(url)}/v1")
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
        for part in parts_of(with_silence(at_24_khz(pcm), OPENAI_RATE_HZ), OPENAI_RATE_HZ):
            await connection.input_audio_buffer.append(audio=base64.b64encode(part).decode())
        async for event in connection:
            if event.type == "conversation.item.input_audio_transcription.delta":
                tell("interim", event.delta)
            elif event.type == "conversation.item.input_audio_transcription.completed":
                tell("final", event.transcript)
                if is_last(event.transcript):
                    return
            elif event.type == "error":
                tell("error", event.error.message)
                return


async def openai_file(url, key, model, pcm):
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key=key, base_url=f"{url}/v1")
    stream = await client.audio.transcriptions.create(model=model, file=("speech.wav", wav_of(pcm)), stream=True)
    async for event in stream:
        if event.type == "transcript.text.delta":
            tell("interim", event.delta)
        elif event.type == "transcript.text.done":
            tell("final", event.text)


async def mistral_realtime(url, key, model, pcm):
    from mistralai.client import Mistral
    from mistralai.extra.realtime import RealtimeTranscription

    async def audio():
        for part in parts_of(pcm):
            yield part

    client = RealtimeTranscription(Mistral(api_key=key, server_url=url).sdk_configuration)
    async for event in client.transcribe_stream(audio_stream=audio(), model=model):
        if event.type == "transcription.text.delta":
            tell("interim", event.text)
        elif event.type == "transcription.done":
            tell("final", event.text)
        elif event.type == "error":
            tell("error", str(event.error.message))


def deepgram_client(url, key):
    from deepgram import AsyncDeepgramClient
    from deepgram.environment import DeepgramClientEnvironment

    address = web_socket(url)
    environment = DeepgramClientEnvironment(base=url, production=address, agent=address, agent_rest=url)
    return AsyncDeepgramClient(api_key=key, environment=environment)


@contextlib.contextmanager
def telling_failures():
    """A connection that is refused, and one that the server ends: why was said before."""
    from deepgram.core.api_error import ApiError
    from websockets.exceptions import ConnectionClosedError

    try:
        yield
    except ApiError as error:
        tell("error", f"{error.status_code} {error.body}")
    except ConnectionClosedError:
        pass


async def deepgram_live(url, key, model, pcm):
    wishes = {"interim_results": True, "vad_events": True, "utterance_end_ms": 1000}
    listen = deepgram_client(url, key).listen.v1
    with telling_failures():
        async with listen.connect(model=model, encoding="linear16", sample_rate=RATE_HZ, **wishes) as connection:
            for part in parts_of(pcm):
                await connection.send_media(part)
            await connection.send_finalize()
            await connection.send_close_stream()
            async for message in connection:
                if message.type == "Results":
                    tell("final" if message.is_final else "interim", message.channel.alternatives[0].transcript)
                elif message.type == "SpeechStarted":
                    tell("start")
                elif message.type == "UtteranceEnd":
                    tell("end")
                elif message.type == "Error":
                    tell("error", message.description)


async def deepgram_flux(url, key, model, pcm):
    kinds = {"StartOfTurn": "start", "Update": "interim", "EndOfTurn": "final"}
    listen = deepgram_client(url, key).listen.v2
    with telling_failures():
        async with listen.connect(model=model, encoding="linear16", sample_rate=RATE_HZ) as connection:
            for part in parts_of(pcm):
                await connection.send_media(part)
            await connection.send_close_stream()
            async for message in connection:
                if message.type == "TurnInfo":
                    tell(kinds[message.event], message.transcript)
                elif message.type == "Error":
                    tell("error", message.description)


async def deepgram_file(url, key, model, pcm):
    media = deepgram_client(url, key).listen.v1.media
    with telling_failures():
        answer = await media.transcribe_file(request=wav_of(pcm), model=model, smart_format=True, utterances=True)
        for utterance in answer.results.utterances:
            tell("interim", utterance.transcript)
        [channel] = answer.results.channels
        tell("final", channel.alternatives[0].transcript)


async def assemblyai(url, key, model, pcm):
    """With TLS SSL_CERT_FILE says whom it trusts."""
    from assemblyai.streaming.v3 import (
        AsyncStreamingClient,
        StreamingClientOptions,
        StreamingEvents,
        StreamingParameters,
    )

    def on_turn(_client, turn):
        if not turn.end_of_turn:
            tell("interim", turn.transcript)
        elif turn.turn_is_formatted:
            tell("final", turn.transcript)

    # Its own second is short for a machine that is busy.
    options = StreamingClientOptions(api_host=web_socket(url), api_key=key, connect_timeout=20, terminate_timeout=60)
    client = AsyncStreamingClient(options)
    client.on(StreamingEvents.Turn, on_turn)
    client.on(StreamingEvents.SpeechStarted, lambda _client, _event: tell("start"))
    client.on(StreamingEvents.Termination, lambda _client, _event: tell("end"))
    client.on(StreamingEvents.Error, lambda _client, error: tell("error", f"{error.code} {error}"))
    await client.connect(StreamingParameters(sample_rate=RATE_HZ, format_turns=True, speech_model=model))

    async def audio():
        for part in parts_of(pcm):
            yield part

    await client.stream(audio())
    await client.disconnect(terminate=True)


async def wyoming(url, _key, _model, pcm):
    """As Home Assistant's integration does: what is served, then a call for each command."""
    from wyoming.asr import Transcribe, Transcript, TranscriptChunk
    from wyoming.audio import AudioChunk, AudioStart, AudioStop
    from wyoming.client import AsyncClient
    from wyoming.info import Describe, Info

    sound = {"rate": RATE_HZ, "width": 2, "channels": 1}
    async with AsyncClient.from_uri(url) as client:
        await client.write_event(Describe().event())
        (program,) = Info.from_event(await client.read_event()).asr
        (model,) = program.models
        tell("served", f"{program.name}: {model.name} ({', '.join(model.languages)})")
    async with AsyncClient.from_uri(url) as client:
        await client.write_event(Transcribe(language="en").event())
        await client.write_event(AudioStart(**sound).event())
        for part in parts_of(pcm):
            await client.write_event(AudioChunk(audio=part, **sound).event())
        await client.write_event(AudioStop().event())
        while event := await client.read_event():
            if TranscriptChunk.is_type(event.type):
                tell("interim", TranscriptChunk.from_event(event).text)
            elif Transcript.is_type(event.type):
                tell("final", Transcript.from_event(event).text)
                return


if __name__ == "__main__":
    run(
        {
            "openai-realtime": openai_realtime,
            "openai-file": openai_file,
            "mistral-realtime": mistral_realtime,
            "deepgram-live": deepgram_live,
            "deepgram-flux": deepgram_flux,
            "deepgram-file": deepgram_file,
            "assemblyai": assemblyai,
            "wyoming": wyoming,
        }
    )
