/**
 * What becomes of every entry of the reference material: the formulas of the FlyNet thesis and their kin (F-…), vectors computed from them,
 * and figures recomputed from its tables. Each is held by a test, here or beside its code, or left out with the reason.
 */
export type Fate =
  /** a test of reference.spec.ts whose name begins with the entry's id */
  | { readonly here: true }
  /** a test elsewhere: the file, and what its name says */
  | { readonly file: string; readonly says: string }
  | { readonly absent: string };

const here: Fate = { here: true };
const held = (file: string, says: string): Fate => ({ file, says });
const absent = (reason: string): Fate => ({ absent: reason });

const QUANTISED_TRAINING = absent('Caddis trains in floating point; quantised training is left to the user\'s own trainer');
const SPHERES = absent('training 1-bit weights on spheres is no part of a search');
const PRUNING = absent('which filters go is not Caddis\' to say: a blackbox prunes and answers, and Caddis chooses the ratios');
const SWITCHING = absent('networks of switchable precision and width are no search space of Caddis');
const NO_EQUATION = absent('the source gives no equation, and no operator of Caddis needs one');
const GOLDEN = 'libs/graph/src/ops/golden.spec.ts';
const COUNTS = 'libs/graph/src/counts.spec.ts';
const FLYNET = 'libs/decode/src/flynet/flynet.spec.ts';
const RATIOS = 'test/e2e/optimize-python.spec.ts';
const MESH = 'libs/optim/src/mads/granular-mesh.spec.ts';

export const FORMULAS: Readonly<Record<string, Fate>> = {
  'F-C1': held(COUNTS, 'of a depthwise, pointwise and full convolution are the formulas F-C1, F-C2 and F-C4'),
  'F-C2': held(COUNTS, 'of a depthwise, pointwise and full convolution are the formulas F-C1, F-C2 and F-C4'),
  'F-C3': held(FLYNET, 'adds k²·e·(1 + h) of a further head'),
  'F-C4': held(COUNTS, 'of a depthwise, pointwise and full convolution are the formulas F-C1, F-C2 and F-C4'),
  'F-C5': held(COUNTS, 'say for max-out h − 1 comparisons a value (F-C5)'),
  'F-C6': held(FLYNET, 'has half the attention weights with the mean alone'),
  'F-C7': here,
  'F-C8': absent('no operator is a Kronecker product'),
  'F-C9': here,
  'F-C10': held(FLYNET, 'is a multiple of 8, at least 8, at least 0.9 of the product'),
  'F-C11': here,
  'F-C12': held('libs/cost/src/latency.spec.ts', 'latency'),
  'F-C13': held('libs/cost/src/peak-memory.spec.ts', 'is the sum of formula F-C13 for any network and any order'),
  'F-B1': held(GOLDEN, 'gives the golden heads and their maximum'),
  'F-B2': held(GOLDEN, 'gives the golden heads and their maximum'),
  'F-B3': held(GOLDEN, 'gives the golden mean and population variance'),
  'F-B4': held(GOLDEN, 'gives the golden scores'),
  'F-B5': held(GOLDEN, 'gives the golden gates, by sigmoid and by softmax over the heads'),
  'F-B6': here,
  'F-B7': held(FLYNET, 'adds no high residual in the first block'),
  'F-N1': held(GOLDEN, 'rounds to the golden levels for q'),
  'F-N2': here,
  'F-N3': held('libs/graph/src/ops/gradient.spec.ts', 'passes the rounding of quantisation noise straight'),
  'F-Q0': QUANTISED_TRAINING,
  'F-Q1': here,
  'F-Q2': QUANTISED_TRAINING,
  'F-Q3': here,
  'F-Q4': here,
  'F-Q5': here,
  'F-Q6': QUANTISED_TRAINING,
  'F-Q7': absent('devices price weights below 8 bits as they store and unpack them; none computes in XNOR and popcount'),
  'F-Q8': absent('bits a layer are not searched'),
  'F-W1': SWITCHING,
  'F-W2': held('libs/graph/src/passes.spec.ts', 'folding keeps the function and removes the batch norms'),
  'F-W3': SWITCHING,
  'F-W4': SWITCHING,
  'F-D1': here,
  'F-D2': SWITCHING,
  'F-D3': SWITCHING,
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [`F-A${n}`, QUANTISED_TRAINING])),
  ...Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8].map((n) => [`F-S${n}`, SPHERES])),
  'F-P1': held('libs/graph/src/dead-channels.spec.ts', 'go, and the network computes the same'),
  'F-P2': PRUNING,
  'F-P3': PRUNING,
  'F-P4': PRUNING,
  'F-P5': PRUNING,
  'F-P6': held(RATIOS, 'leave of parameters and bits what a recount of the thesis'),
  'F-O1': held(RATIOS, 'are found layer after layer in five observations and five explorations each'),
  'F-O2': here,
  'F-O3': here,
  'F-O4': here,
  'F-O5': here,
  'F-O6': held(RATIOS, 'are found layer after layer in five observations and five explorations each'),
  'F-R1': held('libs/pareto/src/dominance.spec.ts', 'agrees with the definition and is a strict order'),
  'F-R2': held('libs/pareto/src/random-frontier.spec.ts', 'is exactly the deterministic one'),
  'F-R3': held('libs/pareto/src/random-frontier.spec.ts', 'is the factor at which the shrunken point is no longer beaten'),
  'F-X1': absent('no layer of Caddis replaces products by squared distances'),
  'F-X2': QUANTISED_TRAINING,
  'F-X3': QUANTISED_TRAINING,
  'F-X4': NO_EQUATION,
  'F-M1': held(MESH, 'has mesh ≤ frame, both multiples of the granularity'),
  'F-M2': held(MESH, 'has mesh ≤ frame, both multiples of the granularity'),
  'F-M3': held(MESH, 'has mesh ≤ frame, both multiples of the granularity'),
  'F-M4': held(MESH, 'give steps on the mesh, inside the frame and never zero'),
  'F-M5': held(MESH, 'runs down the ladder 5, 2, 1'),
  'F-M6': held(MESH, 'starts at a tenth of the range'),
};

