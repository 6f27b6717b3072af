const ESCAPE = /\\(?:u([0-9a-f]{4})|[^u])/g;

/**
 * JSON text that Postgres takes too. Its text has no NUL, and its jsonb no lone surrogates: both become U+FFFD, so that a strange byte in
 * a command's output can't fail a whole step. NaN and infinities become null, as JSON has it.
 */
export function storedJson(value: unknown): string {
  const text = JSON.stringify(value);
  // JSON.stringify writes \u only for control characters and lone surrogates.
  return text.includes('\\u') ? text.replace(ESCAPE, (whole, hex: string | undefined) => (hex === '0000' || hex?.startsWith('d') ? '\ufffd' : whole)) : text;
}

/** The value as it will be read back. */
export const asStored = <T>(value: T): T => JSON.parse(storedJson(value)) as T;

/** A text as it will be read back. */
export const storedText = (text: string): string => asStored(text);
