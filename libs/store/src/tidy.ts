import type { DataSource } from 'typeorm';

/** PostgreSQL's own thresholds of autovacuum (documentation, § 19.10), with a base that small tables don't reach all the time. */
const BASE_ROWS = 1000;
const SHARE = 0.2;

/**
 * What autovacuum does on a server, which the embedded database has none of: gives the space of outdated rows back to use, and tells the
 * planner how large tables are. Without it a long search would grow the files by its state at every step.
 *
 * @returns the tables that needed it
 */
export async function tidy(dataSource: DataSource): Promise<string[]> {
  const needy = (await dataSource.query(
    `select s.relname as name from pg_stat_user_tables s
     join pg_class c on c.oid = s.relid
     left join pg_stat_all_tables t on t.relid = c.reltoastrelid
     where s.n_dead_tup > $1 + $2::double precision * s.n_live_tup or s.n_mod_since_analyze > $1 + $2::double precision * s.n_live_tup or t.n_dead_tup > $1 + $2::double precision * t.n_live_tup
     order by s.relname`,
    [BASE_ROWS, SHARE],
  )) as { name: string }[];
  for (const { name } of needy) await dataSource.query(`vacuum (analyze) "${name}"`);
  return needy.map((t) => t.name);
}

/** Tidies now and then until it is stopped; what fails is tried again the next time. */
export function keepTidy(dataSource: DataSource, everyMs: number): () => void {
  let busy = false;
  const timer = setInterval(() => {
    if (busy || !dataSource.isInitialized) return;
    busy = true;
    void tidy(dataSource).catch(() => undefined).finally(() => { busy = false; });
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}
