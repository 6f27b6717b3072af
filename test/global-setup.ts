import { execFileSync } from 'node:child_process';

/** Worker threads and child processes run compiled files, so the tests start from a fresh build of the sources. */
export default function setup(): void {
  execFileSync('npm', ['run', '--silent', 'build:server'], { stdio: 'inherit' });
}
