import { DEFAULT_HOST } from '@kikitori/server';
import { isLoopback } from '@kikitori/transport/doors';
import type { Announced } from '../terminal/announcement.js';
import type { OwnCertificate } from './own-certificate.js';

/** A server that listens, as far as people have to know it. */
export interface ServedAt {
  /** As it was asked for; perhaps a wildcard. */
  readonly host: string;
  /** Hosts at which other machines find it. */
  readonly others: readonly string[];
  readonly port: number;
  /** Where Wyoming is spoken, if it is. */
  readonly wyoming?: { readonly host: string; readonly port: number } | undefined;
  /** The address of the page for others, where something stands in front of it. */
  readonly publicUrl?: string | undefined;
  readonly isTls: boolean;
  /** A certificate that no browser trusts by itself. */
  readonly own: Pick<OwnCertificate, 'fingerprint' | 'authorityFile'> | undefined;
  readonly hasKey: boolean;
}

/** Where it is and how to try it; first of all where a microphone will not work. */
export function serverLines(at: ServedAt): readonly Announced[] {
  const { port, hasKey, own } = at;
  const hosts = hostsToShow(at);
  const [host = at.host] = hosts;
  const s = at.isTls ? 's' : '';
  const base = `http${s}://${host}:${port}`;
  const key = hasKey ? 'KIKITORI_API_KEY=… ' : '';
  const tls = own === undefined ? '' : `NODE_EXTRA_CA_CERTS=${own.authorityFile} `;
  return [
    ...microphoneLines(at, hosts),
    ...(own === undefined ? [] : [certificateLine(own.fingerprint)]),
    ...(at.publicUrl === undefined ? [] : [{ label: 'Open', value: at.publicUrl }]),
    ...hosts.map((each) => ({ label: 'Open', value: pageUrl(each, port, s) })),
    ...hosts.map((each) => ({ label: 'Realtime', value: `ws${s}://${each}:${port}/v1/realtime` })),
    ...wyomingLines(at),
    { label: 'Files', value: `POST ${base}/v1/audio/transcriptions` },
    { label: 'Health', value: `${base}/health` },
    { label: 'Metrics', value: `${base}/metrics` },
    {
      label: 'Try',
      value: `${key}${tls}npx kikitori transcribe samples/ferry.flac --url ws${s}://${host}:${port}`,
      isPlain: true,
    },
  ];
}

/** What Home Assistant is told, in its integration "Wyoming Protocol". */
function wyomingLines({ wyoming, others }: ServedAt): readonly Announced[] {
  if (wyoming === undefined) return [];
  return hostsToShow({ host: wyoming.host, others }).map((host) => ({
    label: 'Wyoming',
    value: `${host} port ${wyoming.port}`,
    isPlain: true,
  }));
}

/** Browsers give a microphone to https, and to this computer's own name for itself. */
function microphoneLines(
  { port, isTls, others, publicUrl = '' }: ServedAt,
  hosts: readonly string[],
): readonly Announced[] {
  if (isTls || others.length === 0 || publicUrl.startsWith('https:')) return [];
  const own = hosts.find(isLoopback);
  const where = own === undefined ? 'at none of these addresses' : `only at ${pageUrl(own, port, '')}`;
  return [
    {
      label: 'Microphone',
      value: where,
      note: 'for others browsers want https: add --tls-self-signed, or --tls-cert and --tls-key',
      isPlain: true,
    },
  ];
}

function certificateLine(fingerprint: string): Announced {
  return {
    label: 'Certificate',
    value: `SHA-256 ${fingerprint}`,
    note: 'made here: a browser warns once; go on if it shows this fingerprint',
    isPlain: true,
  };
}

/** The page is called by a name that browsers trust with a microphone, whatever the scheme. */
function pageUrl(host: string, port: number, s: '' | 's'): string {
  return `http${s}://${host === DEFAULT_HOST ? 'localhost' : host}:${port}`;
}

/** A wildcard address is shown as the addresses that it stands for. */
function hostsToShow({ host, others }: Pick<ServedAt, 'host' | 'others'>): readonly string[] {
  const plain = host.replace(/^\[(.*)\]$/, '$1');
  if (plain !== '0.0.0.0' && plain !== '::') return [plain.includes(':') ? `[${plain}]` : plain];
  return [DEFAULT_HOST, ...others];
}
