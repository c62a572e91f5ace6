import { createHmac } from 'node:crypto';
import { SAGEMAKER_LIMITS } from '../limits.js';

/** The service name in the scope of a signature. */
export const SIGNING_SERVICE = 'sagemaker';

/** What a signing key is good for. */
export interface SigningScope {
  /** `YYYYMMDD` */
  readonly day: string;
  readonly region: string;
  /** Default `sagemaker`. */
  readonly service?: string;
}

/** `<day>/<region>/<service>/aws4_request` */
export function scopeText({ day, region, service = SIGNING_SERVICE }: SigningScope): string {
  return `${day}/${region}/${service}/aws4_request`;
}

/** Derives keys and keeps the last few: the four HMACs happen once per day, region and secret. */
export class SigningKeys {
  readonly #keys = new Map<string, Buffer>();

  /** The 32 bytes that sign within this scope; the caller must not change them. */
  get(secretAccessKey: string, scope: SigningScope): Buffer {
    const { day, region, service = SIGNING_SERVICE } = scope;
    const name = `${day}/${region}/${service}/${secretAccessKey}`;
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    let key = hmac(Buffer.from(`AWS4${secretAccessKey}`, 'utf8'), day);
    for (const step of [region, service, 'aws4_request']) key = hmac(key, step);
    this.#keys.set(name, key);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= SAGEMAKER_LIMITS.signingKeysMax) break;
      this.#keys.delete(oldest);
    }
    return key;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest();
}
