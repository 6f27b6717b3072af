import { examineOptimizer } from '../exam/examine-optimizer.js';
import { bo } from './bo.js';

examineOptimizer(bo, { trials: 22, settings: { initialPoints: 8, candidates: 64, localSearches: 2 } });
