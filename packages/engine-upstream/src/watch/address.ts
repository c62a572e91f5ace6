import { realtimeUrl } from '@kikitori/client';
import { basicLogin } from '@kikitori/core';

/** How one server is asked over HTTP. */
export interface Asked {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The address of another route of the server at `url`, such as `health`: beside `/v1`, also below a path of a proxy. The key goes
 * along as a header, and so does the name and the password of the address, which `fetch` takes nowhere else.
 */
export function besideRealtime(url: string, route: string, apiKey: string | undefined): Asked {
  const address = new URL(realtimeUrl({ url }).replace(/^ws/, 'http'));
  const version = address.pathname.lastIndexOf('/v1/');
  const above = address.pathname.slice(0, version === -1 ? address.pathname.lastIndexOf('/') : version);
  const authorization = apiKey === undefined ? basicLogin(address) : `Bearer ${apiKey}`;
  address.pathname = `${above}/${route}`;
  address.search = '';
  address.hash = '';
  address.username = '';
  address.password = '';
  return { url: address, headers: authorization === undefined ? {} : { authorization } };
}