export const VECTORS: Readonly<Record<string, Fate>> = {
  ...Object.fromEntries([1, 2, 3, 4, 8].map((k) => [`base_quantizer_k${k}`, here])),
  ...Object.fromEntries([2, 3, 4].map((k) => [`tanh_quantizer_k${k}`, here])),
  ...Object.fromEntries([2, 4].map((k) => [`relu_quantizer_k${k}`, here])),
  ...Object.fromEntries([2, 3, 4].map((k) => [`log_quantizer_k${k}`, here])),
  ...Object.fromEntries([4, 6, 8, 16].map((q) => [`quantization_noise_q${q}`, here])),
  apsq_penalty_binary_one_kernel: QUANTISED_TRAINING,
  apsq_cosine_gradient: QUANTISED_TRAINING,
  pruning_metrics_binary: PRUNING,
  pruning_metrics_2bit_dorefa: PRUNING,
  sphere_step: SPHERES,
  mhe: SPHERES,
  mdw_maxout: held(GOLDEN, 'gives the golden heads and their maximum'),
  mean_var_eca: held(GOLDEN, 'gives the golden gates, by sigmoid and by softmax over the heads'),
  gp_lcb: here,
  self_distillation_kl: here,
  euclid_identity: absent('no layer of Caddis replaces products by squared distances'),
};

export const CHECKS: Readonly<Record<string, Fate>> = {
  flynet_cost_model: here,
  mdw_head_increment: here,
  light_residual_increment: here,
  resnet18_quantized_size: here,
  xnor_resnet18_pruning_recount: held(RATIOS, 'leave of parameters and bits what a recount of the thesis'),
  pareto_table_8_3: here,
  energy_split: here,
  apsq_equivalent_bits: QUANTISED_TRAINING,
  spnet_gap: SWITCHING,
  self_distillation_gain: SWITCHING,
  slim_spnet_sign_pattern: SWITCHING,
  mcu_fit: here,
};
