"""Says what vLLM's file client says (openai_realtime_client.py of its examples), with the same WebSocket library.

PCM16, 16 kHz, mono on stdin; the text on stdout as it comes, and what `transcription.done` said as the last line.

    vllm_file_client.py URL MODEL < audio.pcm
"""

import asyncio
import base64
import json
import sys

import websockets

CHUNK_BYTES = 4096


async def transcribe(url, model, pcm):
    async with websockets.connect(url) as socket:
        created = json.loads(await socket.recv())
        if created["type"] != "session.created":
            print("unexpected:", created)
            return
        print("session:", created["id"])
        await socket.send(json.dumps({"type": "session.update", "model": model}))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit"}))
        for start in range(0, len(pcm), CHUNK_BYTES):
            audio = base64.b64encode(pcm[start : start + CHUNK_BYTES]).decode("utf-8")
            await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))
        await socket.send(json.dumps({"type": "input_audio_buffer.commit", "final": True}))
        print("sent")
        # Nothing is read before everything is sent.
        while True:
            event = json.loads(await socket.recv())
            if event["type"] == "transcription.delta":
                print(event["delta"], end="", flush=True)
            elif event["type"] == "transcription.done":
                print()
                print("done:", event["text"])
                if event.get("usage"):
                    print("usage:", json.dumps(event["usage"]))
                break
            elif event["type"] == "error":
                print("error:", event["error"])
                break


asyncio.run(transcribe(sys.argv[1], sys.argv[2], sys.stdin.buffer.read()))
