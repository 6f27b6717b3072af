import { useEffect, useState } from 'react';
import type { ExportFormat, ExportView } from '@app/contracts';
import { createExport, exportContent, getExport } from '../api/endpoints.js';
import { formatQuantity } from '../format/number.js';

const FORMATS: readonly (readonly [ExportFormat, string, string])[] = [
  ['onnx', 'ONNX', 'The network in float32, with the weights it was trained to if they are kept; checked by running it'],
  ['onnx-int8', 'ONNX int8', 'The same quantised, layers between QuantizeLinear and DequantizeLinear'],
  ['pytorch', 'PyTorch', 'The network as Python code'],
  ['state-dict', 'state dict', 'Its weights, for torch.load'],
  ['json', 'JSON', 'Layers, parameters and metrics, with the manifest'],
];
const WEIGHTS = { trained: 'Trained weights, ', initial: 'Initial weights, ', none: '' } as const;
const POLL_MS = 700;

export function Exports({ trialId }: { readonly trialId: string }): React.JSX.Element {
  return <div className="exports">{FORMATS.map(([format, label, about]) => <ExportButton key={format} trialId={trialId} format={format} label={label} about={about} />)}</div>;
}

function ExportButton({ trialId, format, label, about }: { readonly trialId: string; readonly format: ExportFormat; readonly label: string; readonly about: string }): React.JSX.Element {
  const [job, setJob] = useState<ExportView | null>(null);
  const [error, setError] = useState<string | null>(null);
  const waiting = job !== null && (job.state === 'queued' || job.state === 'running');

  useEffect(() => {
    if (!job || !waiting) return undefined;
    let live = true;
    const timer = setTimeout(() => {
      getExport(job.id).then((next) => { if (live) setJob(next); }, (failure: unknown) => { if (live) { setError(said(failure)); setJob(null); } });
    }, POLL_MS);
    return () => {
      live = false;
      clearTimeout(timer);
    };
  }, [job, waiting]);

  const start = async (): Promise<void> => {
    setError(null);
    try {
      setJob(await createExport(trialId, format));
    } catch (failure) {
      setError(said(failure));
    }
  };
  return (
    <div className="export">
      {job?.state === 'completed'
        ? <a className="button button-primary" href={exportContent(job.id)} download={job.fileName ?? ''}>Download {job.fileName ?? label}</a>
        : <button type="button" className="button" disabled={waiting} onClick={() => void start()}>{waiting ? (job?.state === 'queued' ? `${label}: waiting for a worker…` : `${label}: writing…`) : `Export ${label}`}</button>}
      {waiting && <div className="progress progress-busy" role="progressbar" aria-label={`Export as ${label}`}><div className="progress-bar" /></div>}
      <span className="dim" role="status">{job?.state === 'completed' ? `${WEIGHTS[job.weights ?? 'none']}${formatQuantity(job.bytes, 'B')}${job.sha256 === null ? '' : `, sha256 ${job.sha256.slice(0, 12)}…`}` : about}</span>
      {(error !== null || job?.state === 'failed') && <span className="field-error" role="alert">{error ?? job?.message ?? 'The export failed.'}</span>}
    </div>
  );
}

const said = (failure: unknown): string => (failure instanceof Error ? failure.message : String(failure));
