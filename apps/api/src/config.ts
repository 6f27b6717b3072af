import { isIP } from 'node:net';
import { z } from 'zod';

/** Settings of the service. `databaseUrl` and `redisUrl` hold secrets: see `describeConfig` for a form that may be logged. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** null: the embedded database under `dataDir` */
  readonly databaseUrl: string | null;
  /** null: the in-process queue */
  readonly redisUrl: string | null;
  /** prefix of the keys on Redis: services that share one must differ in it */
  readonly queuePrefix: string;
  readonly dataDir: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** whether studies may run commands of their authors on the machines of the service */
  readonly allowCommands: boolean;
  /** null: no key is asked for */
  readonly apiKey: string | null;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const url = (...schemes: string[]): z.ZodType<string | null, string | undefined> =>
  z.string().optional().transform((text, ctx) => {
    if (text === undefined) return null;
    if (URL.canParse(text) && schemes.includes(new URL(text).protocol)) return text;
    ctx.addIssue({ code: 'custom', message: `expected a URL that begins with ${schemes.map((s) => `${s}//`).join(' or ')}` });
    return z.NEVER;
  });

const flag = z.string().optional().transform((text, ctx) => {
  if (text === undefined || ['0', 'false', 'no'].includes(text.toLowerCase())) return false;
  if (['1', 'true', 'yes'].includes(text.toLowerCase())) return true;
  ctx.addIssue({ code: 'custom', message: 'expected 1 or 0, true or false, yes or no' });
  return z.NEVER;
});

const environment = z.object({
  PORT: z.string().regex(/^\d{1,5}$/, 'expected a whole number').default('3000').transform(Number)
    .refine((port) => port <= 65_535, 'expected a port from 0 (any free one) to 65535'),
  HOST: z.string().default('127.0.0.1')
    .refine((host) => isIP(host) !== 0 || /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/.test(host), 'expected an IP address or a host name'),
  DATABASE_URL: url('postgres:', 'postgresql:'),
  REDIS_URL: url('redis:', 'rediss:'),
  CADDIS_QUEUE_PREFIX: z.string().regex(/^[A-Za-z0-9_.:-]{1,64}$/, 'expected up to 64 letters, digits, _ . : or -').default('caddis'),
  CADDIS_DATA_DIR: z.string().default('.caddis'),
  LOG_LEVEL: z.enum(LOG_LEVELS, `expected one of ${LOG_LEVELS.join(', ')}`).default('info'),
  CADDIS_ALLOW_COMMANDS: flag,
  CADDIS_API_KEY: z.string().min(16, 'expected at least 16 characters').optional(),
});

const SECRET: ReadonlySet<string> = new Set(['DATABASE_URL', 'REDIS_URL', 'CADDIS_API_KEY']);

/** All faults of the environment in one message; secret values are left out of it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the settings from environment variables. An empty variable counts as unset.
 *
 * @throws ConfigError that names every variable at fault, what came and what was due
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      return `  ${name}: ${issue.message}; got ${SECRET.has(name) ? '(hidden)' : JSON.stringify(env[name])}`;
    });
    throw new ConfigError(`the environment has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.join('\n')}`);
  }
  const e = parsed.data;
  return {
    port: e.PORT, host: e.HOST, databaseUrl: e.DATABASE_URL, redisUrl: e.REDIS_URL, queuePrefix: e.CADDIS_QUEUE_PREFIX, dataDir: e.CADDIS_DATA_DIR,
    logLevel: e.LOG_LEVEL, allowCommands: e.CADDIS_ALLOW_COMMANDS, apiKey: e.CADDIS_API_KEY ?? null,
  };
}

/** The settings without user names, passwords and keys. */
export function describeConfig(config: Config): Readonly<Record<string, unknown>> {
  const place = (text: string | null): string | null => {
    if (text === null) return null;
    const { protocol, host, pathname } = new URL(text);
    return `${protocol}//${host}${pathname}`;
  };
  return { ...config, databaseUrl: place(config.databaseUrl), redisUrl: place(config.redisUrl), apiKey: config.apiKey === null ? null : '(set)' };
}
