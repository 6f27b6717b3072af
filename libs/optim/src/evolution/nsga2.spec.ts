import { examineOptimizer } from '../exam/examine-optimizer.js';
import { nsga2 } from './nsga2.js';

examineOptimizer(nsga2);
