"""pipecat's speech-to-text services against a server of ours: what each of them was told.

    python pipecat_services.py CLIENT URL KEY MODEL FILE
"""

import asyncio

from spoken import PART_S, RATE_HZ, at_24_khz, is_last, parts_of, run, tell, web_socket, with_silence

OPENAI_RATE_HZ = 24_000


async def converse(service, pcm, rate_hz, commits):
    """`commits`: voice detection of pipecat's own says when speech stops."""
    from pipecat.frames.frames import (
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
                if is_last(frame.text):
                    finals.set()
            elif isinstance(frame, InterimTranscriptionFrame):
                tell("interim", frame.text)
            await self.push_frame(frame, direction)

    params = PipelineParams(audio_in_sample_rate=rate_hz)
    # AWS's client may lose its stream when it is cancelled while a message comes, and pipecat waits 20 s for it then.
    patience = {"cancel_timeout_secs": 2}
    task = PipelineTask(Pipeline([service, Listener()]), params=params, enable_rtvi=False, **patience)

    # Errors go the other way.
    @task.event_handler("on_pipeline_error")
    async def on_error(_task, frame):
        tell("error", frame.error)
        finals.set()

    async def speak():
        await asyncio.sleep(1)
        if commits:
            await task.queue_frame(VADUserStartedSpeakingFrame())
        for part in parts_of(with_silence(pcm, rate_hz), rate_hz):
            await task.queue_frame(InputAudioRawFrame(audio=part, sample_rate=rate_hz, num_channels=1))
            await asyncio.sleep(PART_S / 4)
        if commits:
            await task.queue_frame(VADUserStoppedSpeakingFrame())
        await finals.wait()
        await task.cancel()

    await asyncio.gather(PipelineRunner(handle_sigint=False).run(task), speak())


async def openai(url, key, model, pcm):
    from pipecat.services.openai.stt import OpenAIRealtimeSTTService

    service = OpenAIRealtimeSTTService(
        api_key=key, model=model, base_url=f"{web_socket(url)}/v1/realtime"
    )
    await converse(service, at_24_khz(pcm), OPENAI_RATE_HZ, commits=True)


async def mistral(url, key, model, pcm):
    from pipecat.services.mistral.stt import MistralSTTService

    settings = MistralSTTService.Settings(model=model)
    service = MistralSTTService(api_key=key, base_url=url, settings=settings)
    await converse(service, pcm, RATE_HZ, commits=True)


async def deepgram(url, key, model, pcm):
    from pipecat.services.deepgram.stt import DeepgramSTTService

    service = DeepgramSTTService(api_key=key, base_url=web_socket(url))
    await converse(service, pcm, RATE_HZ, commits=False)


async def flux(url, key, model, pcm):
    from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService

    service = DeepgramFluxSTTService(api_key=key, url=f"{web_socket(url)}/v2/listen")
    await converse(service, pcm, RATE_HZ, commits=False)


async def assemblyai(url, key, model, pcm):
    from pipecat.services.assemblyai.stt import AssemblyAISTTService

    address = f"{web_socket(url)}/v3/ws"
    service = AssemblyAISTTService(api_key=key, api_endpoint_base_url=address)
    await converse(service, pcm, RATE_HZ, commits=True)


def reach(url):
    """
    Has pipecat's client of SageMaker go to a stand-in at `url`: AWS's host name is written into it. Elsewhere a line in the hosts file does
    the same (docs/sagemaker-local.md); a test leaves that file alone. Region and credentials are the stand-in's, in the environment.
    """
    from pipecat.services.aws.sagemaker import bidi_client

    config = bidi_client.Config
    bidi_client.Config = lambda **options: config(**{**options, "endpoint_uri": url})
    return {"endpoint_name": "demo", "region": "us-east-1"}


async def nvidia_sagemaker(url, key, model, pcm):
    from pipecat.services.nvidia.sagemaker.stt import NvidiaSageMakerSTTService

    await converse(NvidiaSageMakerSTTService(**reach(url)), pcm, RATE_HZ, commits=False)


async def deepgram_sagemaker(url, key, model, pcm):
    from pipecat.services.deepgram.sagemaker.stt import DeepgramSageMakerSTTService

    await converse(DeepgramSageMakerSTTService(**reach(url)), pcm, RATE_HZ, commits=True)


async def flux_sagemaker(url, key, model, pcm):
    from pipecat.services.deepgram.flux.sagemaker.stt import DeepgramFluxSageMakerSTTService

    await converse(DeepgramFluxSageMakerSTTService(**reach(url)), pcm, RATE_HZ, commits=False)


if __name__ == "__main__":
    run(
        {
            "openai": openai,
            "mistral": mistral,
            "deepgram": deepgram,
            "flux": flux,
            "assemblyai": assemblyai,
            "nvidia-sagemaker": nvidia_sagemaker,
            "deepgram-sagemaker": deepgram_sagemaker,
            "flux-sagemaker": flux_sagemaker,
        }
    )
