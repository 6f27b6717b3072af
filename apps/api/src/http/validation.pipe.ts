import { Injectable, StandardSchemaValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import { ProblemException, schemaErrors } from './problem.js';

type Issues = Parameters<typeof schemaErrors>[0];

const failures = {
  body: (issues: Issues) => new ProblemException('invalid-spec', summary('the body', issues), { errors: schemaErrors(issues) }),
  query: (issues: Issues) => new ProblemException('invalid-request', summary('the query', issues), { errors: schemaErrors(issues) }),
  // An id that can't be one names nothing.
  param: (issues: Issues) => new ProblemException('not-found', `the path names nothing: ${issues.map((i) => i.message).join('; ')}`),
} as const;

const summary = (what: string, issues: Issues): string => `${what} has ${issues.length === 1 ? 'a fault' : `${issues.length} faults`}: ${issues[0]?.message ?? ''}`;

/** Checks route arguments against the schemas in their decorators and says what is wrong as a problem. */
@Injectable()
export class ValidationPipe extends StandardSchemaValidationPipe {
  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    if (!metadata.schema || metadata.type === 'custom') return value;
    const result = await metadata.schema['~standard'].validate(value);
    if (result.issues) throw failures[metadata.type](result.issues as Issues);
    return result.value as T;
  }
}
