import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Weights that trials were trained to. Floats hardly compress, so the database does not try. */
export class Weights1795737600000 implements MigrationInterface {
  readonly name = 'Weights1795737600000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table "trial_weights" (
        "trial_id" uuid not null constraint "trial_weights_pk" primary key constraint "trial_weights_trial" references "trial" ("id") on delete cascade,
        "study_id" uuid not null,
        "content" bytea not null
      )`);
    await runner.query(`alter table "trial_weights" alter column "content" set storage external`);
    await runner.query(`create index "trial_weights_study" on "trial_weights" ("study_id")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table "trial_weights"`);
  }
}
