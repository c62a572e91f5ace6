export const nodeClientsHome: string;
export const pythonHomes: {
  readonly sdks: string;
  readonly livekit: string;
  readonly pipecat: string;
  readonly sagemaker: string;
};
export function pythonOf(pythonHome: string): string;
