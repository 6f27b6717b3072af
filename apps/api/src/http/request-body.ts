import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { LineCounter, parseDocument } from 'yaml';
import { ProblemException } from './problem.js';

const JSON_TYPE = /^application\/(json|[\w.-]+\+json)$/;
const YAML_TYPE = /^(application|text)\/(x-)?yaml$/;

/**
 * Reads a JSON or YAML body of at most `limitBytes` into `request.body`. Without a body it stays undefined.
 * Bodies of other types are refused (415): a form or plain text could be sent by any web page without asking.
 */
export function requestBody(limitBytes: number): RequestHandler {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const length = Number(request.headers['content-length'] ?? 0);
    if (length === 0 && request.headers['transfer-encoding'] === undefined) {
      next();
      return;
    }
    read(request, length, limitBytes).then((body) => {
      request.body = body;
      next();
    }, next);
  };
}

async function read(request: Request, length: number, limitBytes: number): Promise<unknown> {
  const tooLarge = (): ProblemException => {
    request.resume();
    return new ProblemException('body-too-large', `a body may have at most ${limitBytes} bytes`, {}, { Connection: 'close' });
  };
  if (length > limitBytes) throw tooLarge();
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  const parse = JSON_TYPE.test(type) ? parseJson : YAML_TYPE.test(type) ? parseYaml : null;
  if (parse === null) {
    request.resume();
    throw new ProblemException('unsupported-media-type', `send application/json or application/yaml, not ${type === '' ? 'a body without a type' : type}`);
  }
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
    request.resume();
    throw new ProblemException('unsupported-media-type', 'send the body without Content-Encoding');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return parse(decode(Buffer.concat(chunks)));
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw malformed('encoding', 'expected UTF-8, got other bytes');
  }
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const { message } = error as SyntaxError;
    const at = /position (\d+)/.exec(message);
    throw malformed('json-syntax', at && !/line \d+/.test(message) ? `${message} (${place(text, Number(at[1]))})` : message);
  }
}

/** YAML 1.2, one document; aliases may not blow up (the parser's limit on their number). */
function parseYaml(text: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: true });
  const fault = document.errors[0];
  if (fault) {
    const { line, col } = lineCounter.linePos(fault.pos[0]);
    throw malformed(`yaml-${fault.code.toLowerCase().replaceAll('_', '-')}`, `line ${line}, column ${col}: ${fault.message}`);
  }
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? undefined;
  } catch (error) {
    throw malformed('yaml-alias', (error as Error).message);
  }
}

function place(text: string, position: number): string {
  const before = text.slice(0, position).split('\n');
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

const malformed = (code: string, message: string): ProblemException => new ProblemException('malformed-body', message, { errors: [{ pointer: '', code, message }] });
