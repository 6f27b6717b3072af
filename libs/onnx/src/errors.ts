/** A model that we cannot write or read; the message says what came and what was due. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError';
}
