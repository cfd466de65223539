import pino, { type DestinationStream, type Logger } from 'pino';

export type Log = Logger;

interface LogOptions {
  level: string;
  /** Blanks every secret of ours in a piece of text; `redact` of `crypto/tokens`. */
  redact: (text: string) => string;
  destination?: DestinationStream;
}

/**
 * One JSON object a line on standard output. Whatever shape a secret arrives in (message, field, error, stack),
 * it is blanked as the finished line leaves, so that no call site can forget to.
 */
export function createLog({ level, redact, destination = standardOutput() }: LogOptions): Log {
  const redacting: DestinationStream = {
    write: (line) => {
      destination.write(redact(line));
    },
  };
  return pino(
    {
      level,
      base: null,
      timestamp: isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err, err: pino.stdSerializers.err },
    },
    redacting,
  );
}

/** Spelled once a millisecond, however many lines it has. */
let spelled = { at: 0, text: '' };
function isoTime(): string {
  const at = Date.now();
  if (spelled.at !== at) spelled = { at, text: `,"time":"${new Date(at).toISOString()}"` };
  return spelled.text;
}

const FLUSH_MS = 200;
/** A second one would wake whoever reads along, and in a rush take the processor from those who are waiting. */
const PORTION = 16_000;

let opened: DestinationStream | null = null;

/** One for the process, however many houses stand in it. */
const standardOutput = (): DestinationStream => (opened ??= openStandardOutput());

/** Writes in portions, so that no request waits for a pipe; what is left at the end is written before the process goes. */
function openStandardOutput(): DestinationStream {
  const output = pino.destination({ fd: 1, sync: false });
  // Put together here: handing a line over costs more than writing it.
  let portion = '';
  const handOver = (): void => {
    if (portion !== '') output.write(portion);
    portion = '';
  };
  setInterval(handOver, FLUSH_MS).unref();
  process.on('exit', () => {
    handOver();
    output.flushSync();
  });
  return {
    write: (line) => {
      portion += line;
      if (portion.length >= PORTION) handOver();
    },
  };
}

export const silentLog = (): Log => pino({ level: 'silent' });
