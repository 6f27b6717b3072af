#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { devicesCommand, spacesCommand } from './commands/catalog.js';
import { calibrateCommand } from './commands/calibrate.js';
import { demoCommand } from './commands/demo.js';
import { exportCommand } from './commands/export.js';
import { measureCommand } from './commands/measure.js';
import { optimizeCommand } from './commands/optimize.js';
import { predictCommand } from './commands/predict.js';
import { searchCommand } from './commands/search.js';
import { serveCommand, workerCommand } from './commands/serve.js';
import { InputError, say } from './output.js';
import { VERSION } from './version.js';

const program = new Command('caddis')
  .description('Hardware-aware neural architecture search')
  .version(VERSION)
  .exitOverride()
  .configureHelp({ showGlobalOptions: true });
for (const add of [demoCommand, serveCommand, workerCommand, searchCommand, optimizeCommand, predictCommand, measureCommand, calibrateCommand, exportCommand, spacesCommand, devicesCommand]) add(program);
withJson(program);

/** Every command takes --json, wherever it stands on the line. */
function withJson(command: Command): void {
  if (command !== program) command.option('--json', 'one JSON document on standard output, the rest on standard error').exitOverride();
  command.commands.forEach(withJson);
}

/** 0 done, 1 failed, 2 bad input. */
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof InputError) {
    say(error.message);
    process.exitCode = 2;
  } else {
    say(error instanceof Error ? error.message : String(error));
    if (process.env['CADDIS_DEBUG']) say((error as Error).stack ?? '');
    process.exitCode = 1;
  }
}
