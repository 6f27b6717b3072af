import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiDefaultResponse, ApiHeader, ApiNotModifiedResponse, ApiOperation, ApiParam, ApiProduces } from '@nestjs/swagger';
import { problem } from '@app/contracts';

/** Every operation: a summary, and problems as RFC 9457 has them. */
export const Documented = (summary: string): MethodDecorator =>
  applyDecorators(ApiOperation({ summary }), ApiDefaultResponse({ description: 'a problem, application/problem+json', standardSchema: problem }));

export const DocumentedId = (what: string): MethodDecorator => ApiParam({ name: 'id', description: `id of the ${what}`, schema: { type: 'string', format: 'uuid' } });

export const DocumentedTag = (): MethodDecorator =>
  applyDecorators(ApiHeader({ name: 'If-None-Match', required: false, description: 'the ETag the client has' }), ApiNotModifiedResponse({ description: 'the client has this revision' }));

/** A study specification in the body, read by the catalog with the same schema. */
export const DocumentedSpecBody = (): MethodDecorator =>
  applyDecorators(ApiConsumes('application/json', 'application/yaml'), ApiBody({ required: true, schema: { $ref: '#/components/schemas/StudySpec' } }));

export const DocumentedFile = (...types: string[]): MethodDecorator => ApiProduces(...types);
