import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Studies, their trials and attempts, the front's history and the events. */
export class Studies1767225600000 implements MigrationInterface {
  readonly name = 'Studies1767225600000';

  async up(runner: QueryRunner): Promise<void> {
    // Definitions, snapshots and notes are json, not jsonb: what a search is a function of must come back in the order it was given.
    await runner.query(`
      create table "study" (
        "id" uuid not null default gen_random_uuid() constraint "study_pk" primary key,
        "name" text not null,
        "labels" jsonb not null default '{}',
        "spec" json not null,
        "space" json not null,
        "devices" json not null,
        "state" text not null,
        "reason" text,
        "message" text,
        "revision" integer not null default 0,
        "created_at" timestamptz(3) not null default clock_timestamp(),
        "started_at" timestamptz(3),
        "finished_at" timestamptz(3),
        "running_ms" double precision not null default 0,
        "running_since" timestamptz(3),
        "reference_point" double precision[],
        "hypervolume" double precision,
        "told" integer not null default 0,
        "snapshot_version" text,
        "snapshot" json,
        "lease_owner" text,
        "lease_epoch" integer not null default 0,
        "lease_until" timestamptz,
        constraint "study_state_known" check ("state" in ('draft', 'queued', 'running', 'paused', 'stopping', 'completed', 'failed', 'cancelled'))
      )`);
    await runner.query(`create index "study_created" on "study" ("created_at", "id")`);
    await runner.query(`create index "study_name" on "study" ((lower("name") collate "C"), "id")`);
    await runner.query(`create index "study_labels" on "study" using gin ("labels" jsonb_path_ops)`);
    await runner.query(`create index "study_active" on "study" ("lease_until") where "state" in ('queued', 'running', 'stopping')`);
    await runner.query(`
      create table "trial" (
        "id" uuid not null constraint "trial_pk" primary key,
        "study_id" uuid not null constraint "trial_study" references "study" ("id") on delete cascade,
        "number" integer not null,
        "round" integer not null,
        "key" text not null,
        "genes" double precision[] not null,
        "parameters" json not null,
        "proposed_by" text not null,
        "note" json,
        "state" text not null default 'pending',
        "reason" text,
        "message" text,
        "metrics" jsonb not null default '{}',
        "objectives" double precision[] not null default '{}',
        "violations" double precision[] not null default '{}',
        "feasible" boolean,
        "on_front" boolean not null default false,
        "rank" integer,
        "created_at" timestamptz(3) not null default clock_timestamp(),
        "settled_at" timestamptz(3),
        "duration_ms" double precision,
        "lease_owner" text,
        "lease_epoch" integer not null default 0,
        "lease_until" timestamptz,
        constraint "trial_number" unique ("study_id", "number"),
        constraint "trial_state_known" check ("state" in ('pending', 'running', 'completed', 'infeasible', 'failed', 'cancelled'))
      )`);
    // A key holds every parameter and may be longer than an index entry can be, so its digest is what is unique.
    await runner.query(`create unique index "trial_key" on "trial" ("study_id", md5("key"))`);
    await runner.query(`create index "trial_state" on "trial" ("study_id", "state")`);
    await runner.query(`create index "trial_front" on "trial" ("study_id") where "on_front"`);
    await runner.query(`create index "trial_open" on "trial" ("study_id", "lease_until") where "state" in ('pending', 'running')`);
    await runner.query(`
      create table "attempt" (
        "trial_id" uuid not null constraint "attempt_trial" references "trial" ("id") on delete cascade,
        "number" integer not null,
        "study_id" uuid not null,
        "owner" text not null,
        "state" text not null,
        "reason" text,
        "message" text,
        "started_at" timestamptz(3) not null default clock_timestamp(),
        "finished_at" timestamptz(3),
        constraint "attempt_pk" primary key ("trial_id", "number"),
        constraint "attempt_state_known" check ("state" in ('running', 'completed', 'infeasible', 'failed', 'abandoned', 'lost', 'cancelled'))
      )`);
    await runner.query(`create index "attempt_study" on "attempt" ("study_id")`);
    await runner.query(`
      create table "front_history" (
        "study_id" uuid not null constraint "front_history_study" references "study" ("id") on delete cascade,
        "number" integer not null,
        "hypervolume" double precision,
        "front_size" integer not null,
        constraint "front_history_pk" primary key ("study_id", "number")
      )`);
    await runner.query(`
      create table "study_event" (
        "study_id" uuid not null constraint "study_event_study" references "study" ("id") on delete cascade,
        "revision" integer not null,
        "position" smallint not null,
        "type" text not null,
        "data" jsonb not null,
        "at" timestamptz(3) not null default clock_timestamp(),
        constraint "study_event_pk" primary key ("study_id", "revision", "position")
      )`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['study_event', 'front_history', 'attempt', 'trial', 'study']) await runner.query(`drop table "${table}"`);
  }
}
