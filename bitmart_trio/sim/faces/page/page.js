// Shows /sim/state twice per second, and sends the user's actions. Everything is inserted into the page as text.
'use strict';

const EVERY_MS = 500;
const PATIENCE_MS = 5000;
const LEVELS = 100;
const TRADES = 40;
const LINES = 200;
const KEPT = 2000;

const $ = (id) => document.getElementById(id);
const view = {
  symbol: null, account: null, since: 0, last: {}, events: [], firstMs: null, kinds: [], state: null, stopped: null, answered: null,
  candles: null, depth: null, whole: true,
};

// --- small tools ---

function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in made && name !== 'list') made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

// Rows by key, so that an element that the user has focused or is about to click stays the same.
function sync(parent, items, keyOf, build, fill) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    const element = old.get(key) || build(item);
    old.delete(key);
    element.dataset.key = key;
    fill(element, item);
    if (element === next) next = next.nextElementSibling;
    else parent.insertBefore(element, next);
  }
  for (const gone of old.values()) gone.remove();
}

function rows(body, items, keyOf, cells, classOf = () => '') {
  sync(
    body, items, keyOf,
    (item) => make('tr', {}, ...cells(item).map(() => make('td'))),
    (row, item) => {
      cells(item).forEach((cell, index) => {
        const [text, name] = Array.isArray(cell) ? cell : [cell, ''];
        say(row.children[index], text ?? '');
        if (row.children[index].className !== name) row.children[index].className = name;
      });
      row.className = classOf(item);
    },
  );
}

const decimals = (text) => (String(text).split('.')[1] || '').length;
const most = (values) => Math.max(0, ...values.map(decimals));
const pad = (text, places) => Number(text).toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places });
const plain = (text) => (text === null || text === undefined ? '' : Number(text).toLocaleString('en-US', { maximumFractionDigits: 8 }));
const short = (text) => Number(text).toLocaleString('en-US', { maximumFractionDigits: Math.abs(text) >= 1000 ? 2 : Math.abs(text) >= 1 ? 4 : 8 });
const clock = (ms) => new Date(ms).toISOString().slice(11, 23);

let hush;
function tell(text) {
  say($('message'), text);
  clearTimeout(hush);
  hush = setTimeout(() => say($('message'), ''), 4000);
}

