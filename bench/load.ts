/** The other side, in a process of its own: asks for one page as often as it can and prints what autocannon counted. */
import autocannon from 'autocannon';

const [url = '', cookie = '', seconds = '5'] = process.argv.slice(2);
const { requests, latency, non2xx, errors } = await autocannon({
  url,
  connections: 10,
  duration: Number(seconds),
  headers: cookie === '' ? {} : { cookie },
});
console.log(JSON.stringify({ perSecond: requests.average, p99: latency.p99, failures: non2xx + errors }));
