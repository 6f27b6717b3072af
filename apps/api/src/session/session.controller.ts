import { Body, Controller, Delete, HttpCode, Inject, Post, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiTags } from '@nestjs/swagger';
import { sessionRequest } from '@app/contracts';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { Open } from '../http/api-key.guard.js';
import { issueSession, sameSecret, secretDigest, SESSION_COOKIE, SESSION_SECONDS } from '../http/browser-session.js';
import { Documented } from '../http/documented.js';
import { ProblemException } from '../http/problem.js';
import { CONFIG, type Config } from '../ports.js';

/** For the page: an event stream of a browser can't send a header, a cookie goes along by itself. */
@Open()
@ApiTags('service')
@Controller('v1/session')
export class SessionController {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @Post()
  @HttpCode(204)
  @Documented('Gives the API key once; a cookie stands for it in this browser for 12 hours')
  @ApiNoContentResponse()
  start(@Body({ schema: sessionRequest }) { apiKey }: z.output<typeof sessionRequest>, @Req() request: Request, @Res({ passthrough: true }) response: Response): void {
    const { apiKey: expected } = this.config;
    if (expected === null) return;
    if (!sameSecret(apiKey, secretDigest(expected))) throw new ProblemException('unauthorized', 'that is not the key of this service');
    response.cookie(SESSION_COOKIE, issueSession(expected, Date.now()), { httpOnly: true, sameSite: 'strict', secure: request.secure, path: '/', maxAge: 1000 * SESSION_SECONDS });
  }

  @Delete()
  @HttpCode(204)
  @Documented('Ends the session of this browser')
  @ApiNoContentResponse()
  end(@Res({ passthrough: true }) response: Response): void {
    response.clearCookie(SESSION_COOKIE, { httpOnly: true, sameSite: 'strict', path: '/' });
  }
}
