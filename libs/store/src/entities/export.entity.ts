import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import type { ExportFormat } from '@app/contracts';
import type { ExportRecord } from '@app/study';
import { LeaseColumns } from './lease.columns.js';
import { StudyEntity } from './study.entity.js';
import { TrialEntity } from './trial.entity.js';

@Entity('export')
@Index('export_trial_id', ['trialId'])
@Index('export_study_id', ['studyId'])
export class ExportEntity extends LeaseColumns {
  @PrimaryColumn('uuid', { default: () => 'gen_random_uuid()', primaryKeyConstraintName: 'export_pk' })
  id: string;

  @Column('uuid', { name: 'study_id' })
  studyId: string;

  @ManyToOne(() => StudyEntity, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'study_id', foreignKeyConstraintName: 'export_study' })
  study: Relation<StudyEntity>;

  @Column('uuid', { name: 'trial_id' })
  trialId: string;

  @ManyToOne(() => TrialEntity, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'trial_id', foreignKeyConstraintName: 'export_trial' })
  trial: Relation<TrialEntity>;

  @Column('text')
  format: ExportFormat;

  /** up to 2⁵³ − 1, so that a number holds it */
  @Column('bigint', { transformer: { to: (n: number) => n, from: Number } })
  seed: number;

  @Column('text', { default: 'queued' })
  state: ExportRecord['state'];

  @Column('text', { nullable: true })
  message: string | null;

  @Column('text', { name: 'file_name', nullable: true })
  fileName: string | null;

  @Column('text', { nullable: true })
  sha256: string | null;

  @Column('json', { nullable: true })
  manifest: unknown;

  @Column('bytea', { nullable: true, select: false })
  content: Buffer | null;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'clock_timestamp()' })
  createdAt: Date;

  @Column({ type: 'timestamptz', name: 'finished_at', precision: 3, nullable: true })
  finishedAt: Date | null;
}
