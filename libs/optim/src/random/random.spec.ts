import { examineOptimizer } from '../exam/examine-optimizer.js';
import { random } from './random.js';

examineOptimizer(random);
