"""The bridge as the AWS post describes it: a FastAPI WebSocket endpoint that opens a `websockets` connection to the model
server and runs two tasks, one for each direction. `fastapi_bridge.py UPSTREAM PORT [uncompressed]`.

As the libraries do it when nothing is said, it offers compression, which vLLM agrees to, and then deflates every message.
With `uncompressed` it does not; one has to know of that."""

import asyncio
import sys

import uvicorn
import websockets
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

UPSTREAM = sys.argv[1]
COMPRESSION = None if "uncompressed" in sys.argv[3:] else "deflate"
app = FastAPI()


@app.get("/ping")
async def ping():
    return {"status": "healthy"}


@app.websocket("/invocations-bidirectional-stream")
async def bridge(client: WebSocket):
    await client.accept()
    async with websockets.connect(UPSTREAM, max_size=None, compression=COMPRESSION) as model:

        async def forward():
            while True:
                message = await client.receive()
                if message["type"] == "websocket.disconnect":
                    return
                text = message.get("text")
                await model.send(text if text is not None else message["bytes"].decode("utf-8"))

        async def backward():
            async for message in model:
                if isinstance(message, str):
                    await client.send_text(message)
                else:
                    await client.send_bytes(message)

        tasks = [asyncio.create_task(forward()), asyncio.create_task(backward())]
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    try:
        await client.close()
    except (RuntimeError, WebSocketDisconnect):
        pass


uvicorn.run(
    app,
    host="127.0.0.1",
    port=int(sys.argv[2]),
    log_level="warning",
    access_log=False,
    backlog=2048,
    ws_per_message_deflate=COMPRESSION is not None,
)
