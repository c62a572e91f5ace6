/** A name for a session. Letters and digits: it also names a share. Not `randomUUID`, which pages over plain http lack. */
export function newId(): string {
  const random = crypto.getRandomValues(new Uint32Array(2));
  return `${Date.now().toString(36)}-${Array.from(random, (part) => part.toString(36)).join('')}`;
}
