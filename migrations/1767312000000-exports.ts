import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Files made from trials, and the keys of requests that were answered. */
export class Exports1767312000000 implements MigrationInterface {
  readonly name = 'Exports1767312000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table "export" (
        "id" uuid not null default gen_random_uuid() constraint "export_pk" primary key,
        "study_id" uuid not null constraint "export_study" references "study" ("id") on delete cascade,
        "trial_id" uuid not null constraint "export_trial" references "trial" ("id") on delete cascade,
        "format" text not null,
        "seed" bigint not null,
        "state" text not null default 'queued',
        "message" text,
        "file_name" text,
        "sha256" text,
        "manifest" json,
        "content" bytea,
        "created_at" timestamptz(3) not null default clock_timestamp(),
        "finished_at" timestamptz(3),
        "lease_owner" text,
        "lease_epoch" integer not null default 0,
        "lease_until" timestamptz,
        constraint "export_state_known" check ("state" in ('queued', 'running', 'completed', 'failed'))
      )`);
    await runner.query(`create index "export_trial_id" on "export" ("trial_id")`);
    await runner.query(`create index "export_study_id" on "export" ("study_id")`);
    await runner.query(`create index "export_open" on "export" ("lease_until") where "state" in ('queued', 'running')`);
    await runner.query(`
      create table "idempotency" (
        "key" text not null constraint "idempotency_pk" primary key,
        "body_hash" text not null,
        "study_id" uuid not null constraint "idempotency_study" references "study" ("id") on delete cascade,
        "created_at" timestamptz(3) not null default clock_timestamp()
      )`);
    await runner.query(`create index "idempotency_study_id" on "idempotency" ("study_id")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['idempotency', 'export']) await runner.query(`drop table "${table}"`);
  }
}
