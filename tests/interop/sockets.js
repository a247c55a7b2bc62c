// Subscribes with bitmart-api's WebsocketClient as told and reports each of its events, line by line:
//
//   node sockets.js URL KEY SECRET MEMO
//   > {"socket": "spot/public", "subscribe": ["spot/ticker:BTC_USDT"]}       also "unsubscribe"
//   < {"socket": "spot/public", "event": "update", "data": {...}}
//
// The package is used as it comes: its documented option wsUrl says where one client connects to, so each of the four
// sockets has a client of its own.
'use strict';

const readline = require('node:readline');
const { WebsocketClient } = require('bitmart-api');

const [url, apiKey, apiSecret, apiMemo] = process.argv.slice(2);
const EVENTS = ['open', 'authenticated', 'response', 'update', 'exception', 'reconnect', 'reconnected', 'close'];
const quiet = { trace() {}, info() {}, error: (...said) => console.error(...said) };
const clients = {};

function client(socket) {
  if (!clients[socket]) {
    const wsUrl = `${url.replace(/^http/, 'ws')}/ws/${socket}?protocol=1.1`;
    clients[socket] = new WebsocketClient({ wsUrl, apiKey, apiSecret, apiMemo }, quiet);
    for (const event of EVENTS) {
      clients[socket].on(event, (data) => {
        // "open" carries the whole socket object.
        const report = { socket, event, data: event === 'open' ? null : data };
        process.stdout.write(`${JSON.stringify(report)}\n`);
      });
    }
  }
  return clients[socket];
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const message = JSON.parse(line);
    const [market] = message.socket.split('/');
    if (message.subscribe) client(message.socket).subscribe(message.subscribe, market);
    if (message.unsubscribe) client(message.socket).unsubscribe(message.unsubscribe, market);
  }
  for (const each of Object.values(clients)) each.closeAll(true);
  process.exit(0);
}

main();
