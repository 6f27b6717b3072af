import { Column, Entity, OneToMany, PrimaryColumn, type Relation } from 'typeorm';
import type { StudyState } from '@app/contracts';
import type { Json } from '@app/optim';
import type { ImportedTrial, Prior, StudyDefinition } from '@app/study';
import { LeaseColumns } from './lease.columns.js';
import { TrialEntity } from './trial.entity.js';

@Entity('study')
export class StudyEntity extends LeaseColumns {
  @PrimaryColumn('uuid', { default: () => 'gen_random_uuid()', primaryKeyConstraintName: 'study_pk' })
  id: string;

  @Column('text')
  name: string;

  @Column('jsonb', { default: {} })
  labels: Readonly<Record<string, string>>;

  @Column('json')
  spec: StudyDefinition['spec'];

  @Column('json')
  space: StudyDefinition['space'];

  @Column('json')
  devices: StudyDefinition['devices'];

  @Column('text')
  state: StudyState;

  @Column('text', { nullable: true })
  reason: string | null;

  @Column('text', { nullable: true })
  message: string | null;

  @Column('integer', { default: 0 })
  revision: number;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'clock_timestamp()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'started_at', precision: 3, nullable: true })
  startedAt: Date | null;

  @Column({ type: 'timestamptz', name: 'finished_at', precision: 3, nullable: true })
  finishedAt: Date | null;

  @Column('double precision', { name: 'running_ms', default: 0 })
  runningMs: number;

  @Column({ type: 'timestamptz', name: 'running_since', precision: 3, nullable: true })
  runningSince: Date | null;

  @Column('double precision', { name: 'reference_point', array: true, nullable: true })
  referencePoint: number[] | null;

  @Column('double precision', { nullable: true })
  hypervolume: number | null;

  @Column('integer', { default: 0 })
  told: number;

  @Column('text', { name: 'snapshot_version', nullable: true })
  snapshotVersion: string | null;

  @Column('json', { nullable: true, select: false })
  snapshot: Json;

  @Column('integer', { default: 0 })
  screened: number;

  @Column('json', { nullable: true, select: false })
  imports: readonly ImportedTrial[] | null;

  @Column('json', { nullable: true, select: false })
  prior: Prior | null;

  @OneToMany(() => TrialEntity, (trial) => trial.study)
  trials: Relation<TrialEntity[]>;
}
