import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOkResponse, ApiParam, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';
import { deviceView, spaceView, type DeviceView, type SpaceView } from '@app/contracts';
import { Documented } from '../http/documented.js';
import { CatalogService } from './catalog.service.js';

const deviceId = z.strictObject({ id: z.string().max(64) });
const spaceName = z.strictObject({ name: z.string().max(64) });
const deviceList = z.strictObject({ items: z.array(deviceView) });
const spaceList = z.strictObject({ items: z.array(spaceView) });

/** Built-in devices and search spaces, read-only. */
@ApiTags('catalog')
@Controller('v1')
export class CatalogController {
  constructor(@Inject(CatalogService) private readonly catalog: CatalogService) {}

  @Get('devices')
  @Documented('Devices a network can be priced on')
  @ApiOkResponse({ standardSchema: deviceList })
  devices(): { items: DeviceView[] } {
    return { items: this.catalog.devices() };
  }

  @Get('devices/:id')
  @Documented('A device')
  @ApiParam({ name: 'id', schema: { type: 'string' } })
  @ApiOkResponse({ standardSchema: deviceView })
  device(@Param({ schema: deviceId }) { id }: z.output<typeof deviceId>): DeviceView {
    return this.catalog.device(id);
  }

  @Get('spaces')
  @Documented('Built-in search spaces')
  @ApiOkResponse({ standardSchema: spaceList })
  async spaces(): Promise<{ items: SpaceView[] }> {
    return { items: await this.catalog.spaces() };
  }

  @Get('spaces/:name')
  @Documented('A search space with its parameters')
  @ApiParam({ name: 'name', schema: { type: 'string' } })
  @ApiOkResponse({ standardSchema: spaceView })
  space(@Param({ schema: spaceName }) { name }: z.output<typeof spaceName>): Promise<SpaceView> {
    return this.catalog.space(name);
  }
}
