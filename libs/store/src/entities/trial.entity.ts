import { Column, Entity, JoinColumn, ManyToOne, OneToMany, PrimaryColumn, Unique, type Relation } from 'typeorm';
import type { Metrics, TrialProgress, TrialState } from '@app/contracts';
import type { Json } from '@app/optim';
import type { Point } from '@app/space';
import { AttemptEntity } from './attempt.entity.js';
import { LeaseColumns } from './lease.columns.js';
import { StudyEntity } from './study.entity.js';

@Entity('trial')
@Unique('trial_number', ['studyId', 'number'])
export class TrialEntity extends LeaseColumns {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'trial_pk' })
  id: string;

  @Column('uuid', { name: 'study_id' })
  studyId: string;

  @ManyToOne(() => StudyEntity, (study) => study.trials, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'study_id', foreignKeyConstraintName: 'trial_study' })
  study: Relation<StudyEntity>;

  @Column('integer')
  number: number;

  @Column('integer')
  round: number;

  @Column('text')
  key: string;

  @Column('double precision', { array: true })
  genes: number[];

  @Column('json')
  parameters: Point;

  @Column('double precision', { default: 1 })
  fidelity: number;

  @Column('text', { name: 'proposed_by' })
  proposedBy: string;

  @Column('json', { nullable: true })
  note: Json;

  @Column('text', { default: 'pending' })
  state: TrialState;

  @Column('text', { nullable: true })
  reason: string | null;

  @Column('text', { nullable: true })
  message: string | null;

  @Column('jsonb', { default: {} })
  metrics: Metrics;

  @Column('double precision', { array: true, default: [] })
  objectives: (number | null)[];

  @Column('double precision', { array: true, default: [] })
  violations: (number | null)[];

  @Column('boolean', { nullable: true })
  feasible: boolean | null;

  @Column('boolean', { name: 'on_front', default: false })
  onFront: boolean;

  @Column('integer', { nullable: true })
  rank: number | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'clock_timestamp()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'settled_at', precision: 3, nullable: true })
  settledAt: Date | null;

  @Column('double precision', { name: 'duration_ms', nullable: true })
  durationMs: number | null;

  @Column('json', { nullable: true })
  progress: TrialProgress | null;

  @OneToMany(() => AttemptEntity, (attempt) => attempt.trial)
  attempts: Relation<AttemptEntity[]>;
}
