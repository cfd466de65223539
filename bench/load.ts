/** The other side, in a process of its own: asks for one page as often as it can, or for several in turn, and prints what autocannon counted. */
import autocannon from 'autocannon';

const [url = '', cookie = '', seconds = '5', paths = '[""]', headers = '{}', callers = '0'] =
  process.argv.slice(2);
const own = cookie === '' ? {} : { cookie };
const given = JSON.parse(headers) as Record<string, string>;
/** Behind a proxy that names them, the callers are as many people. */
const named = Array.from({ length: Number(callers) }, (_, at) => ({
  'x-forwarded-for': `198.18.${String(at >> 8)}.${String(at & 255)}`,
}));
const asked = (JSON.parse(paths) as string[]).flatMap((path) =>
  (named.length === 0 ? [{}] : named).map((caller) => ({
    ...(path === '' ? {} : { path }),
    headers: { ...own, ...given, ...caller },
  })),
);
const { requests, latency, non2xx, errors } = await autocannon({
  url,
  connections: 10,
  duration: Number(seconds),
  requests: asked,
});
console.log(JSON.stringify({ perSecond: requests.average, p99: latency.p99, failures: non2xx + errors }));
