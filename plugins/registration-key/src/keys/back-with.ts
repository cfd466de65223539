import { redirect, type KnownError, type Reply } from 'latchkey/plugin-api';

/** Back to a page that says in a line why it did not happen. What is not there for this person stays not found. */
export function backWith(path: string, error: KnownError): Reply {
  if (error.kind === 'not-found') throw error;
  const { code, params } = error.fields[0] ?? error;
  return redirect(path, { flash: { kind: 'warning', code: `errors.${code}`, params: { ...params } } });
}
