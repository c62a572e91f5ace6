/** Every bound of every package, as the packages themselves hold them. */
import * as web from '../../apps/web/src/live/limits.js';
import * as audioFile from '../../packages/audio/src/file/limits.js';
import * as audio from '../../packages/audio/src/limits.js';
import * as bridge from '../../packages/bridge/src/limits.js';
import * as supervisor from '../../packages/bridge/src/supervisor/limits.js';
import * as cli from '../../packages/cli/src/limits.js';
import * as capture from '../../packages/client/src/browser/limits.js';
import * as captions from '../../packages/client/src/captions/limits.js';
import { CLIENT_LIMITS } from '../../packages/client/src/limits.js';
import * as artefacts from '../../packages/deploy/src/artefacts/limits.js';
import * as image from '../../packages/deploy/src/image/limits.js';
import * as deploy from '../../packages/deploy/src/limits.js';
import * as engine from '../../packages/engine/src/limits.js';
import * as moonshine from '../../packages/engine-moonshine/src/limits.js';
import * as store from '../../packages/engine-moonshine/src/store/limits.js';
import { DEFAULT_POLICY } from '../../packages/engine-moonshine/src/stream/policy.js';
import * as protocol from '../../packages/protocol/src/limits.js';
import * as sagemaker from '../../packages/sagemaker/src/limits.js';
import * as runtime from '../../packages/sagemaker/src/runtime/limits.js';
import * as server from '../../packages/server/src/limits.js';
import * as frames from '../../packages/transport/src/frames/limits.js';
import { HTTP_SERVER_DEFAULTS, TRANSPORT_LIMITS } from '../../packages/transport/src/limits.js';

/** What of the recogniser's policy bounds memory or work; the rest shapes what is heard. */
const {
  windowMsMax,
  contextMs,
  busyWindowMsMax,
  busyContextMs,
  batchWindowMsMax,
  sharedWindowMsMax,
  carryContextMs,
  holdMs,
} = DEFAULT_POLICY;
const { againShare, tokensPerSecondMax } = DEFAULT_POLICY;
const policy = {
  DEFAULT_POLICY: {
    windowMsMax,
    contextMs,
    busyWindowMsMax,
    busyContextMs,
    batchWindowMsMax,
    sharedWindowMsMax,
    carryContextMs,
    holdMs,
    againShare,
    tokensPerSecondMax,
  },
};

/** Modules by the file that they are, in the order of docs/bounds.md. */
export const LIMIT_FILES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'packages/protocol/src/limits.ts': protocol,
  'packages/transport/src/limits.ts': { TRANSPORT_LIMITS, HTTP_SERVER_DEFAULTS },
  'packages/transport/src/frames/limits.ts': frames,
  'packages/server/src/limits.ts': server,
  'packages/client/src/limits.ts': { CLIENT_LIMITS },
  'packages/client/src/browser/limits.ts': capture,
  'packages/client/src/captions/limits.ts': captions,
  'packages/engine/src/limits.ts': engine,
  'packages/engine-moonshine/src/limits.ts': moonshine,
  'packages/engine-moonshine/src/stream/policy.ts': policy,
  'packages/engine-moonshine/src/store/limits.ts': store,
  'packages/audio/src/limits.ts': audio,
  'packages/audio/src/file/limits.ts': audioFile,
  'packages/bridge/src/limits.ts': bridge,
  'packages/bridge/src/supervisor/limits.ts': supervisor,
  'packages/sagemaker/src/limits.ts': sagemaker,
  'packages/sagemaker/src/runtime/limits.ts': runtime,
  'packages/deploy/src/limits.ts': deploy,
  'packages/deploy/src/artefacts/limits.ts': artefacts,
  'packages/deploy/src/image/limits.ts': image,
  'packages/cli/src/limits.ts': cli,
  'apps/web/src/live/limits.ts': web,
};

/** One bound: `TRANSPORT_LIMITS.sendBytesMax` and its figure as the documentation writes it. */
export interface Bound {
  readonly name: string;
  readonly figure: string;
}

/** The bounds of one module. Tables that are made from another (`TRANSFER_DEFAULTS`) say nothing of their own. */
export function boundsOf(module: Readonly<Record<string, unknown>>): Bound[] {
  const bounds: Bound[] = [];
  for (const [group, value] of Object.entries(module)) {
    if (typeof value === 'number') bounds.push({ name: group, figure: figureOf(group, value) });
    if (typeof value !== 'object' || value === null || group === 'TRANSFER_DEFAULTS') continue;
    for (const [name, figure] of Object.entries(value)) {
      if (typeof figure !== 'number') throw new TypeError(`${group}.${name} is no figure.`);
      bounds.push({ name: `${group}.${name}`, figure: figureOf(name, figure) });
    }
  }
  return bounds;
}

const TIMES = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;
const SIZES = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
] as const;

/** `30 s`, `16 MiB`, `4,096`: the unit is told by the end of the name. */
function figureOf(name: string, value: number): string {
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
  // Node's own options of HTTP servers name no unit.
  if (/\bms\b|(timeout|interval)$/.test(words)) return inUnits(value, TIMES, 'ms');
  if (/\bbytes\b|header size$/.test(words)) return inUnits(value, SIZES, 'B');
  if (/\bmib\b/.test(words)) return `${value} MiB`;
  if (/\bs( min| max| default)?$/.test(words) && !words.includes('per s')) return `${value} s`;
  if (/\bhz\b/.test(words)) return `${value.toLocaleString('en')} Hz`;
  return value.toLocaleString('en');
}

function inUnits(value: number, units: readonly (readonly [string, number])[], smallest: string): string {
  for (const [unit, size] of units) {
    const count = value / size;
    if (value !== 0 && count >= 1 && Number.isInteger(count * 2))
      return `${count.toLocaleString('en')} ${unit}`;
  }
  return `${value.toLocaleString('en')} ${smallest}`;
}
