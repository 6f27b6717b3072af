import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { StudyEntity } from './study.entity.js';

@Entity('idempotency')
@Index('idempotency_study_id', ['studyId'])
export class IdempotencyEntity {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_pk' })
  key: string;

  @Column('text', { name: 'body_hash' })
  bodyHash: string;

  @Column('uuid', { name: 'study_id' })
  studyId: string;

  @ManyToOne(() => StudyEntity, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'study_id', foreignKeyConstraintName: 'idempotency_study' })
  study: Relation<StudyEntity>;

  @Column({ type: 'timestamptz', name: 'created_at', precision: 3, default: () => 'clock_timestamp()' })
  createdAt: Date;
}
