import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Values by field name, in order; a field may come several times. */
export type FormFields = ReadonlyMap<string, readonly string[]>;

/** What stands around a file in `multipart/form-data`. */
export interface FormFrame {
  readonly contentType: string;
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** Where SageMaker hands on what its caller says beside the body. */
const ATTRIBUTES_HEADER = 'x-amzn-sagemaker-custom-attributes';

/** The file itself; and what callers of AWS's own containers say, where `/invocations` leads to several routes. */
const NO_FIELDS = ['file', 'route'];

/** A media type as it may stand in a header, with its parameters. */
const MEDIA_TYPE = /^[\w.+-]+\/[\x20-\x7e]+$/;

/** Whether the body is a form already. */
export function isForm({ headers }: IncomingMessage): boolean {
  return (headers['content-type'] ?? '').toLowerCase().startsWith('multipart/form-data');
}

/** The fields of a file that is the whole body, as our server reads them: in the query, and in SageMaker's custom attributes. */
export function fieldsOf({ url = '', headers }: IncomingMessage): FormFields {
  const queryAt = url.indexOf('?');
  const texts = [queryAt === -1 ? '' : url.slice(queryAt + 1), headers[ATTRIBUTES_HEADER]];
  const fields = new Map<string, string[]>();
  for (const text of texts) {
    for (const [name, value] of new URLSearchParams(String(text ?? ''))) {
      if (NO_FIELDS.includes(name)) continue;
      fields.set(name, [...(fields.get(name) ?? []), value]);
    }
  }
  return fields;
}

/**
 * What to send around a file, so that it arrives as the part `file` of a form. The fields stand in front of it: a server that is asked
 * for a stream can begin while the file still comes. It has no ending in its name, since what it is shows in its bytes.
 */
export function frameFile(fields: FormFields, fileType: string | undefined): FormFrame {
  const boundary = `kikitori-${randomBytes(16).toString('hex')}`;
  const type = fileType !== undefined && MEDIA_TYPE.test(fileType) ? fileType : 'application/octet-stream';
  const parts = [...fields].flatMap(([name, values]) =>
    values.map(
      (value) =>
        `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"\r\n\r\n${value}\r\n`,
    ),
  );
  const file = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="audio"\r\nContent-Type: ${type}\r\n\r\n`;
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    head: Buffer.from(`${parts.join('')}${file}`),
    tail: Buffer.from(`\r\n--${boundary}--\r\n`),
  };
}

/** As browsers do. */
function escapeName(name: string): string {
  return name.replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('"', '%22');
}
