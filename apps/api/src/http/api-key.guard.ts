import { Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request } from 'express';
import { holdsSession, sameSecret, secretDigest } from './browser-session.js';
import { ProblemException } from './problem.js';

const OPEN = 'caddis:open';

/** Marks a controller that needs no key even if one is configured. */
export const Open = (): ClassDecorator => SetMetadata(OPEN, true);

/** Asks for `Authorization: Bearer …`, `X-API-Key` or a browser's session where the service has a key. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  private readonly expected: Buffer | null;

  constructor(private readonly apiKey: string | null, private readonly reflector: Reflector) {
    this.expected = apiKey === null ? null : secretDigest(apiKey);
  }

  canActivate(context: ExecutionContext): boolean {
    if (this.apiKey === null || this.expected === null || this.reflector.get<boolean | undefined>(OPEN, context.getClass()) === true) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const { authorization, 'x-api-key': header } = request.headers;
    const given = /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1] ?? (typeof header === 'string' ? header : '');
    if (sameSecret(given, this.expected) || holdsSession(request, this.apiKey, Date.now())) return true;
    throw new ProblemException('unauthorized', 'send the key as "Authorization: Bearer …" or "X-API-Key"', {}, { 'WWW-Authenticate': 'Bearer realm="caddis"' });
  }
}
