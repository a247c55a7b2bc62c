// A small market maker on bitmart-api: it quotes both sides of a spot pair and trades a contract for a while, and keeps
// its own books from what the private streams tell it.
//
//   node --require ./exchange_time.js bot.js URL KEY SECRET MEMO
//   > {"seconds": 3600, "step": 30}
//   < {"progress": 10}
//   < {"rounds": ..., "orders": {...}, "money": {...}, "wallet": {...}, "trouble": [], ...}
//
// Between two rounds it has the exchange's clock stepped, as if it had slept. Everything else is as on the real
// exchange: the package is used as it comes, and every event that is not a plain success is trouble.
'use strict';

const readline = require('node:readline');
const { FuturesClientV2, RestClient, WebsocketClient } = require('bitmart-api');

const [url, apiKey, apiSecret, apiMemo] = process.argv.slice(2);
const keys = { apiKey, apiSecret, apiMemo };
const PAIR = 'BTC_USDT';
const CONTRACT = 'BTCUSDT';
const SIZE = '0.01000';
const GRAINS = 100000000n;

// Money is counted in whole grains of 1e-8.
function grains(text) {
  const [whole, rest = ''] = String(text).replace('-', '').split('.');
  const count = BigInt(whole) * GRAINS + BigInt(rest.padEnd(8, '0').slice(0, 8));
  return String(text).startsWith('-') ? -count : count;
}

function text(count) {
  const digits = (count < 0n ? -count : count).toString().padStart(9, '0');
  return `${count < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}`;
}

class Bot {
  constructor() {
    this.spot = new RestClient({ baseUrl: url, ...keys });
    this.futures = new FuturesClientV2({ baseUrl: url, ...keys });
    this.sockets = [];
    this.trouble = [];
    this.acknowledged = new Set();
    this.orders = new Map(); // by client order id: side, price, exchange's id, newest state from the stream
    this.fills = new Set();
    this.contractOrders = new Map(); // by order id: newest state and what was dealt
    this.position = null;
    this.best = null; // of the pair, from the public stream
    this.updates = 0;
    this.tooLate = 0; // cancels that met an order which had just been filled
    this.sent = 0;
  }

  // --- streams ---

  connect(socket, topics) {
    const client = new WebsocketClient(
      { wsUrl: `${url.replace(/^http/, 'ws')}/ws/${socket}?protocol=1.1`, ...keys },
      { trace() {}, info() {}, error: (...said) => this.trouble.push(['log', socket, String(said)]) },
    );
    client.on('update', (message) => this.hear(message));
    client.on('response', (message) => this.answered(socket, message));
    client.on('authenticated', (message) => this.answered(socket, message));
    for (const event of ['exception', 'reconnect', 'reconnected', 'close']) {
      client.on(event, (data) => this.closing || this.trouble.push([event, socket, data?.event ? '' : String(data?.message ?? '')]));
    }
    client.subscribe(topics, socket.split('/')[0]);
    this.sockets.push(client);
  }

  answered(socket, message) {
    if (message.errorCode || message.success === false) this.trouble.push(['refused', socket, message]);
    const topic = message.topic ?? message.group;
    if (topic) this.acknowledged.add(topic);
  }

  hear(message) {
    this.updates += 1;
    const rows = Array.isArray(message.data) ? message.data : [message.data];
    if (message.table === 'spot/bookTicker') this.best = { bid: rows[0].bid_px, ask: rows[0].ask_px };
    else if (message.table === 'spot/user/orders') rows.forEach((row) => this.spotOrder(row));
    else if (message.table === 'spot/user/balance') rows.forEach((row) => this.balance(row));
    else if (message.group === 'futures/order') rows.forEach(({ order }) => this.contractOrders.set(order.order_id, order));
    else if (message.group === 'futures/position') rows.forEach((row) => { if (row.symbol === CONTRACT) this.position = row; });
  }

  spotOrder(row) {
    const known = this.orders.get(row.client_order_id) ?? {};
    this.orders.set(row.client_order_id, { ...known, id: row.order_id, side: row.side, state: row.order_state, filled: row.filled_size });
    if (!row.detail_id || this.fills.has(row.detail_id)) return;
    this.fills.add(row.detail_id);
    const base = grains(row.last_fill_count);
    const quote = (grains(row.last_fill_price) * base) / GRAINS;
    const fee = grains(row.dealFee);
    this.money.BTC += row.side === 'buy' ? base : -base;
    this.money.USDT += (row.side === 'buy' ? -quote : quote) - fee; // the fee is in USDT on both sides
  }

  balance(row) {
    for (const { ccy, av_bal: free, fz_bal: held } of row.balance_details) this.told = { ...this.told, [ccy]: grains(free) + grains(held) };
  }

  // --- trading ---

  async call(client, name, parameters) {
    this.sent += 1;
    const reply = await client[name](parameters);
    if (reply.code !== 1000) this.trouble.push([name, reply]);
    return reply.data;
  }

  async quote(side, round) {
    const mine = [...this.orders.entries()].filter(([, order]) => order.side === side && ['new', 'partially_filled', 'sent'].includes(order.state));
    const price = side === 'buy' ? this.best.bid : this.best.ask;
    for (const [clientId, order] of mine) {
      if (order.price === price) return;
      await this.cancel(clientId, order);
    }
    const clientId = `bot${side}${round}`;
    this.orders.set(clientId, { side, price, state: 'sent', filled: '0' });
    const type = round % 3 ? 'limit' : 'limit_maker';
    const placed = await this.call(this.spot, 'submitSpotOrderV2', { symbol: PAIR, side, type, size: SIZE, price, client_order_id: clientId });
    const order = this.orders.get(clientId);
    if (order.id && order.id !== placed.order_id) this.trouble.push(['two ids', clientId]);
    this.orders.set(clientId, { ...order, price, id: placed.order_id });
  }

