import { describe, expect, it } from 'vitest';
import { ConfigError, describeConfig, readConfig } from './config.js';

describe('readConfig', () => {
  it('serves on the loopback with the embedded database when nothing is set', () => {
    expect(readConfig({})).toEqual({
      port: 3000, host: '127.0.0.1', databaseUrl: null, redisUrl: null, queuePrefix: 'caddis', dataDir: '.caddis', logLevel: 'info', allowCommands: false, apiKey: null,
    });
  });

  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', REDIS_URL: ' ', CADDIS_API_KEY: '' })).toEqual(readConfig({}));
  });

  it('names every fault at once and hides secrets', () => {
    let message = '';
    try {
      readConfig({ PORT: '70000', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://root:hunter2@db/x', CADDIS_API_KEY: 'short', CADDIS_ALLOW_COMMANDS: 'maybe' });
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      message = (error as Error).message;
    }
    for (const name of ['PORT', 'LOG_LEVEL', 'DATABASE_URL', 'CADDIS_API_KEY', 'CADDIS_ALLOW_COMMANDS']) expect(message).toContain(`${name}:`);
    expect(message).toContain('"70000"');
    expect(message).not.toContain('hunter2');
    expect(message).not.toContain('short');
  });

  it.each(['80.5', '-1', '1e3', 'http'])('refuses the port %s', (PORT) => {
    expect(() => readConfig({ PORT })).toThrow(ConfigError);
  });

  it.each([['yes', true], ['TRUE', true], ['1', true], ['no', false], ['0', false]])('reads the flag %s as %s', (text, value) => {
    expect(readConfig({ CADDIS_ALLOW_COMMANDS: text }).allowCommands).toBe(value);
  });
});

describe('describeConfig', () => {
  it('keeps places and drops passwords and keys', () => {
    const text = JSON.stringify(describeConfig(readConfig({ DATABASE_URL: 'postgres://ann:hunter2@db:5432/caddis', REDIS_URL: 'redis://:s3cret@cache', CADDIS_API_KEY: 'k'.repeat(20) })));
    expect(text).toContain('db:5432/caddis');
    expect(text).not.toMatch(/hunter2|s3cret|kkkk|ann/);
  });
});
