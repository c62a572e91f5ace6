/** The two dialects of AWS's older and newer services: forms and XML, and JSON with a target. */
import type { IncomingHttpHeaders } from 'node:http';

/** A request as it arrives: from a server of Node's, or in this process. */
export interface WireRequest extends AsyncIterable<unknown> {
  readonly url?: string | undefined;
  readonly method?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** To cut the line. */
  readonly socket: { destroy(): void };
}

/** Where the answer goes. */
export interface WireResponse {
  writeHead(status: number, headers?: Record<string, string | number>): this;
  end(body?: string | Buffer): void;
}

/** A request as a service sees it. */
export interface Call {
  /** The name that signed it: `sagemaker`, `cloudformation`, `monitoring`. */
  readonly service: string;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  readonly dialect: 'query' | 'json';
  /** `1.0` or `1.1`. */
  readonly jsonVersion: string;
}

/** What a service refuses with. */
export class ServiceFault extends Error {
  readonly status: number;
  override readonly name: string;

  constructor(name: string, message: string, status = 400) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** Reads a request. Throws where it is not signed: nothing of AWS answers that. */
export async function readCall(request: WireRequest): Promise<Call> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const scope = /Credential=[^/]+\/\d{8}\/[^/]+\/([^/]+)\/aws4_request/.exec(
    request.headers.authorization ?? '',
  );
  const service = scope?.[1];
  if (service === undefined)
    throw new ServiceFault('MissingAuthenticationToken', 'Missing Authentication Token', 403);
  const target = request.headers['x-amz-target'];
  if (typeof target === 'string') {
    const operation = target.slice(target.indexOf('.') + 1);
    const jsonVersion = /json-(1\.\d)/.exec(request.headers['content-type'] ?? '')?.[1] ?? '1.1';
    return { service, operation, input: JSON.parse(body === '' ? '{}' : body), dialect: 'json', jsonVersion };
  }
  const form = new URLSearchParams(body);
  return {
    service,
    operation: form.get('Action') ?? '',
    input: unflatten(form),
    dialect: 'query',
    jsonVersion: '',
  };
}

/** `Parameters.member.1.ParameterKey=a` → `{ Parameters: [{ ParameterKey: 'a' }] }`. */
function unflatten(form: URLSearchParams): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, value] of form) {
    if (path === 'Action' || path === 'Version') continue;
    const parts = path.split('.');
    let at: Record<string, unknown> = root;
    parts.forEach((part, index) => {
      if (index === parts.length - 1) at[part] = value;
      else {
        at[part] ??= {};
        at = at[part] as Record<string, unknown>;
      }
    });
  }
  return listed(root) as Record<string, unknown>;
}

function listed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const members = (value as { member?: Record<string, unknown> }).member;
  if (members !== undefined) return Object.values(members).map(listed);
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, listed(child)]));
}

export function answer(response: WireResponse, call: Call, output: Record<string, unknown>): void {
  if (call.dialect === 'json') {
    send(response, 200, `application/x-amz-json-${call.jsonVersion}`, JSON.stringify(output, dates));
    return;
  }
  const result = `<${call.operation}Response><${call.operation}Result>${xml(output)}</${call.operation}Result>`;
  const text = `${result}<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${call.operation}Response>`;
  send(response, 200, 'text/xml', text);
}

export function refuse(response: WireResponse, dialect: Call['dialect'], fault: ServiceFault): void {
  if (dialect === 'json') {
    const body = JSON.stringify({ __type: fault.name, message: fault.message });
    send(response, fault.status, 'application/x-amz-json-1.1', body, { 'x-amzn-errortype': fault.name });
    return;
  }
  const error = xml({ Error: { Type: 'Sender', Code: fault.name, Message: fault.message }, RequestId: 'r' });
  send(response, fault.status, 'text/xml', `<ErrorResponse>${error}</ErrorResponse>`);
}

function send(
  response: WireResponse,
  status: number,
  type: string,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': type, 'x-amzn-requestid': 'r', ...headers }).end(body);
}

/** JSON of these services has dates as seconds. */
function dates(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key];
  return raw instanceof Date ? raw.getTime() / 1_000 : value;
}

function xml(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => `<member>${xml(one)}</member>`).join('');
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) {
    return String(value ?? '').replace(/[<>&"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  }
  return Object.entries(value)
    .filter(([, child]) => child !== undefined)
    .map(([key, child]) => `<${key}>${xml(child)}</${key}>`)
    .join('');
}
