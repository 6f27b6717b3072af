/** When the tensors of a network live as TensorFlow Lite Micro runs it: the same for all arenas. */
import { Indices } from './lists.js';
import type { RunNetwork } from './run.js';

export class Lifetimes {
  /** inputs of the network are tensors 0 … before − 1; operator k runs at time k + 1 and makes tensor before + k */
  before = 0;
  tensors = 0;
  /** the last time */
  end = 0;
  /** by tensor, when it is last needed */
  readonly last = new Indices();
  /** tensors that live at each time: alive.at[aliveStarts.at[t]] … */
  readonly alive = new Indices();
  readonly aliveStarts = new Indices();
  /** those among them that are last needed then: dying.at[dyingStarts.at[t]] … */
  readonly dying = new Indices();
  readonly dyingStarts = new Indices();
  /** by tensor between runs */
  private readonly made = new Indices();
  private readonly living = new Indices();

  of({ runs, reads, starts, output }: RunNetwork): void {
    const { last, made } = this;
    made.length = 0;
    last.length = 0;
    let time = 0;
    this.before = 0;
    for (let p = 0; p < runs.length; p++) {
      const { lowered } = runs[p]!.shape;
      const begin = starts[p]!;
      const taken = starts[p + 1]! - begin;
      const first = last.length;
      if (taken === 0) {
        this.before++;
        made.push(first);
        last.push(0);
        continue;
      }
      for (let k = 0; k < lowered.operators; k++) {
        last.push(++time);
        for (let i = lowered.starts[k]!; i < lowered.starts[k + 1]!; i++) {
          const local = lowered.reads[i]!;
          last.at[local < taken ? made.at[reads[begin + local]!]! : first + local - taken] = time;
        }
      }
      for (let i = 0; i < lowered.outputs.length; i++) {
        const out = lowered.outputs[i]!;
        made.push(out < taken ? made.at[reads[begin + out]!]! : first + out - taken);
      }
    }
    last.at[made.at[output]!] = time;
    this.tensors = last.length;
    this.end = time;
    this.findAlive();
  }

  private findAlive(): void {
    const { alive, aliveStarts, dying, dyingStarts, living, before, end } = this;
    const last = this.last.at;
    for (const list of [aliveStarts, dyingStarts]) list.reserve(end + 2);
    for (const list of [living, dying]) list.reserve(this.tensors);
    const [starts, deaths, now, dead] = [aliveStarts.at, dyingStarts.at, living.at, dying.at];
    let [lives, kept, died] = [0, before, 0];
    for (let t = 0; t < before; t++) now[t] = t;
    for (let time = 0; time <= end; time++) {
      if (time > 0) now[kept++] = before + time - 1;
      starts[time] = lives;
      deaths[time] = died;
      alive.reserve(lives + kept);
      const all = alive.at;
      const count = kept;
      kept = 0;
      for (let i = 0; i < count; i++) {
        const t = now[i]!;
        all[lives++] = t;
        if (last[t]! > time) now[kept++] = t;
        else dead[died++] = t;
      }
    }
    [starts[end + 1], deaths[end + 1]] = [lives, died];
  }
}
