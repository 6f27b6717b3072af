import { NetworkPricer, priceByDefault, type DeviceProfile, type NetworkCost, type NetworkEstimates } from '@app/cost';
import { decode, PieceDecoder } from '@app/decode';
import { isPieced, joinPieces, type Graph, type PiecedGraph } from '@app/graph';
import type { Point } from '@app/space';
import type { StudyDefinition } from './records.js';

/** Networks of one study and their prices, with what repeats from point to point kept. */
export class Costing {
  private readonly decoder: PieceDecoder;
  private readonly pricers = new Map<string, NetworkPricer>();

  /** @throws DecodeError if the space has no networks */
  constructor(private readonly definition: Pick<StudyDefinition, 'space' | 'spec'>) {
    this.decoder = new PieceDecoder(definition.space, definition.spec.task);
  }

  /** @throws DecodeError if the point is none of the space's */
  network(point: Point): Graph | PiecedGraph {
    return this.decoder.decode(point);
  }

  /** The whole graph of a point, its network given. @throws DecodeError */
  graph(point: Point, network: Graph | PiecedGraph): Graph {
    return isPieced(network) ? decode(this.definition.space, point, this.definition.spec.task) : network;
  }

  /** On each device in its default precision, its weights in the bits it asks for; and counts of all nodes. @throws GraphError if the network breaks a rule */
  price(network: Graph | PiecedGraph, devices: readonly DeviceProfile[]): { readonly estimates: readonly NetworkEstimates[]; readonly macs: number; readonly params: number } {
    const key = devices.map((device) => device.id).join(' ');
    let pricer = this.pricers.get(key);
    if (pricer === undefined) this.pricers.set(key, (pricer = new NetworkPricer(devices.map((device) => ({ device })))));
    const inPrecision = pricer.estimates(network);
    const { macs, params } = pricer.counts();
    // weights in fewer bits are counted layer by layer
    const whole = devices.some((device) => device.defaultWeightBits !== undefined) ? (isPieced(network) ? joinPieces(network) : network) : null;
    const estimates = inPrecision.map((estimate, d) => (whole === null || devices[d]!.defaultWeightBits === undefined ? estimate : withoutLayers(priceByDefault(whole, devices[d]!))));
    return { estimates, macs, params };
  }
}

function withoutLayers({ layers: _, order: __, ...estimates }: NetworkCost): NetworkEstimates {
  return estimates;
}

const costings = new WeakMap<Pick<StudyDefinition, 'space' | 'spec'>, Costing>();

/** The costing of a study, as long as its definition is held: a definition is a value that never changes. @throws DecodeError if its space has no networks */
export function costingOf(definition: StudyDefinition): Costing {
  let costing = costings.get(definition);
  if (costing === undefined) costings.set(definition, (costing = new Costing(definition)));
  return costing;
}
