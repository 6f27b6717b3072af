import { Controller, Get, Header, Injectable, type INestApplication } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags, DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { z } from 'zod';
import { studySpec } from '@app/contracts';
import { Open } from './http/api-key.guard.js';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** The document is made once, after all routes are known. */
@Injectable()
export class OpenApiDocument {
  private document: OpenAPIObject | null = null;

  make(app: INestApplication, version: string): void {
    const config = new DocumentBuilder()
      .setTitle('Caddis').setDescription('Hardware-aware neural architecture search').setVersion(version)
      .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'only where the service has a key' })
      .addApiKey({ type: 'apiKey', in: 'header', name: 'X-API-Key' }, 'x-api-key')
      .build();
    const document = SwaggerModule.createDocument(app, config, { operationIdFactory: (controller, method) => `${controller.replace(/Controller$/, '')}_${method}` });
    for (const path of Object.values(document.paths)) {
      for (const operation of Object.values(path as Record<string, { responses?: Record<string, { content?: Record<string, unknown> }> }>)) {
        const failure = operation.responses?.['default'];
        if (failure?.content) failure.content = { 'application/problem+json': failure.content['application/json'] };
      }
    }
    // A specification may be sent as JSON or YAML, so the catalog reads the body and no decorator names its schema.
    const converted = z.toJSONSchema(studySpec, { target: 'openapi-3.0', io: 'input', unrepresentable: 'any' });
    const { definitions } = JSON.parse(JSON.stringify(converted).replaceAll('#/definitions/', '#/components/schemas/')) as { definitions: Schemas };
    const schemas: Schemas = { ...document.components?.schemas, ...definitions };
    this.document = { ...document, components: { ...document.components, schemas } };
  }

  get(): OpenAPIObject {
    if (this.document === null) throw new Error('the OpenAPI document is asked for before it was made');
    return this.document;
  }
}

@Open()
@ApiTags('service')
@Controller('openapi.json')
export class OpenApiController {
  constructor(private readonly document: OpenApiDocument) {}

  @Get()
  @ApiOperation({ summary: 'This document' })
  @ApiOkResponse({ schema: { type: 'object' } })
  @Header('Cache-Control', 'no-cache')
  read(): OpenAPIObject {
    return this.document.get();
  }
}
