let lastNumber = 0;

/** A name for a connection: unique within the process, says nothing about the peer, safe to log. */
export function nextConnectionId(kind: 'ws' | 'memory'): string {
  lastNumber += 1;
  return `${kind}-${lastNumber}`;
}
