import { chmodSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { dataDir } from '@electric-sql/pglite-prepopulatedfs';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

/** What the thread is told. */
export interface PgliteThreadData {
  readonly files: string;
  readonly socket: string;
  readonly fresh: boolean;
  readonly maxConnections: number;
}

const { files, socket, fresh, maxConnections } = workerData as PgliteThreadData;
const db = await PGlite.create(files, fresh ? { loadDataDir: await dataDir() } : {});
const server = new PGLiteSocketServer({ db, path: socket, maxConnections });
await server.start();
chmodSync(socket, 0o600);
parentPort!.once('message', () => {
  void server
    .stop()
    .then(() => db.close())
    .finally(() => parentPort!.close());
});
parentPort!.postMessage('ready');
