// Calls functions of bitmart-api's REST clients as told, line by line:
//
//   node rest.js URL KEY SECRET MEMO
//   > {"id": 1, "client": "RestClient", "function": "getSpotTickerV3", "arguments": {"symbol": "BTC_USDT"}}
//   < {"id": 1, "reply": {...}}        or  {"id": 1, "error": {...}}
//   > {"id": 2, "list": true}
//   < {"id": 2, "reply": {"RestClient": ["getSpotTickerV3", ...], ...}}
//
// The package is used as it comes: where it talks to is its documented option baseUrl.
'use strict';

const readline = require('node:readline');
const { FuturesClientV2, RestClient } = require('bitmart-api');

const [url, apiKey, apiSecret, apiMemo] = process.argv.slice(2);
const classes = { RestClient, FuturesClientV2 };
const clients = Object.fromEntries(
  Object.entries(classes).map(([name, Client]) => [name, new Client({ baseUrl: url, apiKey, apiSecret, apiMemo })]),
);

// One function of the package prints; standard output is ours.
console.log = console.error;

function list() {
  const own = (Client) => Object.getOwnPropertyNames(Client.prototype).filter((name) => name !== 'constructor');
  return Object.fromEntries(Object.entries(classes).map(([name, Client]) => [name, own(Client)]));
}

function describe(error) {
  return error instanceof Error ? { message: String(error) } : error;
}

async function answer(message) {
  if (message.list) return { id: message.id, reply: list() };
  try {
    const reply = await clients[message.client][message.function](...(message.arguments ? [message.arguments] : []));
    return { id: message.id, reply };
  } catch (error) {
    return { id: message.id, error: describe(error) };
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
  }
}

main();
