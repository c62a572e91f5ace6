import type { Connection } from '@kikitori/transport';
import { createSageMakerConnect, type SageMakerConnectOptions } from '../../src/client/index.js';
import { type RawLine, RawPeer, type RawPeerOptions } from './raw-peer.js';

export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret' };

/** Options for a connect to a local peer. */
export function optionsFor(
  url: string,
  changes: Partial<SageMakerConnectOptions> = {},
): SageMakerConnectOptions {
  return {
    endpointName: 'demo',
    region: 'us-east-1',
    endpointUrl: url,
    credentials: CREDENTIALS,
    ...changes,
  };
}

/** A peer, and a stream that it accepted. */
export interface Opened {
  readonly peer: RawPeer;
  readonly line: RawLine;
  readonly connection: Connection;
}

/** Starts a peer and opens a stream to it. The caller stops the peer. */
export async function openTo(
  peerOptions: RawPeerOptions = {},
  changes: Partial<SageMakerConnectOptions> = {},
): Promise<Opened> {
  const peer = await RawPeer.start(peerOptions);
  const connecting = createSageMakerConnect(optionsFor(peer.url, changes))({ url: '' });
  const line = await peer.nextLine();
  await line.until(({ frames }) => frames.some(({ type }) => type === 1));
  line.accept();
  return { peer, line, connection: await connecting };
}
