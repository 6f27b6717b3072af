/**
 * Fully connected autoencoder for anomaly detection (Koizumi et al., DCASE 2020 task 2, baseline; MLPerf Tiny's anomaly detector): a vector
 * of audio features, hidden layers of one width, a bottleneck, hidden layers again, and the vector reconstructed. Every layer but the last
 * has batch norm and ReLU. Its answer has as many values as its input: classes and channels of the task play no part.
 */
import type { DecodeContext, Family } from './family.js';
import type { PointReader } from './readers.js';

const BN_EPSILON = 1e-3;

export const autoencoder: Family = {
  name: 'autoencoder',
  parameters: ['features', 'layers', 'hidden', 'bottleneck'],
  settings: [],
  decode<T>(point: PointReader, { network }: DecodeContext<T>): T {
    const features = point.integer('features', 1, 65_536);
    const layers = point.integer('layers', 0, 64);
    const hidden = point.integer('hidden', 1, 65_536);
    const bottleneck = point.integer('bottleneck', 1, 65_536);

    const net = network('autoencoder', { epsilon: BN_EPSILON });
    let x = net.vectorInput(features);
    const wide = Array.from({ length: layers }, () => hidden);
    [...wide, bottleneck, ...wide].forEach((width, i) => {
      net.begin(i < layers ? `encoder${i + 1}` : i === layers ? 'bottleneck' : `decoder${i - layers}`);
      x = net.activation('act', net.batchNorm('bn', net.linear('linear', x, width)), 'relu');
    });
    net.begin('head');
    return net.finish(net.linear('reconstruction', x, features));
  },
};
