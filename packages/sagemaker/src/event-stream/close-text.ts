/** How a WebSocket close is told inside an event stream, which has no place for it but the words of an exception. */
export interface CloseText {
  readonly code: number;
  readonly reason: string;
}

// AWS's own words are not known: a code behind the word "code" or "status", the reason behind a colon, comma or dash.
const SHAPE = /\b(?:code|status)\b\D{0,8}?([134]\d{3})\b(?:\s*[:,(-]\s*([\s\S]*))?/i;

/** The words: `WebSocket closed with code 1012: restarting`. */
export function formatCloseText({ code, reason }: CloseText): string {
  return `WebSocket closed with code ${code}${reason === '' ? '' : `: ${reason}`}`;
}

/** Finds the close code, and the reason behind it, in the words of an exception; undefined when there is none. */
export function parseCloseText(text: string): CloseText | undefined {
  const [, code, reason = ''] = SHAPE.exec(text) ?? [];
  return code === undefined ? undefined : { code: Number(code), reason };
}
