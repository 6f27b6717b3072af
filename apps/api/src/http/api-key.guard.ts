import { createHash, timingSafeEqual } from 'node:crypto';
import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { ProblemException } from './problem.js';

const OPEN = 'caddis:open';

/** Marks a controller that needs no key even if one is configured. */
export const Open = (): ClassDecorator => SetMetadata(OPEN, true);

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Asks for `Authorization: Bearer …` or `X-API-Key` where the service has a key. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly expected: Buffer | null;

  constructor(apiKey: string | null, private readonly reflector: Reflector) {
    this.expected = apiKey === null ? null : digest(apiKey);
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.expected === null || this.reflector.get<boolean | undefined>(OPEN, context.getClass()) === true) return true;
    const { authorization, 'x-api-key': header } = context.switchToHttp().getRequest<Request>().headers;
    const given = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1] ?? (typeof header === 'string' ? header : '');
    // Digests have one length, so the comparison tells nothing about the key's.
    if (timingSafeEqual(digest(given), this.expected)) return true;
    throw new ProblemException('unauthorized', 'send the key as "Authorization: Bearer …" or "X-API-Key"', {}, { 'WWW-Authenticate': 'Bearer realm="caddis"' });
  }
}
