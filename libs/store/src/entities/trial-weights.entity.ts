import { Column, Entity, Index, JoinColumn, OneToOne, PrimaryColumn, type Relation } from 'typeorm';
import { TrialEntity } from './trial.entity.js';

/** What a trial was trained to, for as long as it is kept. */
@Entity('trial_weights')
@Index('trial_weights_study', ['studyId'])
export class TrialWeightsEntity {
  @PrimaryColumn('uuid', { name: 'trial_id', primaryKeyConstraintName: 'trial_weights_pk' })
  trialId: string;

  @OneToOne(() => TrialEntity, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'trial_id', foreignKeyConstraintName: 'trial_weights_trial' })
  trial: Relation<TrialEntity>;

  @Column('uuid', { name: 'study_id' })
  studyId: string;

  @Column('bytea', { select: false })
  content: Buffer;
}
