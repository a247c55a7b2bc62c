// Subscribes with bitmart-api's WebsocketClient as told and reports each of its events, line by line:
//
//   node sockets.js URL KEY SECRET MEMO
//   > {"socket": "spot/public", "subscribe": ["spot/ticker:BTC_USDT"]}       also "unsubscribe"
//   < {"socket": "spot/public", "event": "update", "data": {...}}
//
// The first message for a socket may bring further "options" of the client. Pongs are events here too: the package tells
// only its logger about them.
//
// The package is used as it comes: its documented option wsUrl says where one client connects to, so each of the four
// sockets has a client of its own.
'use strict';

const readline = require('node:readline');
const { WebsocketClient } = require('bitmart-api');

const [url, apiKey, apiSecret, apiMemo] = process.argv.slice(2);
const EVENTS = ['open', 'authenticated', 'response', 'update', 'exception', 'reconnect', 'reconnected', 'close'];
const clients = {};

function report(socket, event, data) {
  // These two carry the whole socket object.
  const told = event === 'open' || event === 'reconnected' ? null : data;
  process.stdout.write(`${JSON.stringify({ socket, event, data: told })}\n`);
}

function client(socket, options) {
  if (!clients[socket]) {
    const wsUrl = `${url.replace(/^http/, 'ws')}/ws/${socket}?protocol=1.1`;
    const logger = {
      trace: (text) => /^received pong/i.test(text) && report(socket, 'pong', null),
      info() {},
      error: (...said) => console.error(...said),
    };
    clients[socket] = new WebsocketClient({ wsUrl, apiKey, apiSecret, apiMemo, ...options }, logger);
    for (const event of EVENTS) clients[socket].on(event, (data) => report(socket, event, data));
  }
  return clients[socket];
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const message = JSON.parse(line);
    const [market] = message.socket.split('/');
    const wanted = client(message.socket, message.options);
    if (message.subscribe) wanted.subscribe(message.subscribe, market);
    if (message.unsubscribe) wanted.unsubscribe(message.unsubscribe, market);
  }
  for (const each of Object.values(clients)) each.closeAll(true);
  process.exit(0);
}

main();
