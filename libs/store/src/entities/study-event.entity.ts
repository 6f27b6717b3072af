import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { StudyEntity } from './study.entity.js';

@Entity('study_event')
export class StudyEventEntity {
  @PrimaryColumn('uuid', { name: 'study_id', primaryKeyConstraintName: 'study_event_pk' })
  studyId: string;

  @ManyToOne(() => StudyEntity, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'study_id', foreignKeyConstraintName: 'study_event_study' })
  study: Relation<StudyEntity>;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'study_event_pk' })
  revision: number;

  /** among the events of its revision */
  @PrimaryColumn('smallint', { primaryKeyConstraintName: 'study_event_pk' })
  position: number;

  @Column('text')
  type: string;

  @Column('jsonb')
  data: unknown;

  @Column({ type: 'timestamptz', precision: 3, default: () => 'clock_timestamp()' })
  at: Date;
}
