import type { Clock, Logger } from '@kikitori/core';
import { type EndpointStatus, HealthGate } from './health-gate.js';
import { type HttpFailure, inputValidationError, throttlingException, type Verdict } from './http-failure.js';
import type { StandInLimits } from './limits.js';

/** The label without which SageMaker opens no WebSocket to a container; its value must be `true`. */
export const STREAMING_LABEL = 'com.amazonaws.sagemaker.capabilities.bidirectional-streaming';

/** A part of an endpoint that a request may name with `TargetVariant`. */
export interface VariantOptions {
  readonly name: string;
  /** Default: the endpoint's. */
  readonly containerUrl?: string;
  /** Share of the requests that name no variant. Default 1; 0: only by name. */
  readonly weight?: number;
}

/** An endpoint to stand in for. */
export interface EndpointOptions {
  /** As in the path: at most 63 letters, digits and hyphens. */
  readonly name: string;
  /** Where the container listens: `ws://host:port`. Default `ws://127.0.0.1:8080`. */
  readonly containerUrl?: string;
  /** Default: one, named AllTraffic. */
  readonly variants?: readonly VariantOptions[];
  /** Twelve digits. Default: the stand-in's. */
  readonly accountId?: string;
  /** Default: the stand-in's. */
  readonly region?: string;
  /** Whether the image has `STREAMING_LABEL`. Default true; false: every stream is refused with 424. */
  readonly hasStreamingLabel?: boolean;
  /** Streams at once. One more: 429 `ThrottlingException`. Default: `limits.streamsPerEndpointMax`. */
  readonly streamsMax?: number;
}

/** What there is to know of an endpoint. */
export interface EndpointState {
  readonly name: string;
  readonly region: string;
  readonly accountId: string;
  readonly status: EndpointStatus;
  readonly streamCount: number;
}

/** Options with nothing left open. */
export type ResolvedVariant = Required<VariantOptions>;

/** Likewise; where the container listens is its variants' affair. */
export interface ResolvedEndpoint extends Required<Omit<EndpointOptions, 'containerUrl'>> {
  readonly variants: readonly ResolvedVariant[];
}

/** What an endpoint runs with. */
export interface EndpointParts {
  readonly options: ResolvedEndpoint;
  readonly limits: StandInLimits;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called at every change of the status. */
  readonly onStatus: (state: EndpointState) => void;
}

/** One endpoint: its containers' health, its variants, its streams. */
export class Endpoint implements EndpointState {
  readonly #parts: EndpointParts;
  readonly #gates: readonly HealthGate[];
  readonly #shares: Map<string, number>;
  #status: EndpointStatus = 'Creating';
  #streamCount = 0;

  constructor(parts: EndpointParts) {
    const { options, limits, clock } = parts;
    this.#parts = parts;
    const urls = new Set(options.variants.map(({ containerUrl }) => containerUrl));
    this.#gates = [...urls].map(
      (containerUrl) => new HealthGate({ containerUrl, limits, clock, onDecided: () => this.#update() }),
    );
    this.#shares = new Map(options.variants.map(({ name }) => [name, 0]));
  }

  get name(): string {
    return this.#parts.options.name;
  }

  get region(): string {
    return this.#parts.options.region;
  }

  get accountId(): string {
    return this.#parts.options.accountId;
  }

  get hasStreamingLabel(): boolean {
    return this.#parts.options.hasStreamingLabel;
  }

  get status(): EndpointStatus {
    return this.#status;
  }

  get streamCount(): number {
    return this.#streamCount;
  }

  /** Starts to ask the containers for their health. */
  start(): void {
    for (const gate of this.#gates) gate.start();
  }

  /** Asks no more. */
  stop(): void {
    for (const gate of this.#gates) gate.stop();
  }

  /** The variant for a request, or why there is none. */
  choose(targetVariant: string | undefined): Verdict<ResolvedVariant> {
    if (this.#status !== 'InService') {
      const text = `Endpoint ${this.name} of account ${this.accountId} is ${this.#status}, not InService.`;
      return { failure: inputValidationError(text, 'EndpointNotInService') };
    }
    const { variants } = this.#parts.options;
    const variant =
      targetVariant === undefined ? this.#nextVariant() : variants.find(({ name }) => name === targetVariant);
    if (variant !== undefined) return { value: variant };
    const text = `Endpoint ${this.name} of account ${this.accountId} has no such variant.`;
    return { failure: inputValidationError(text, 'VariantNotFound') };
  }

  /** Takes a place for a stream; whoever gets no failure calls `leave` once. */
  enter(): HttpFailure | undefined {
    if (this.#streamCount >= this.#parts.options.streamsMax) return throttlingException();
    this.#streamCount += 1;
    return undefined;
  }

  /** Gives the place back. */
  leave(): void {
    this.#streamCount -= 1;
  }

  /** Smooth weighted round robin: shares are kept at every moment, and no chance is involved. */
  #nextVariant(): ResolvedVariant | undefined {
    const { variants } = this.#parts.options;
    let best: ResolvedVariant | undefined;
    let total = 0;
    for (const variant of variants) {
      if (variant.weight === 0) continue;
      total += variant.weight;
      const share = this.#shareOf(variant) + variant.weight;
      this.#shares.set(variant.name, share);
      if (best === undefined || share > this.#shareOf(best)) best = variant;
    }
    if (best !== undefined) this.#shares.set(best.name, this.#shareOf(best) - total);
    return best;
  }

  #shareOf({ name }: ResolvedVariant): number {
    return this.#shares.get(name) ?? 0;
  }

  #update(): void {
    const statuses = this.#gates.map(({ status }) => status);
    const status = statuses.includes('Failed')
      ? 'Failed'
      : statuses.includes('Creating')
        ? 'Creating'
        : 'InService';
    if (status === this.#status) return;
    this.#status = status;
    const fields = { endpoint: this.name, region: this.region };
    if (status === 'Failed') {
      this.#parts.logger.error('endpoint failed: GET /ping of its container did not say 200 in time', fields);
    } else {
      this.#parts.logger.info('endpoint in service', fields);
    }
    this.#parts.onStatus(this);
  }
}
