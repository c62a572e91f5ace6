import { type Clock, TokenBuckets } from '@kikitori/core';
import { TransportError } from '@kikitori/transport';
import {
  judgeOrigin,
  type OriginPolicy,
  originPolicy,
  shareNameOf,
  TrustedProxies,
} from '@kikitori/transport/doors';
import { ServerError } from '../errors.js';
import { DOOR_LIMITS, type DoorLimits } from '../limits.js';
import { Authenticator, type Caller } from './authenticator.js';
import type { Credential } from './credentials.js';
import { fixedKeys, type KeySource, type KnownKey } from './keys.js';
import { QuickEnds, type SessionYield } from './quick-ends.js';

/** Who may enter, from where, and how often. */
export interface DoorOptions {
  /** Keys that stay as they are; any of them opens every route but the public ones. Default: none. */
  readonly apiKey?: string | readonly string[];
  /** More keys, which may change meanwhile (`openKeyFile`). A source without keys lets nobody in. */
  readonly keySources?: readonly KeySource[];
  /** Origins of other sites whose pages may use this server: `https://example.com`. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Bounds that differ from `DOOR_LIMITS`. */
  readonly doorLimits?: Partial<DoorLimits>;
  /** Listens on an address that only this machine reaches. Default false. */
  readonly isLoopback?: boolean;
  /** Addresses and subnets of proxies whose `X-Forwarded-For` says on whose behalf they ask. Default: nobody is believed. */
  readonly trustedProxies?: readonly string[];
}

/** Whoever knocks, over HTTP or with a handshake. */
export interface Knock {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly remoteAddress: string;
  /** What is shown, wherever it was carried. */
  readonly credential: Credential | undefined;
  /** A token is not enough. */
  readonly needsKey?: boolean;
}

/** Where somebody knocks with a handshake. */
export interface Visit extends Pick<Knock, 'headers' | 'remoteAddress'> {
  readonly path: string;
}

/** Why somebody was sent away. */
export type DoorRefusal =
  | { readonly reason: 'unauthorized' | 'token'; readonly status: 401 | 403; readonly message: string }
  | { readonly reason: 'origin' | 'host'; readonly status: 403; readonly message: string }
  | {
      readonly reason: 'rate' | 'key_busy';
      readonly status: 429;
      readonly message: string;
      readonly retryAfterS: number;
    };

/** What the doorman says. */
export type DoorVerdict = { readonly caller: Caller } | { readonly refusal: DoorRefusal };

const KEY_BUSY_RETRY_S = 5;
/** Enough to tell programs apart; the table of those has a bound in bytes by it. */
const USER_AGENT_CHARS_MAX = 64;

/**
 * Stands at every door of a server: origin, key, rate. The rate is that of the key where a good one was shown, else that
 * of the address: what strangers do behind an address costs nobody who has a key there.
 */
export class Doorman {
  readonly authenticator: Authenticator;
  readonly proxies: TrustedProxies;
  readonly #sources: readonly KeySource[];
  readonly #policy: OriginPolicy;
  readonly #limits: DoorLimits;
  readonly #byAddress: TokenBuckets;
  readonly #byKey: TokenBuckets;
  readonly #quickEnds: QuickEnds;
  /** Sessions that run, by the name of the key that opened them; keys without any are not in it. */
  readonly #sessions = new Map<string, number>();

  /** Throws `ServerError` `invalid_option` for an empty key, or what is no origin or no address. */
  constructor(options: DoorOptions, clock: Clock) {
    const { apiKey = [], keySources = [], allowedOrigins = [], isLoopback = false, trustedProxies } = options;
    const fixed = typeof apiKey === 'string' ? [apiKey] : apiKey;
    const sources = [...(fixed.length === 0 ? [] : [fixedKeys(fixed)]), ...keySources];
    this.#sources = sources;
    this.authenticator = new Authenticator(sources, () => Math.floor(clock.unixMs() / 1000));
    const { isGuarded } = this.authenticator;
    this.#policy = checked(() => originPolicy({ allowedOrigins, isLoopback, isGuarded }));
    this.proxies = checked(() => new TrustedProxies(trustedProxies));
    this.#limits = { ...DOOR_LIMITS, ...options.doorLimits };
    const { connectsPerSecond: perSecond, connectsBurst: burst, ratedNamesMax } = this.#limits;
    const nowMs = (): number => clock.nowMs();
    this.#byAddress = new TokenBuckets({ perSecond, burst }, ratedNamesMax, nowMs);
    this.#byKey = new TokenBuckets({ perSecond, burst }, ratedNamesMax, nowMs);
    this.#quickEnds = new QuickEnds(this.#limits, nowMs);
  }

  /** False: a key file cannot be read, so that the keys may not be those that should be good. */
  get areKeysCurrent(): boolean {
    return this.#sources.every(({ isCurrent = true }) => isCurrent);
  }

  /** Whether pages of that origin may read what is answered. */
  allowsOrigin(knock: Pick<Knock, 'headers'>): boolean {
    return this.#originRefusal(knock) === undefined;
  }

