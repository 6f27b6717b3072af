import { StringDecoder } from 'node:string_decoder';

/** Longest line taken from a command, in characters. */
const MAX_LINE = 4_000_000;

/** Cuts a byte stream into lines; a character that falls between two chunks stays whole. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** Complete lines so far, without line ends and without empty ones. @throws RangeError on a line longer than 4 million characters */
  push(chunk: Buffer): string[] {
    const parts = (this.#rest + this.#decoder.write(chunk)).split(/\r?\n/);
    this.#rest = parts.pop()!;
    if (this.#rest.length > MAX_LINE) throw new RangeError(`expected lines of at most ${MAX_LINE} characters`);
    return parts.filter((line) => line.trim() !== '');
  }
}
