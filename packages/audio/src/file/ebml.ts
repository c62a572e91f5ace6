/** The encoding that Matroska is written in (RFC 8794). */

/** What `vint` gives for a size that the file does not state. */
export const UNKNOWN_SIZE = -1;

/** A size: the marker bit removed; `UNKNOWN_SIZE` where all bits are ones. */
export function vint(bytes: Uint8Array): number {
  const bits = 7 * bytes.length;
  const value = BigInt.asUintN(bits, unsigned(bytes));
  return value === (1n << BigInt(bits)) - 1n ? UNKNOWN_SIZE : Number(value);
}

/** Numbers have at most eight bytes; sizes are the file's word. */
export function isNumber(sizeBytes: number): boolean {
  return sizeBytes >= 0 && sizeBytes <= 8;
}

/** The whole number of an element; 0 where it is longer than numbers are. */
export function unsigned(bytes: Uint8Array): bigint {
  let value = 0n;
  if (!isNumber(bytes.length)) return value;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** The elements directly inside `bytes`. Ends quietly where one does not fit. */
export function* children(bytes: Uint8Array): Generator<{ id: number; body: Uint8Array }> {
  for (let at = 0; at < bytes.length; ) {
    const idBytes = Math.clz32(bytes[at] ?? 0) - 23;
    const sizeBytes = Math.clz32(bytes[at + idBytes] ?? 0) - 23;
    if (idBytes > 4 || sizeBytes > 8) return;
    const bodyAt = at + idBytes + sizeBytes;
    const size = vint(bytes.subarray(at + idBytes, bodyAt));
    if (size < 0 || bodyAt + size > bytes.length) return;
    yield {
      id: Number(unsigned(bytes.subarray(at, at + idBytes))),
      body: bytes.subarray(bodyAt, bodyAt + size),
    };
    at = bodyAt + size;
  }
}

/** The number of an element of four or eight bytes; undefined for any other. */
export function float(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return view.getFloat32(0);
  return bytes.length === 8 ? view.getFloat64(0) : undefined;
}
