import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Trials below a full evaluation, candidates screened before they became trials, trials taken over from other studies. */
export class Fidelities1795564800000 implements MigrationInterface {
  readonly name = 'Fidelities1795564800000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table "trial" add column "fidelity" double precision not null default 1`);
    await runner.query(`alter table "study" add column "screened" integer not null default 0, add column "imports" json`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table "study" drop column "imports", drop column "screened"`);
    await runner.query(`alter table "trial" drop column "fidelity"`);
  }
}
