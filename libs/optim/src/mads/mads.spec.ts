import { examineOptimizer } from '../exam/examine-optimizer.js';
import { mads } from './mads.js';

examineOptimizer(mads);
