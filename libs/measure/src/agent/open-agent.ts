import type { Agent } from './agent.js';
import { commandAgent } from './command-agent.js';
import { httpAgent } from './http-agent.js';

/** Nothing is started or called before the first request. */
export function agentOf(spec: { readonly command: readonly string[] } | { readonly url: string }): Agent {
  return 'url' in spec ? httpAgent(spec.url) : commandAgent(spec.command);
}
