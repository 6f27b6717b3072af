import { createHash } from 'node:crypto';

/**
 * UUID version 5 (RFC 9562 § 5.5) of a study and a trial's number: the same trial has the same id however often it is proposed
 * again after a crash.
 */
export function trialId(studyId: string, number: number): string {
  const namespace = Buffer.from(studyId.replaceAll('-', ''), 'hex');
  const bytes = createHash('sha1').update(namespace).update(`trial/${number}`).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
