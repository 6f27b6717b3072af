/** Whether it says that a point has no network. */
export const hasNoNetwork = (error: unknown): error is Error => error instanceof Error && (error.name === 'DecodeError' || error.name === 'GraphError');

/** What is computed of a point's network; null: it has none. */
export function ofNetwork<T>(compute: () => T): T | null {
  try {
    return compute();
  } catch (error) {
    if (hasNoNetwork(error)) return null;
    throw error;
  }
}
