import { Column } from 'typeorm';

/** Who works on a row, under which fencing number, and until when. */
export abstract class LeaseColumns {
  @Column('text', { name: 'lease_owner', nullable: true })
  leaseOwner: string | null;

  @Column('integer', { name: 'lease_epoch', default: 0 })
  leaseEpoch: number;

  @Column({ type: 'timestamptz', name: 'lease_until', nullable: true })
  leaseUntil: Date | null;
}