async function ask(method, path, body) {
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
  // A step of the clock may take long, since the exchange runs through it; a read of the state may not.
  const signal = method === 'GET' ? AbortSignal.timeout(PATIENCE_MS) : undefined;
  const reply = await fetch(path, { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  const answer = await reply.json();
  if (!reply.ok) throw new Error(answer.error || reply.statusText);
  return answer;
}

// Sends an action to the exchange, reports its result, and shows the new state at once.
async function act(text, method, path, body) {
  try {
    await ask(method, path, body);
    tell(text);
    await look();
  } catch (error) {
    tell(`Refused: ${error.message}`);
  }
}

// --- display ---

function showHead(state) {
  const market = state.markets.find((each) => each.symbol === view.symbol);
  const time = new Date(state.time).toISOString();
  say($('time'), `${time.slice(0, 10)} ${time.slice(11, 21)} UTC`);
  const notes = [];
  if (state.held) notes.push('held');
  if (state.skew_ms) notes.push(`skewed ${state.skew_ms > 0 ? '+' : ''}${state.skew_ms} ms`);
  $('clock-note').hidden = notes.length === 0;
  say($('clock-note'), notes.join(', '));
  $('hold').setAttribute('aria-pressed', String(state.held));
  say($('seed'), state.seed);
  if (!market) return;
  const places = most([market.last, market.bid ?? 0, market.ask ?? 0]);
  const before = view.last[view.symbol];
  if (before !== undefined && before !== market.last) {
    $('last').className = `last ${Number(market.last) > Number(before) ? 'up' : 'down'}`;
  }
  view.last[view.symbol] = market.last;
  say($('last'), pad(market.last, places));
  say($('spread'), market.bid && market.ask ? pad(market.ask - market.bid, places) : '—');
  for (const [name, value] of [['mark', market.mark], ['funding', market.funding_rate]]) {
    $(`${name}-fact`).hidden = value === undefined;
    if (value !== undefined) say($(name), name === 'mark' ? plain(value) : `${(value * 100).toFixed(4)} %`);
  }
  document.title = `${pad(market.last, places)} ${view.symbol} · simulated exchange`;
}

function showPickers(state) {
  const symbols = state.symbols.join();
  if ($('symbol').dataset.all !== symbols) {
    $('symbol').dataset.all = symbols;
    const groups = [['spot', 'Spot'], ['futures', 'Futures']].map(([market, label]) => make('optgroup', { label },
      ...state.markets.filter((each) => each.market === market).map((each) => make('option', { value: each.symbol }, each.symbol))));
    $('symbol').replaceChildren(...groups);
    if (!state.symbols.includes(view.symbol)) view.symbol = state.symbols[0] ?? null;
    $('symbol').value = view.symbol;
  }
  const accounts = state.accounts.map((each) => each.account_id).join();
  if ($('account').dataset.all !== accounts) {
    $('account').dataset.all = accounts;
    $('account').replaceChildren(...state.accounts.map((each) => make('option', { value: each.account_id }, `${each.account_id} · ${each.name}`)));
    if (!state.accounts.some((each) => each.account_id === view.account)) view.account = state.accounts[0]?.account_id;
    $('account').value = view.account;
  }
}

// On a wide screen as many levels per side as the block's height allows, on a phone a fixed number.
function levelsThatFit() {
  if (getComputedStyle(document.querySelector('main')).display !== 'grid') return 10;
  const row = $('bids').firstElementChild?.getBoundingClientRect().height || 19;
  return Math.max(5, Math.floor(($('book').clientHeight - 100) / row / 2));
}

function showBook(state) {
  const book = state.books[view.symbol];
  say($('version'), `version ${book.version}`);
  view.depth.show(book, most([...book.asks, ...book.bids].map((each) => each[0])));
  const room = levelsThatFit();
  const [shownAsks, shownBids] = [book.asks.slice(0, room), book.bids.slice(0, room)];
  const all = [...shownAsks, ...shownBids];
  const [pricePlaces, sizePlaces] = [most(all.map((each) => each[0])), most(all.map((each) => each[1]))];
  const own = new Set(state.accounts.flatMap((account) => account.orders)
    .filter((order) => order.symbol === view.symbol && order.price !== null).map((order) => Number(order.price)));
  const deep = (levels) => {
    let total = 0;
    return levels.map(([price, size]) => ({ price, size, total: (total += Number(size)), own: own.has(Number(price)) }));
  };
  const [asks, bids] = [deep(shownAsks), deep(shownBids)];
  const full = Math.max(asks.at(-1)?.total ?? 0, bids.at(-1)?.total ?? 0) || 1;
  const cells = (each) => [pad(each.price, pricePlaces), pad(each.size, sizePlaces), pad(each.total, sizePlaces)];
  for (const [body, levels] of [[$('asks'), asks.reverse()], [$('bids'), bids]]) {
    rows(body, levels, (each) => each.price, cells, (each) => (each.own ? 'own' : ''));
    levels.forEach((each, index) => { body.children[index].style.backgroundSize = `${(100 * each.total) / full}% 100%`; });
  }
  const [bid, ask] = [book.bids[0]?.[0], book.asks[0]?.[0]];
  say($('middle'), bid && ask ? `${pad((Number(bid) + Number(ask)) / 2, pricePlaces + 1)} middle` : 'One side is empty');
}

function showTrades(state) {
  const trades = state.trades[view.symbol];
  const [pricePlaces, sizePlaces] = [most(trades.map((each) => each.price)), most(trades.map((each) => each.size))];
  let twin = 0;
  let before = null;
  const keyed = trades.map((each) => {
    const name = `${each.ms} ${each.price} ${each.size}`;
    twin = name === before ? twin + 1 : 0;
    before = name;
    return { ...each, key: `${name} ${twin}` };
  });
  rows($('prints'), keyed, (each) => each.key, (each) => [
    clock(each.ms).slice(0, 10), [each.side, each.side], [pad(each.price, pricePlaces), each.side], pad(each.size, sizePlaces)]);
}

function range() {
  const [step, bars] = $('range').value.split(' ').map(Number);
  return { step, bars };
}

function showCandles(state) {
  const market = state.markets.find((each) => each.symbol === view.symbol);
  const rows = state.candles?.[view.symbol];
  if (!rows || !market) return;
  // All candles once, then those in progress; if a hidden page has missed some, all of them again.
  view.whole = !view.candles.take(rows, range().bars, most([market.last, market.bid ?? 0, market.ask ?? 0]));
}

function otherCandles() {
  view.whole = true;
  view.candles.clear(range().step);
}

const buys = (side) => side.startsWith('buy') || side === 'open long' || side === 'close short';

function showAccount(state) {
  const account = state.accounts.find((each) => each.account_id === view.account);
  if (!account) return;
  const balances = ['spot', 'futures', 'fund'].flatMap((wallet) => Object.entries(account[wallet])
    .map(([currency, money]) => ({ wallet, currency, ...money }))).filter((each) => Number(each.available) || Number(each.frozen));
  rows($('balances'), balances, (each) => `${each.wallet} ${each.currency}`,
    (each) => [each.wallet, [each.currency, 'word'], short(each.available), short(each.frozen)]);
  rows($('positions'), account.positions, (each) => `${each.symbol} ${each.side}`, (each) => [
    `${each.symbol} ${plain(each.leverage)}× ${each.margin_mode}`, [each.side, `word ${each.side === 'long' ? 'buy' : 'sell'}`], plain(each.size),
    short(each.entry), short(each.mark), [short(each.profit), Number(each.profit) < 0 ? 'sell' : 'buy'],
    Number(each.liquidation) ? short(each.liquidation) : '—']);
  rows($('orders'), account.orders, (each) => each.order_id, (each) => [
    each.symbol, [each.side, `word ${buys(each.side) ? 'buy' : 'sell'}`], [each.type, 'word'], plain(each.price), plain(each.size),
    plain(each.filled), each.client_order_id]);
  $('no-positions').hidden = account.positions.length > 0;
  $('no-orders').hidden = account.orders.length > 0;
  for (const name of ['positions', 'orders']) $(name).parentElement.tHead.hidden = account[name].length === 0;
}

function showConnections(state) {
  say($('http'), `${state.http_connections.length} HTTP`);
  $('no-sockets').hidden = state.connections.length > 0;
  $('drop-all').hidden = state.connections.length === 0;
  sync($('sockets'), state.connections, (each) => each.name, (each) => {
    const button = make('button', { type: 'button', className: 'quiet', 'aria-label': `Drop ${each.name}` }, 'Drop');
    button.onclick = () => act(`${each.name} dropped`, 'POST', 'drop', { kind: each.name });
    return make('li', {}, make('span', {}, make('b'), ' ', make('span', { className: 'count' })), button, make('span', { className: 'more' }));
  }, (item, each) => {
    const who = each.account === null ? '' : `, account ${each.account}`;
    say(item.querySelector('b'), `${each.name} ${each.kind}`);
    say(item.querySelector('.count'), `${plain(each.sent)} sent${each.queued ? `, ${each.queued} queued` : ''}`);
    say(item.querySelector('.more'), `${each.address}${who}: ${each.topics.join(', ') || 'no topics'}`);
  });
}

function showFaults(state) {
  $('end-all').hidden = state.faults.length === 0;
  sync($('active'), state.faults, (each) => each.id, (each) => {
    const button = make('button', { type: 'button', className: 'quiet', 'aria-label': `End ${each.fault}` }, 'End');
    button.onclick = () => act(`${each.fault} ended`, 'DELETE', `faults/${each.id}`);
    return make('li', {}, make('span', {}, make('b', {}, each.fault), ' ', make('span', { className: 'count' })), button, make('span', { className: 'more' }));
  }, (item, each) => {
    const { fault, id, hits, ...fields } = each;
    const usual = view.kinds.find((kind) => kind.fault === fault)?.fields ?? [];
    const shown = Object.entries(fields).filter(([name, value]) => {
      const field = usual.find((known) => known.name === name);
      return !field || name === usual[0].name || !same(value, field.default);
    });
    say(item.querySelector('.count'), `${hits} ${hits === 1 ? 'hit' : 'hits'}`);
    say(item.querySelector('.more'), shown.map(([name, value]) => `${name} ${value ?? 'none'}`).join(', '));
  });
}

function same(value, usual) {
  return value === usual || (value !== null && usual !== null && typeof usual === 'number' && Number(value) === usual);
}

function eventQuery() {
  return `since=${view.since}&${$('event-kind').value}&find=${encodeURIComponent($('filter').value.trim())}`;
}

// The filter has changed: read the events again, since the exchange has more of them than the page has kept.
function otherEvents() {
  view.since = 0;
  view.events = [];
}

function showEvents(state) {
  const { next, lines, numbers, first_ms: firstMs } = state.events;
  view.since = next;
  view.firstMs = firstMs;
  view.events = [...view.events, ...lines.map((line, index) => [numbers[index], line])].slice(-KEPT);
  if ($('pause').checked) return;
  const shown = view.events.slice(-LINES).reverse().map(([number_, { ms, kind, ...rest }]) => ({
    number: number_, ms, kind,
    details: Object.entries(rest).filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`).join(' '),
  }));
  rows($('lines'), shown, (each) => each.number, (each) => [clock(each.ms), each.kind, each.details]);
  const since = firstMs === null ? '' : ` since ${clock(firstMs).slice(0, 8)}`;
  say($('log-note'), `${view.events.length.toLocaleString('en-US')} of ${next.toLocaleString('en-US')}${since}`);
}

function suggest(id, values) {
  const all = values.join();
  if ($(id).dataset.all === all) return;
  $(id).dataset.all = all;
  $(id).replaceChildren(...values.map((value) => make('option', { value })));
}

function show(state) {
  view.state = state;
  showPickers(state);
  showHead(state);
  // The first answer, and one in flight when the symbol was changed, has no data of this symbol.
  if (state.books?.[view.symbol]) {
    showBook(state);
    showTrades(state);
    showCandles(state);
  }
  showAccount(state);
  showConnections(state);
  showFaults(state);
  showEvents(state);
  suggest('places-path', ['*', '/spot/*', '/contract/*', '/spot/v2/submit_order', '/contract/private/submit-order']);
  suggest('places-topic', ['*', 'spot/*', 'futures/*', ...state.topics]);
  suggest('places-connection', ['*/*', 'spot/*', 'futures/*', 'spot/public', 'spot/private', 'futures/public', 'futures/private', 'http',
    ...state.connections.map((each) => each.name)]);
}

// --- the fault form ---

function showKind() {
  const kind = view.kinds.find((each) => each.fault === $('kind').value);
  if (!kind) return;
  say($('does'), kind.does);
  say($('client'), kind.client);
  const common = ['after', 'chance', 'lasting'];
  for (const [place, wanted] of [['fields', false], ['more', true]]) {
    $(place).replaceChildren(...kind.fields.filter((field) => common.includes(field.name) === wanted).map(fieldOf));
  }
}

function fieldOf(field, index) {
  const input = make('input', { name: field.name, title: field.help, autocomplete: 'off' });
  if (field.type === 'flag') {
    Object.assign(input, { type: 'checkbox', checked: field.default });
    return make('label', { className: 'flag', title: field.help }, input, field.name);
  }
  if (field.words) {
    const select = make('select', { name: field.name, title: field.help }, ...field.words.map((word) => make('option', { value: word }, word)));
    select.value = field.default;
    return make('label', { title: field.help }, field.name.replaceAll('_', ' '), select);
  }
  const number = field.type !== 'text';
  Object.assign(input, { type: number ? 'number' : 'text', value: field.default ?? '', required: !field.optional && number });
  if (field.type === 'number') input.step = 'any';
  if (field.least !== null) input.min = field.least;
  if (field.optional) input.placeholder = 'none';
  const place = ['path', 'topic', 'connection'].includes(field.name);
  if (place) input.setAttribute('list', `places-${field.name}`);
  return make('label', { className: place && index === 0 ? 'wide' : '', title: field.help }, field.name.replaceAll('_', ' '), input);
}

function chosen() {
  const kind = view.kinds.find((each) => each.fault === $('kind').value);
  const fault = { fault: kind.fault };
  for (const field of kind.fields) {
    const input = $('fault-form').elements.namedItem(field.name);
    if (field.type === 'flag') fault[field.name] = input.checked;
    else if (input.value === '' && field.optional) fault[field.name] = null;
    else fault[field.name] = input.value;
  }
  return fault;
}

async function loadKinds() {
  view.kinds = (await ask('GET', 'faults/kinds')).kinds;
  const concerns = [...new Set(view.kinds.map((kind) => kind.concerns))];
  $('kind').replaceChildren(...concerns.map((label) => make('optgroup', { label },
    ...view.kinds.filter((kind) => kind.concerns === label).map((kind) => make('option', { value: kind.fault }, kind.fault)))));
  showKind();
}

// --- the loop ---

let looking = null;
let again = false;
// One read at a time; a request during a read is served by another read after it, which shows all changes made before.
function look() {
  again = looking !== null;
  looking ||= (async () => {
    try {
      do {
        again = false;
        const { step, bars } = range();
        const asked = view.symbol;
        const symbol = asked ? `symbol=${encodeURIComponent(asked)}&levels=${LEVELS}&trades=${TRADES}&candles=${step}&bars=${view.whole ? bars : 3}&` : '';
        const query = eventQuery();
        const state = await ask('GET', `state?${symbol}${query}`);
        const restart = view.stopped || state.events.next < view.since;
        answers(state);
        if (restart) {
          restarted();
          continue;
        }
        // An answer requested before the choice was changed says nothing about the new one.
        if (asked === view.symbol && query === eventQuery() && step === range().step) show(state);
        else again = true;
      } while (again);
    } finally {
      looking = null;
    }
  })();
  return looking;
}

function restarted() {
  // This may be another exchange, with another log: nothing of the old one is kept.
  otherEvents();
  otherCandles();
  again = true;
}

function answers(state) {
  view.answered = Date.now();
  view.stopped = null;
  document.body.classList.remove('stopped');
  document.querySelector('main').inert = false;
  $('pulse').className = 'pulse on';
  $('alive').className = state.held ? 'badge' : 'badge good';
  say($('alive'), state.held ? 'held' : 'live');
}

// The display is stale: it is greyed out, with a message.
function stops(error) {
  view.stopped ||= new Date(view.answered ?? Date.now());
  document.body.classList.add('stopped');
  document.querySelector('main').inert = true;
  $('pulse').className = 'pulse off';
  $('alive').className = 'badge bad';
  say($('alive'), 'stopped');
  document.title = 'stopped · simulated exchange';
  say($('message'), `The exchange has not answered since ${view.stopped.toLocaleTimeString()}; what is shown is from then. (${error.message})`);
  clearTimeout(hush);
}

async function live() {
  for (;;) {
    let wait = EVERY_MS;
    try {
      if (!view.kinds.length) await loadKinds();
      const was = view.stopped;
      await look();
      if (was) tell('The exchange answers again');
    } catch (error) {
      stops(error);
      wait = 1000;
    }
    await new Promise((resume) => { setTimeout(resume, wait); });
    // A hidden page does not poll, so it costs the exchange nothing.
    while (document.hidden) await new Promise((resume) => { document.addEventListener('visibilitychange', resume, { once: true }); });
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  for (const chart of [view.candles, view.depth]) chart?.plot.redraw();
}

function begin() {
  view.candles = new Candles($('candles'), $('bar'));
  view.depth = new Depth($('depths'), $('deep'));
  otherCandles();
  const dark = matchMedia('(prefers-color-scheme: dark)');
  setTheme(dark.matches ? 'dark' : 'light');
  dark.addEventListener('change', () => setTheme(dark.matches ? 'dark' : 'light'));
  $('theme').onclick = () => setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
  $('symbol').onchange = () => { view.symbol = $('symbol').value; $('last').className = 'last'; otherCandles(); look(); };
  $('range').onchange = () => { otherCandles(); look(); };
  let typing;
  $('filter').oninput = () => { clearTimeout(typing); typing = setTimeout(() => { otherEvents(); look(); }, 250); };
  $('event-kind').onchange = () => { otherEvents(); look(); };
  $('account').onchange = () => { view.account = $('account').value; if (view.state) showAccount(view.state); };
  $('kind').onchange = showKind;
  $('fault-form').onsubmit = (event) => {
    event.preventDefault();
    act(`${$('kind').value} is active`, 'POST', 'faults', chosen());
  };
  $('end-all').onclick = () => act('All faults ended', 'DELETE', 'faults');
  $('drop-all').onclick = () => act('All sockets dropped', 'POST', 'drop');
  for (const button of document.querySelectorAll('[data-step]')) {
    button.onclick = async () => {
      button.disabled = true;
      // Long steps run in ticks of a second, or the user would wait too long.
      const ms = Number(button.dataset.step);
      await act(`${button.textContent} has passed`, 'POST', 'clock', { step_ms: ms, tick_ms: ms > 60000 ? 1000 : undefined });
      button.disabled = false;
    };
  }
  $('hold').onclick = () => {
    const hold = $('hold').getAttribute('aria-pressed') !== 'true';
    act(hold ? 'The clock is held' : 'The clock goes on', 'POST', 'clock', { hold });
  };
  $('skew-form').onsubmit = (event) => {
    event.preventDefault();
    act('The clock is skewed', 'POST', 'clock', { skew_ms: Number($('skew').value) });
  };
  live();
}

begin();
