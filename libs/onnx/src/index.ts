export { OnnxError } from './errors.js';
export { DEFAULT_OPSET, IR_VERSION, toOnnx, type ExportOptions } from './export.js';
export { fromOnnx, type ImportedModel, type ImportOptions, type UnknownOperator } from './import/from-onnx.js';
export { toQuantizedOnnx } from './quantized.js';
export { outputNames, programToOnnx } from './program.js';
