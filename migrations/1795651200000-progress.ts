import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a running trial has reported so far. */
export class Progress1795651200000 implements MigrationInterface {
  readonly name = 'Progress1795651200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table "trial" add column "progress" json`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table "trial" drop column "progress"`);
  }
}
