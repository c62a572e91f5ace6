import { DEFAULT_HOST, reachableHosts } from '@kikitori/server';
import type { Context } from '../context.js';
import { version } from '../program.js';
import { announce } from '../terminal/announcement.js';

/** A server as it is told of. */
export interface AnnouncedServer {
  /** As the user wrote it. */
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Nobody comes in without one. */
  readonly hasKey: boolean;
  /** It transcribes files, too. */
  readonly hasFiles: boolean;
}

/** Says where it is and how to try it. */
export function announceServer(
  description: string,
  { port, hasKey, hasFiles, ...server }: AnnouncedServer,
  context: Context,
): void {
  const hosts = hostsToShow(server.host);
  const [host = server.host] = hosts;
  const s = server.isTls ? 's' : '';
  const base = `http${s}://${host}:${port}`;
  const key = hasKey ? 'KIKITORI_API_KEY=… ' : '';
  announce(
    [`Kikitori ${version()}`, ` is ready: ${description}`],
    [
      ...hosts.map((each) => ({ label: 'Open', value: pageUrl(each, port, s) })),
      ...hosts.map((each) => ({ label: 'Realtime', value: `ws${s}://${each}:${port}/v1/realtime` })),
      ...(hasFiles ? [{ label: 'Files', value: `POST ${base}/v1/audio/transcriptions` }] : []),
      { label: 'Health', value: `${base}/health` },
      { label: 'Metrics', value: `${base}/metrics` },
      {
        label: 'Try',
        value: `${key}npx kikitori transcribe samples/ferry.flac --url ws${s}://${host}:${port}`,
        isPlain: true,
      },
    ],
    context,
  );
}

/** Browsers give the microphone to `localhost` whatever the scheme; elsewhere they want https. */
function pageUrl(host: string, port: number, s: '' | 's'): string {
  return `http${s}://${host === DEFAULT_HOST ? 'localhost' : host}:${port}`;
}

/** A wildcard address is shown as the addresses that it stands for. */
function hostsToShow(host: string): readonly string[] {
  const plain = host.replace(/^\[(.*)\]$/, '$1');
  if (plain !== '0.0.0.0' && plain !== '::') return [plain.includes(':') ? `[${plain}]` : plain];
  return [DEFAULT_HOST, ...reachableHosts(plain)];
}