  async cancel(clientId, order) {
    try {
      await this.call(this.spot, 'cancelSpotOrderV3', { symbol: PAIR, client_order_id: clientId });
    } catch (error) {
      // The order was filled while we asked: as on any exchange, the stream says so.
      if (![50030, 50031].includes(error.body?.code)) throw error;
      await this.until(() => !['new', 'partially_filled', 'sent'].includes(this.orders.get(clientId).state));
      if (this.orders.get(clientId).state !== 'filled') this.trouble.push(['cancel', clientId, error.body]);
      this.tooLate += 1;
    }
  }

  async tradeContract(round) {
    const terms = { symbol: CONTRACT, open_type: 'isolated', leverage: '5' };
    const held = Number(this.position?.hold_volume ?? 0);
    if (round % 8 === 1 && !held) await this.call(this.futures, 'submitFuturesOrder', { ...terms, side: 1, type: 'market', size: 10 });
    else if (round % 8 === 5 && held) await this.call(this.futures, 'submitFuturesOrder', { symbol: CONTRACT, side: 3, type: 'market', size: held });
    else if (round % 8 === 3) {
      const far = String(Math.round(Number(this.best.bid) * 0.9));
      const { order_id: id } = await this.call(this.futures, 'submitFuturesOrder', { ...terms, side: 1, type: 'limit', size: 5, price: far });
      await this.until(() => this.contractOrders.get(String(id))?.state === 2);
      await this.call(this.futures, 'cancelFuturesOrder', { symbol: CONTRACT, order_id: String(id) });
      await this.until(() => this.contractOrders.get(String(id))?.state === 4);
    }
  }

  // --- the hour ---

  async until(what) {
    const last = performance.now() + 20000;
    while (!what()) {
      if (performance.now() > last) throw new Error(`never true: ${what}`);
      await new Promise((resume) => { setTimeout(resume, 2); });
    }
  }

  async step(seconds) {
    const body = seconds ? JSON.stringify({ step_ms: seconds * 1000, tick_ms: 1000 }) : undefined;
    const reply = await fetch(`${url}/sim/clock`, { method: body ? 'POST' : 'GET', body });
    globalThis.setExchangeTime((await reply.json()).now_ms);
  }

  async wallet() {
    const { wallet } = await this.call(this.spot, 'getSpotWalletBalanceV1');
    return Object.fromEntries(wallet.map((each) => [each.id, grains(each.available) + grains(each.frozen)]));
  }

  async run({ seconds, step }) {
    await this.step(0);
    const begun = Date.now();
    this.money = await this.wallet();
    this.connect('spot/public', [`spot/bookTicker:${PAIR}`, `spot/trade:${PAIR}`]);
    this.connect('spot/private', ['spot/user/orders:ALL_SYMBOLS', 'spot/user/balance:BALANCE_UPDATE']);
    this.connect('futures/public', [`futures/trade:${CONTRACT}`]);
    this.connect('futures/private', ['futures/order', 'futures/position', 'futures/asset:USDT']);
    await this.until(() => this.acknowledged.size >= 8 && this.best);
    let round = 0;
    for (; Date.now() < begun + seconds * 1000; round += 1) {
      await this.step(step);
      await this.quote('buy', round);
      await this.quote('sell', round);
      await this.tradeContract(round);
      if (round % 10 === 9) say({ progress: round + 1 });
    }
    await this.call(this.spot, 'cancelAllSpotOrders', { symbol: PAIR });
    if (Number(this.position?.hold_volume ?? 0)) {
      await this.call(this.futures, 'submitFuturesOrder', { symbol: CONTRACT, side: 3, type: 'market', size: Number(this.position.hold_volume) });
    }
    const open = () => [...this.orders.values()].filter((order) => ['new', 'partially_filled', 'sent'].includes(order.state));
    await this.until(() => !open().length && Number(this.position?.hold_volume ?? 0) === 0);
    const wallet = await this.wallet();
    const show = (money) => Object.fromEntries(['BTC', 'USDT'].map((coin) => [coin, text(money[coin])]));
    await this.until(() => this.told.BTC === wallet.BTC && this.told.USDT === wallet.USDT);
    const contracts = await this.call(this.futures, 'getFuturesAccountAssets');
    this.closing = true;
    this.sockets.forEach((socket) => socket.closeAll(true));
    return {
      rounds: round,
      elapsed: Date.now() - begun,
      sent: this.sent,
      updates: this.updates,
      tooLate: this.tooLate,
      orders: Object.fromEntries([...this.orders].map(([clientId, { id, state, filled }]) => [clientId, [id, state, filled]])),
      contractOrders: Object.fromEntries([...this.contractOrders].map(([id, order]) => [id, [order.state, order.deal_size]])),
      fills: this.fills.size,
      money: show(this.money),
      wallet: show(wallet),
      contracts: contracts.find((each) => each.currency === 'USDT').equity,
      trouble: this.trouble,
    };
  }
}

function say(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const bot = new Bot();
    let report;
    try {
      report = await bot.run(JSON.parse(line));
    } catch (error) {
      const told = error instanceof Error ? error.stack : JSON.stringify(error);
      report = { trouble: [...bot.trouble, ['failed', told]] };
    }
    say(report);
  }
  process.exit(0);
}

main();
