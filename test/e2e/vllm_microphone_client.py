"""Says what vLLM's microphone client says (openai_realtime_microphone_client.py of its examples).

PCM16, 16 kHz, mono on stdin as it is spoken; text on stdout as it comes. At the end of its input it only stops to
send: it never says `final`, never closes, and reads for ever. Whoever started it ends it.

    vllm_microphone_client.py URL MODEL < audio.pcm
"""

import asyncio
import base64
import json
import sys

import websockets

CHUNK_BYTES = 3200


async def speak(socket):
    loop = asyncio.get_running_loop()
    while True:
        pcm = await loop.run_in_executor(None, sys.stdin.buffer.read, CHUNK_BYTES)
        if not pcm:
            return
        audio = base64.b64encode(pcm).decode("utf-8")
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))


async def read(socket):
    async for message in socket:
        event = json.loads(message)
        if event["type"] == "transcription.delta":
            print(event["delta"], end="", flush=True)


async def listen(url, model):
    async with websockets.connect(url) as socket:
        await socket.recv()
        await socket.send(json.dumps({"type": "session.update", "model": model}))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        await asyncio.gather(speak(socket), read(socket))


asyncio.run(listen(sys.argv[1], sys.argv[2]))
