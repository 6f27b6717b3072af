import { chmodSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';
import { PgliteServer } from './pglite-server.js';

/** What the thread is told. */
export interface PgliteThreadData {
  readonly files: string;
  readonly socket: string;
  readonly fresh: boolean;
}

const { files, socket, fresh } = workerData as PgliteThreadData;
const db = await PGlite.create(files, fresh ? { loadDataDir: await dataDir() } : {});
const server = new PgliteServer(db);
await server.listen(socket);
chmodSync(socket, 0o600);
parentPort!.once('message', () => {
  void server
    .close()
    .then(() => db.close())
    .finally(() => parentPort!.close());
});
parentPort!.postMessage('ready');
