// bitmart-api from npm, as its manual shows it: node peer_npm.js MODULES '{...}'
'use strict';

const { createRequire } = require('node:module');
const path = require('node:path');

const [modules, given] = process.argv.slice(2); // the folder that holds node_modules
const plan = JSON.parse(given);
const { RestClient, WebsocketClient } = createRequire(path.resolve(modules, 'x.js'))('bitmart-api');
console.log = console.error; // a function of the package prints; standard output is ours

const report = (found) => process.stdout.write(`${JSON.stringify(found)}\n`, () => process.exit(0));
const seconds = (used) => (used.user + used.system) / 1e6;

class Meter {
  start() {
    this.cpu = process.cpuUsage();
    this.wall = process.hrtime.bigint();
  }

  stop(count, more) {
    report({
      cpu: seconds(process.cpuUsage(this.cpu)),
      wall: Number(process.hrtime.bigint() - this.wall) / 1e9,
      count,
      ...more,
    });
  }
}

function best(item) {
  if (plan.kind === 'depth') return item.bids[0][0];
  return item.price || item.deal_price || item.last_price;
}

function memory() {
  if (global.gc) global.gc();
  return process.memoryUsage().rss;
}

function stream() {
  const meter = new Meter();
  const queue = [];
  const took = [];
  let seen = 0;
  let before = 0;
  const wsUrl = `${plan.url.replace(/^http/, 'ws')}/ws/${plan.market}/public`;
  const client = new WebsocketClient({ wsUrl }, { trace() {}, info() {}, error: (...said) => console.error(...said) });
  client.on('exception', (said) => console.error(said));
  client.on('update', (push) => {
    const item = Array.isArray(push.data) ? push.data[0] : push.data;
    seen += 1;
    if (plan.do === 'first') {
      report({ cpu: seconds(process.cpuUsage()), count: 1, read: best(item) });
    } else if (plan.do === 'sleeper') {
      // What a slow consumer leaves lying: the package has no bound, and no word for it.
      queue.push(push);
      if (seen === 1) before = memory();
      if (seen === plan.warm + plan.count) report({ memory: memory() - before, count: seen, read: best(item) });
    } else {
      const read = best(item);
      // The monotonic clock that the server stamps with, in tenths of a microsecond.
      if (plan.rate && seen > plan.warm) took.push(Number(process.hrtime.bigint() / 100n) - item.trade_id);
      if (seen === plan.warm) setTimeout(() => meter.start(), 150);
      if (seen === plan.warm + plan.count) {
        took.sort((one, other) => one - other);
        const at = (part) => took[Math.min(Math.floor(took.length * part), took.length - 1)] / 1e7;
        meter.stop(plan.count, plan.rate ? { read, p50: at(0.5), p99: at(0.99) } : { read });
      }
    }
  });
  client.subscribe(plan.args, plan.market);
}

async function rest() {
  const client = new RestClient({ baseUrl: plan.url, apiKey: 'key', apiSecret: 'secret', apiMemo: 'memo' });
  const order = {
    symbol: 'BTC_USDT', side: 'buy', type: 'limit', size: '0.001', price: '30000', client_order_id: 'b1',
  };
  const call = plan.verb === 'GET'
    ? async () => (await client.getSpotTickerV3({ symbol: 'BTC_USDT' })).data.last
    : async () => (await client.submitSpotOrderV2(order)).data.order_id;
  const atOnce = plan.at_once || 1;
  let read;
  const workOff = async (count) => {
    for (let number = 0; number < count; number += 1) read = await call();
  };
  let meter;
  for (const count of [plan.warm, plan.count]) {
    meter = new Meter();
    meter.start();
    await Promise.all(Array.from({ length: atOnce }, () => workOff(Math.floor(count / atOnce))));
  }
  meter.stop(Math.floor(plan.count / atOnce) * atOnce, { read });
}

(plan.do === 'rest' ? rest : stream)();