  /** Lets in or sends away. */
  judge(knock: Knock): DoorVerdict {
    const origin = this.#originRefusal(knock);
    if (origin !== undefined) return { refusal: origin };
    const caller = this.authenticator.identify(knock.credential);
    const key = caller?.key;
    const late = key === undefined ? this.#byAddress.take(this.addressOf(knock)) : this.#byKey.take(key.name);
    if (late > 0) return { refusal: tooOften(late) };
    if (caller === undefined) return { refusal: UNKNOWN };
    if (knock.needsKey === true && caller.isToken) return { refusal: TOKEN_ONLY };
    return { caller };
  }

  /** Under which name quick ends of whoever knocks are counted: programs of another kind behind the same address are others. */
  clientOf({ headers, remoteAddress, path }: Visit, { key }: Caller): string {
    const owner =
      key === undefined ? `address ${this.addressOf({ headers, remoteAddress })}` : `key ${key.name}`;
    const program = (text(headers['user-agent']) ?? '').slice(0, USER_AGENT_CHARS_MAX);
    return `${owner} ${path} ${program}`;
  }

  /** Why that client may begin no session now. */
  whyHeldUp(client: string): DoorRefusal | undefined {
    const retryAfterS = this.#quickEnds.waitS(client);
    return retryAfterS === 0 ? undefined : { ...HELD_UP, retryAfterS };
  }

  /** A session of that client is over. */
  noteEnd(client: string, end: SessionYield): void {
    this.#quickEnds.note(client, end);
  }

  /** Under which name shares and rates of whoever knocks are counted, where no key says it. */
  addressOf({ headers, remoteAddress }: Pick<Knock, 'headers' | 'remoteAddress'>): string {
    return shareNameOf(this.proxies.clientOf(remoteAddress, text(headers['x-forwarded-for'])));
  }

  /** Why that key may open no further session now. */
  whyKeyFull({ key }: Caller): DoorRefusal | undefined {
    const { sessionsPerKeyMax: max } = this.#limits;
    return key === undefined || max === 0 || this.#running(key) < max ? undefined : KEY_BUSY;
  }

  /** A session of that caller has begun; call the answer when it is over. */
  count({ key }: Caller): () => void {
    if (key === undefined) return () => undefined;
    this.#sessions.set(key.name, this.#running(key) + 1);
    return () => {
      const left = this.#running(key) - 1;
      if (left > 0) this.#sessions.set(key.name, left);
      else this.#sessions.delete(key.name);
    };
  }

  #running({ name }: KnownKey): number {
    return this.#sessions.get(name) ?? 0;
  }

  #originRefusal({ headers }: Pick<Knock, 'headers'>): DoorRefusal | undefined {
    const verdict = judgeOrigin(
      { origin: text(headers['origin']), host: text(headers['host']) },
      this.#policy,
    );
    if (verdict === 'ok') return undefined;
    if (verdict === 'foreign_origin') return FOREIGN_ORIGIN;
    return this.#policy.hosts === 'loopback' ? FOREIGN_HOST : FOREIGN_NETWORK;
  }
}

/** Says in the server's error what somebody set wrongly. */
function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof TransportError)) throw cause;
    throw new ServerError('invalid_option', cause.message, { cause });
  }
}

const UNKNOWN: DoorRefusal = {
  reason: 'unauthorized',
  status: 401,
  message: 'Unauthorized',
};
const TOKEN_ONLY: DoorRefusal = {
  reason: 'token',
  status: 403,
  message: 'A token opens sessions only; this needs the key itself.',
};
const FOREIGN_ORIGIN: DoorRefusal = {
  reason: 'origin',
  status: 403,
  message: 'Pages of this origin may not use this server; its operator can allow them with --allow-origin.',
};
const FOREIGN_HOST: DoorRefusal = {
  reason: 'host',
  status: 403,
  message:
    'Without a key this server answers under the names of this machine only; call it localhost, set a key, or allow the name with --allow-origin.',
};
const FOREIGN_NETWORK: DoorRefusal = {
  reason: 'host',
  status: 403,
  message:
    'Without a key this server answers under addresses and names of its own network only; call it by its address, set a key, or allow the name with --allow-origin.',
};
const KEY_BUSY: DoorRefusal = {
  reason: 'key_busy',
  status: 429,
  message: 'This key has as many sessions as it may; end one first.',
  retryAfterS: KEY_BUSY_RETRY_S,
};

const HELD_UP = {
  reason: 'rate',
  status: 429,
  message:
    'Sessions of this client end as soon as they begin. Wait a little, and look at the errors that they were told.',
} as const;

function tooOften(retryAfterS: number): DoorRefusal {
  return {
    reason: 'rate',
    status: 429,
    message: 'Too many connections in a short time; wait a little.',
    retryAfterS,
  };
}

function text(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value;
}

/** The headers that go with a refusal. */
export function refusalHeaders(refusal: DoorRefusal): Readonly<Record<string, string>> {
  if (refusal.status === 429) return { 'retry-after': String(refusal.retryAfterS) };
  return refusal.status === 401 ? { 'www-authenticate': 'Bearer' } : {};
}

/** The body of a refusal: vLLM's for 401. */
export function refusalBody({ message }: Pick<DoorRefusal, 'message'>): string {
  return JSON.stringify({ error: message });
}
