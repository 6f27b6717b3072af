import type { NextFunction, Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import { ProblemException } from './problem.js';

/** Headers for the page: everything from our own origin, no script but files of ours. Charts set style attributes. */
export function securityHeaders(): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"], scriptSrc: ["'self'"], styleSrc: ["'self'", "'unsafe-inline'"], imgSrc: ["'self'", 'data:', 'blob:'],
        fontSrc: ["'self'"], connectSrc: ["'self'"], workerSrc: ["'self'", 'blob:'], objectSrc: ["'none'"], baseUri: ["'self'"],
        formAction: ["'self'"], frameAncestors: ["'none'"],
      },
    },
    // Whoever puts TLS in front sets it there; here it would lock plain HTTP on a loopback.
    strictTransportSecurity: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
  });
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses changes that a page of another origin sends with the user's browser. */
export function sameOrigin(): RequestHandler {
  return (request: Request, _response: Response, next: NextFunction): void => {
    const { origin, host } = request.headers;
    const foreign = origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
    if (!SAFE.has(request.method) && (foreign || request.headers['sec-fetch-site'] === 'cross-site')) {
      next(new ProblemException('cross-origin', `the request comes from ${origin ?? 'another site'}`));
      return;
    }
    next();
  };
}
