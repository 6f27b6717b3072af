/** Content-Disposition for a download (RFC 6266): a plain name for all, the full one for those that read UTF-8. */
export function attachment(fileName: string): string {
  const safe = fileName.replace(/[\u0000-\u001f\u007f/\\]/g, '-');
  const plain = safe.replace(/[^A-Za-z0-9._ -]/g, '_');
  const full = encodeURIComponent(safe.replace(/\p{Surrogate}/gu, '\ufffd')).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"${plain === safe ? '' : `; filename*=UTF-8''${full}`}`;
}
