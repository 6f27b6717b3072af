import { Column, Entity, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { StudyEntity } from './study.entity.js';

@Entity('front_history')
export class FrontHistoryEntity {
  @PrimaryColumn('uuid', { name: 'study_id', primaryKeyConstraintName: 'front_history_pk' })
  studyId: string;

  @ManyToOne(() => StudyEntity, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'study_id', foreignKeyConstraintName: 'front_history_study' })
  study: Relation<StudyEntity>;

  @PrimaryColumn('integer', { primaryKeyConstraintName: 'front_history_pk' })
  number: number;

  @Column('double precision', { nullable: true })
  hypervolume: number | null;

  @Column('integer', { name: 'front_size' })
  frontSize: number;
}
