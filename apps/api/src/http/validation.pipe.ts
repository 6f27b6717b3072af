import { Injectable, StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { ProblemException, inWords, schemaErrors } from './problem.js';

type Issues = Parameters<typeof schemaErrors>[0];

function failure(type: ArgumentMetadata['type'], issues: Issues): ProblemException {
  // An id that can't be one names nothing.
  if (type === 'param') return new ProblemException('not-found', `the path names nothing: ${issues.map((issue) => issue.message).join('; ')}`);
  const place = type === 'query' ? 'query' : 'body';
  const errors = schemaErrors(issues, place);
  return new ProblemException(place === 'query' ? 'invalid-request' : 'invalid-spec', inWords(errors, `the ${place}`), { errors });
}

/** Checks route arguments against the schemas in their decorators and says what is wrong as a problem. */
@Injectable()
export class ValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    if (!metadata.schema || metadata.type === 'custom') return value;
    const result = await metadata.schema['~standard'].validate(value);
    if (result.issues) throw failure(metadata.type, result.issues as Issues);
    return result.value as T;
  }
}
