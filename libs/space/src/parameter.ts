/** A value a user writes for a parameter. */
export type Scalar = number | string | boolean;

/** Parent parameter → the value, or any of the values, under which a parameter is active. All entries must hold. */
export type Condition = Readonly<Record<string, Scalar | readonly Scalar[]>>;

interface Named {
  readonly name: string;
  readonly when?: Condition | undefined;
  readonly description?: string | undefined;
}

export interface FloatParameter extends Named {
  readonly type: 'float';
  readonly min: number;
  readonly max: number;
  readonly scale?: 'linear' | 'log' | undefined;
  /** Grid min, min + step, … ≤ max. Without it the parameter is continuous. */
  readonly step?: number | undefined;
  readonly default?: number | undefined;
}

export interface IntParameter extends Named {
  readonly type: 'int';
  readonly min: number;
  readonly max: number;
  readonly scale?: 'linear' | 'log' | undefined;
  readonly step?: number | undefined;
  readonly default?: number | undefined;
}

/** Values in the order given; neighbours in the list are neighbours on the mesh. */
export interface OrdinalParameter extends Named {
  readonly type: 'ordinal';
  readonly values: readonly (number | string)[];
  readonly default?: number | string | undefined;
}

export interface CategoricalParameter extends Named {
  readonly type: 'categorical';
  readonly values: readonly Scalar[];
  readonly default?: Scalar | undefined;
}

export type Parameter = FloatParameter | IntParameter | OrdinalParameter | CategoricalParameter;

/** A point in the user's words. Inactive conditional parameters are absent. */
export type Point = Readonly<Record<string, Scalar>>;

/**
 * A point as optimizers see it: one gene a parameter, in the order of the space.
 * Continuous float: position in [0, 1] (after log where scale is log).
 * Everything else: integer index 0 … cardinality-1 on the user's grid or list.
 */
export type Genes = readonly number[];
