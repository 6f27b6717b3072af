import type { Command } from 'commander';
import { print, printJson, wantsJson } from '../output.js';
import { wholeNumber } from './search.js';

export function serveCommand(program: Command): void {
  program
    .command('serve')
    .description('API and page; with a worker inside unless REDIS_URL is set. Settings come from the environment: PORT, HOST, DATABASE_URL, REDIS_URL, CADDIS_DATA_DIR, CADDIS_API_KEY, CADDIS_ALLOW_COMMANDS, LOG_LEVEL')
    .option('--port <n>', 'instead of PORT; 0: any free one', wholeNumber('--port'))
    .option('--host <name>', 'instead of HOST')
    .option('--data <dir>', 'instead of CADDIS_DATA_DIR')
    .action(async (options: { port?: number; host?: string; data?: string }, command: Command) => {
      const { startService } = await import('../service.js');
      const { url } = await startService({ port: options.port, host: options.host, dataDir: options.data, signals: true });
      if (wantsJson(command)) printJson({ url });
      else print(`Caddis is at ${url}`);
    });
}

export function workerCommand(program: Command): void {
  program
    .command('worker')
    .description('takes jobs from the queue; needs DATABASE_URL and REDIS_URL')
    .option('--concurrency <n>', 'jobs of each kind at a time', wholeNumber('--concurrency'))
    .action(async (options: { concurrency?: number }) => (await import('../service.js')).runWorker(options.concurrency));
}
