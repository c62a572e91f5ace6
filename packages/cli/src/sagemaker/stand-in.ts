import type { Logger } from '@kikitori/core';
import {
  createSageMakerStandIn,
  LOCAL_CREDENTIALS,
  type RuntimeCredentials,
  type SageMakerStandIn,
} from '@kikitori/sagemaker/stand-in';
import type { Environment } from '../context.js';
import type { Announced } from '../terminal/announcement.js';
import { leaveNotice } from './local-notice.js';

/** What a stand-in stands in for. */
export interface StandInRequest {
  readonly port: number;
  readonly endpoint: string;
  /** `ws://host:port` */
  readonly containerUrl: string;
  readonly isPlaintext: boolean;
  readonly region: string;
  readonly logger: Logger;
  /** Host names that clients reach it by, beside those of this machine. Default: none. */
  readonly tlsNames?: readonly string[];
  /** Longest life of a stream, milliseconds. Default: SageMaker's. */
  readonly streamMsMax?: number | undefined;
  /** How often the container is asked whether it is up. Default: as SageMaker does. */
  readonly healthIntervalMs?: number;
  /** How long it may take until it is. Default: as SageMaker allows. */
  readonly healthWindowMs?: number;
}

/** A stand-in that listens, and that the other commands of this user know how to trust. */
export interface StandIn {
  readonly runtime: SageMakerStandIn;
  /** Where clients are told to go; the certificate holds this name. */
  readonly url: string;
  /** Lets open streams end, then lets go of everything. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts a stand-in of SageMaker's runtime on loopback. It takes the keys that every stand-in takes, and those in the
 * environment, so that clients that already have some can call it as they are. Rejects with `SageMakerError`.
 */
export async function startStandIn(request: StandInRequest, env: Environment): Promise<StandIn> {
  const { port, endpoint, containerUrl, isPlaintext, region, logger, healthIntervalMs, healthWindowMs } =
    request;
  const runtime = await createSageMakerStandIn({
    endpoints: [{ name: endpoint, containerUrl }],
    port,
    isPlaintext,
    region,
    logger,
    tlsNames: request.tlsNames ?? [],
    credentials: [LOCAL_CREDENTIALS, ...credentialsOf(env)],
    limits: {
      ...(healthIntervalMs === undefined ? {} : { healthIntervalMs }),
      ...(healthWindowMs === undefined ? {} : { healthWindowMs }),
      ...(request.streamMsMax === undefined ? {} : { streamMsMax: request.streamMsMax }),
    },
  });
  const { authority } = runtime;
  // Without the notice other commands only have to be told more; the stand-in works all the same.
  const takeAway = await leaveNotice(runtime.port, { pid: process.pid, region, authority }, env).catch(
    () => undefined,
  );
  return {
    runtime,
    url: `${isPlaintext ? 'http' : 'https'}://localhost:${runtime.port}`,
    close: async () => {
      await takeAway?.();
      await runtime.close();
    },
  };
}

/** What a client other than ours has to be told, and the command to try. */
export function linesOf({ runtime, url }: StandIn, endpoint: string): readonly Announced[] {
  const { accessKeyId, secretAccessKey } = LOCAL_CREDENTIALS;
  const trust = runtime.authorityPath;
  return [
    { label: 'Runtime', value: url, note: `endpoint ${endpoint}, ${runtime.region}` },
    ...(trust === undefined
      ? []
      : [
          {
            label: 'Trust',
            value: trust,
            note: 'for other clients: NODE_EXTRA_CA_CERTS, AWS_CA_BUNDLE; SSL_CERT_FILE in Python',
          },
        ]),
    {
      label: 'Keys',
      value: `${accessKeyId} ${secretAccessKey}`,
      note: 'for other clients, and those in AWS_ACCESS_KEY_ID',
    },
    {
      label: 'Try',
      value: `npx kikitori transcribe samples/ferry.flac --endpoint ${endpoint} --endpoint-url ${url}`,
      isPlain: true,
    },
  ];
}

function credentialsOf(env: Environment): readonly RuntimeCredentials[] {
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: token,
  } = env;
  if (!accessKeyId || !secretAccessKey || accessKeyId === LOCAL_CREDENTIALS.accessKeyId) return [];
  return [{ accessKeyId, secretAccessKey, ...(token ? { sessionToken: token } : {}) }];
}
