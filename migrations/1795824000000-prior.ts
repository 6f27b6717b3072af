import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a study learns of others of its task, fixed when it is made. */
export class Prior1795824000000 implements MigrationInterface {
  readonly name = 'Prior1795824000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table "study" add column "prior" json`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table "study" drop column "prior"`);
  }
}
