import { examineOptimizer } from '../exam/examine-optimizer.js';
import { regularisedEvolution } from './regularised-evolution.js';

examineOptimizer(regularisedEvolution);
