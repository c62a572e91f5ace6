"""AWS's own client of SageMaker's bidirectional stream, and Deepgram's on top of it, against a stand-in of ours: what each was told.

    python sagemaker_clients.py CLIENT URL KEY MODEL FILE    KEY is not looked at: the environment has the credentials
"""

import asyncio
import base64
import json
import os

from spoken import RATE_HZ, parts_of, run, tell

ENDPOINT, REGION = "demo", "us-east-1"


async def aws(url, key, model, pcm):
    """vLLM's dialect, as whoever has a model on SageMaker writes it."""
    from aws_sdk_sagemaker_runtime_http2.client import AsyncSageMakerRuntimeHTTP2Client
    from aws_sdk_sagemaker_runtime_http2.config import AsyncSageMakerRuntimeHTTP2Config
    from aws_sdk_sagemaker_runtime_http2.models import (
        InvokeEndpointWithBidirectionalStreamInput,
        RequestPayloadPart,
        RequestStreamEventPayloadPart,
    )
    from smithy_aws_core.identity import EnvironmentCredentialsResolver
    from smithy_http.aio.crt import AWSCRTHTTPClient

    config = await AsyncSageMakerRuntimeHTTP2Config.resolve(
        endpoint_uri=url,
        region=REGION,
        aws_credentials_identity_resolver=EnvironmentCredentialsResolver(),
        transport=AWSCRTHTTPClient(),
    )
    client = AsyncSageMakerRuntimeHTTP2Client(config=config)
    wishes = InvokeEndpointWithBidirectionalStreamInput(endpoint_name=ENDPOINT)
    try:
        stream = await client.invoke_endpoint_with_bidirectional_stream(wishes)
        _, output = await stream.await_output()
    except Exception as error:
        tell("error", str(error))
        return

    async def say(members):
        part = RequestPayloadPart(bytes_=json.dumps(members).encode(), data_type="UTF8")
        await stream.input_stream.send(RequestStreamEventPayloadPart(value=part))

    await say({"type": "session.update", "model": model})
    await say({"type": "input_audio_buffer.commit"})
    for part in parts_of(pcm):
        await say({"type": "input_audio_buffer.append", "audio": base64.b64encode(part).decode()})
    await say({"type": "input_audio_buffer.commit", "final": True})
    while (event := await output.receive()) is not None:
        message = json.loads(event.value.bytes_)
        if message["type"] == "transcription.delta":
            tell("interim", message["delta"])
        elif message["type"] == "transcription.done":
            tell("final", message["text"].strip())
            break
        elif message["type"] == "error":
            tell("error", json.dumps(message))
    await stream.input_stream.close()


def deepgram_client(url):
    """
    AWS's host name is written into its transport. Elsewhere a line in the hosts file leads it to a stand-in (docs/sagemaker-local.md); a
    test leaves that file alone.
    """
    from deepgram import AsyncDeepgramClient
    from deepgram_sagemaker import SageMakerConfig, SageMakerTransportFactory, transport

    config_class = transport.AsyncSageMakerRuntimeHTTP2Config

    class Config(config_class):
        @classmethod
        async def resolve(cls, **options):
            return await config_class.resolve(**{**options, "endpoint_uri": url})

    transport.AsyncSageMakerRuntimeHTTP2Config = Config
    config = SageMakerConfig(endpoint_name=os.environ.get("ENDPOINT", ENDPOINT), region=REGION)
    return AsyncDeepgramClient(api_key="unused", transport_factory=SageMakerTransportFactory(config=config))


async def deepgram(url, key, model, pcm):
    listen = deepgram_client(url).listen.v1
    async with listen.connect(model="nova-3", encoding="linear16", sample_rate=RATE_HZ, interim_results=True) as connection:
        for part in parts_of(pcm):
            await connection.send_media(part)
        await connection.send_close_stream()
        async for message in connection:
            if message.type == "Results":
                tell("final" if message.is_final else "interim", message.channel.alternatives[0].transcript)
            elif message.type == "Metadata":
                break


async def flux(url, key, model, pcm):
    kinds = {"StartOfTurn": "start", "Update": "interim", "EndOfTurn": "final"}
    listen = deepgram_client(url).listen.v2
    async with listen.connect(model="flux-general-en", encoding="linear16", sample_rate=RATE_HZ) as connection:

        async def speak():
            for part in parts_of(pcm):
                await connection.send_media(part)
            await connection.send_close_stream()

        speaking = asyncio.create_task(speak())
        async for message in connection:
            if message.type == "TurnInfo":
                tell(kinds[message.event], message.transcript)
        await speaking


if __name__ == "__main__":
    run({"aws": aws, "deepgram": deepgram, "flux": flux})
