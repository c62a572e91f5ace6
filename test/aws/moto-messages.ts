/** What goes to moto and comes back. */

/** Headers in lower case, and bytes. */
export interface Message {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What somebody asks of AWS. */
export interface Asked extends Message {
  readonly method: string;
  readonly path: string;
  /** `sagemaker:DescribeEndpoint`; `registry:PUT` where a builder pushes. */
  readonly operation: string;
}

/** What is answered. */
export interface Answered extends Message {
  readonly status: number;
}

/** An answer in JSON. */
export function jsonAnswer(value: unknown): Answered {
  const body = Buffer.from(JSON.stringify(value));
  return { status: 200, headers: { 'content-type': 'application/x-amz-json-1.1' }, body };
}

/** An answer of the services that speak XML. */
export function xmlAnswer(action: string, result: string, status = 200): Answered {
  const body =
    status === 200
      ? `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`
      : `<ErrorResponse><Error><Type>Sender</Type>${result}</Error></ErrorResponse>`;
  return { status, headers: { 'content-type': 'text/xml' }, body: Buffer.from(body) };
}

/** Everything that comes in. */
export async function readAll(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const blocks: Buffer[] = [];
  for await (const block of stream) blocks.push(block as Buffer);
  return Buffer.concat(blocks);
}
