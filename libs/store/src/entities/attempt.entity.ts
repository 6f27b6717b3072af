import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { TrialEntity } from './trial.entity.js';

/** One execution of a trial. How many a trial had is counted here. */
@Entity('attempt')
@Index('attempt_study', ['studyId'])
export class AttemptEntity {
  @PrimaryColumn('uuid', { name: 'trial_id', primaryKeyConstraintName: 'attempt_pk' })
  trialId: string;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'attempt_pk' })
  number: number;

  @ManyToOne(() => TrialEntity, (trial) => trial.attempts, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'trial_id', foreignKeyConstraintName: 'attempt_trial' })
  trial: Relation<TrialEntity>;

  @Column('uuid', { name: 'study_id' })
  studyId: string;

  @Column('text')
  owner: string;

  @Column('text')
  state: 'running' | 'completed' | 'infeasible' | 'failed' | 'abandoned' | 'lost' | 'cancelled';

  @Column('text', { nullable: true })
  reason: string | null;

  @Column('text', { nullable: true })
  message: string | null;

  @Column({ type: 'timestamptz', name: 'started_at', precision: 3, default: () => 'clock_timestamp()' })
  startedAt: Date;

  @Column({ type: 'timestamptz', name: 'finished_at', precision: 3, nullable: true })
  finishedAt: Date | null;
}
