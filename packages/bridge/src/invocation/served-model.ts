import { isRecord, parseJson } from '@kikitori/core';
import { askModels } from '../http/models.js';
import type { Upstream } from '../http/upstream.js';
import type { BridgeLimits } from '../limits.js';

/** The name by which the model server serves its model: some servers want one in each form, and a caller of SageMaker knows none. */
export class ServedModel {
  readonly #upstream: Pick<Upstream, 'modelsUrl' | 'headers'>;
  readonly #limits: BridgeLimits;
  #name: string | undefined;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(upstream: Pick<Upstream, 'modelsUrl' | 'headers'>, limits: BridgeLimits) {
    this.#upstream = upstream;
    this.#limits = limits;
  }

  /**
   * The first of its list, which holds for a minute; undefined where it cannot be had in time: most servers do without. Never rejects.
   *
   * @param authorization the caller's key, where it shows one
   */
  async name(authorization: string | undefined, signal: AbortSignal): Promise<string | undefined> {
    if (performance.now() - this.#askedMs < this.#limits.modelNameHoldsMs) return this.#name;
    const { modelsUrl, headers: own } = this.#upstream;
    const headers = { ...own, ...(authorization === undefined ? {} : { authorization }) };
    const { status, body } = await askModels(modelsUrl, { headers, signal, limits: this.#limits });
    const name = status === 200 ? firstName(String(body)) : undefined;
    if (name !== undefined) {
      this.#name = name;
      this.#askedMs = performance.now();
    }
    return name;
  }
}

function firstName(body: string): string | undefined {
  const list = parseJson(body);
  const [first] = isRecord(list) && Array.isArray(list['data']) ? list['data'] : [];
  return isRecord(first) && typeof first['id'] === 'string' ? first['id'] : undefined;
}
