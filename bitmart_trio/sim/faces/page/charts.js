// Candles and depth, drawn by uPlot (uplot.js, MIT, see uplot.LICENSE). Colours are those of the page's theme at the moment of drawing.
'use strict';

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const UTC = (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC');
const two = (value) => String(value).padStart(2, '0');

// Labels of a time axis: the hour; the day where a day begins, or if all labels are days.
function times(_, ticks) {
  return ticks.map((seconds) => {
    const at = new Date(seconds * 1000);
    const hour = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
    return hour === '00:00' ? at.toISOString().slice(5, 10) : hour;
  });
}

const number = (value, places) => value.toLocaleString('en-US', { minimumFractionDigits: places, maximumFractionDigits: places });

// A chart that fills its container, and is redrawn when the container's size or the theme changes.
function chartIn(place, options, data) {
  const size = () => ({ width: Math.max(50, place.clientWidth), height: Math.max(50, place.clientHeight) });
  const axis = (more) => ({
    stroke: () => colour('soft'), grid: { stroke: () => colour('line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif', ...more,
  });
  const plot = new uPlot({
    ...size(), legend: { show: false }, padding: [6, 4, 0, 0], tzDate: UTC,
    ...options, axes: options.axes.map(axis),
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false }, ...options.cursor },
  }, data, place);
  new ResizeObserver(() => plot.setSize(size())).observe(place);
  return plot;
}

class Candles {
  constructor(place, readout) {
    this.bars = new Map();
    this.step = 1;
    this.places = 2;
    this.readout = readout;
    this.plot = chartIn(place, {
      // Half a candle of space on either side, and a range that contains the extremes, not only the closes.
      scales: {
        x: { range: (_, low, high) => [low - 30 * this.step, high + 30 * this.step] },
        y: { range: () => this.bounds() },
      },
      series: [{}, { paths: () => null, points: { show: false } }],
      axes: [{ size: 22, space: 60, values: times }, { side: 1, size: 62, space: 32, values: (_, ticks) => ticks.map((each) => number(each, this.axisPlaces)) }],
      hooks: { draw: [(plot) => this.draw(plot)], setCursor: [() => this.tell()] },
    }, [[], []]);
  }

  get axisPlaces() {
    const [low, high] = this.bounds();
    return Math.min(this.places, Math.max(0, 1 - Math.floor(Math.log10((high - low) || 1))));
  }

  bounds() {
    const [low, high] = [Math.min(...this.shown.map((bar) => bar.low)), Math.max(...this.shown.map((bar) => bar.high))];
    if (!this.shown.length) return [0, 1];
    const room = (high - low || high * 0.001) * 0.05;
    // The volumes are drawn below the prices.
    return [low - (high - low || high * 0.001) * 0.22, high + room];
  }

  get shown() { return [...this.bars.values()]; }

  clear(step) {
    this.bars.clear();
    this.step = step;
  }

  // Merge the newest bars, which replace unfinished ones; return false if bars are missing between old and new.
  take(rows, most, places) {
    const last = [...this.bars.keys()].at(-1);
    if (last !== undefined && rows.length && rows[0][0] > last + this.step * 60000) return false;
    this.places = places;
    for (const [ms, ...values] of rows) {
      const [open, high, low, close, volume] = values.map(Number);
      this.bars.set(ms, { ms, open, high, low, close, volume });
    }
    while (this.bars.size > most) this.bars.delete(this.bars.keys().next().value);
    this.plot.setData([[...this.bars.keys()].map((ms) => ms / 1000), this.shown.map((bar) => bar.close)]);
    this.tell();
    return true;
  }

  draw({ ctx, bbox, valToPos }) {
    const bars = this.shown;
    if (!bars.length) return;
    const at = (ms) => valToPos.call(this.plot, ms / 1000, 'x', true);
    const y = (price) => Math.round(valToPos.call(this.plot, price, 'y', true));
    const width = Math.max(1, Math.round(((at(bars[0].ms + this.step * 60000) - at(bars[0].ms)) || 8) * 0.7));
    const tallest = Math.max(...bars.map((bar) => bar.volume)) || 1;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const bar of bars) {
      const side = bar.close >= bar.open ? 'buy' : 'sell';
      const x = Math.round(at(bar.ms));
      const left = x - Math.floor(width / 2);
      const tall = Math.round((bbox.height * 0.16 * bar.volume) / tallest);
      ctx.fillStyle = colour(`${side}-bar`);
      ctx.fillRect(left, bbox.top + bbox.height - tall, width, tall);
      ctx.fillStyle = colour(side);
      ctx.fillRect(x - (width > 2 ? 0.5 : 0), y(bar.high), Math.max(1, devicePixelRatio), Math.max(1, y(bar.low) - y(bar.high)));
      const [top, bottom] = [y(Math.max(bar.open, bar.close)), y(Math.min(bar.open, bar.close))];
      ctx.fillRect(left, top, width, Math.max(1, bottom - top));
    }
    ctx.restore();
  }

  // Show the values of the candle under the pointer, or else of the newest.
  tell() {
    const bar = this.shown[this.plot.cursor.idx ?? this.bars.size - 1] ?? this.shown.at(-1);
    if (!bar) return;
    const when = new Date(bar.ms).toISOString();
    const prices = ['open', 'high', 'low', 'close'].map((name) => `${name[0].toUpperCase()} ${number(bar[name], this.places)}`);
    const text = `${when.slice(5, 10)} ${when.slice(11, 16)} ${prices.join(' ')} V ${bar.volume.toLocaleString('en-US', { maximumFractionDigits: 4 })}`;
    if (this.readout.textContent !== text) this.readout.textContent = text;
  }
}

class Depth {
  constructor(place, readout) {
    this.readout = readout;
    this.places = 2;
    const side = (name, align) => ({
      stroke: () => colour(name), fill: () => colour(`${name}-bar`), width: 1.5, points: { show: false }, paths: uPlot.paths.stepped({ align }),
    });
    this.plot = chartIn(place, {
      scales: { x: { time: false }, y: { range: (_, low, high) => [0, (high || 1) * 1.05] } },
      series: [{}, side('buy', -1), side('sell', 1)],
      axes: [{ size: 20, space: 60, values: (plot, ticks) => ticks.map((each) => this.label(plot, each)) }, { side: 1, size: 40, space: 26 }],
      hooks: { setCursor: [() => this.tell()] },
    }, [[], [], []]);
  }

  // A price label on the axis; none where the left edge would cut it off.
  label(plot, price) {
    return plot.valToPos(price, 'x') < 24 ? '' : price.toLocaleString('en-US', { maximumFractionDigits: 6 });
  }

  show(book, places) {
    const summed = (levels) => { let total = 0; return levels.map(([price, size]) => [Number(price), (total += Number(size))]); };
    const [bids, asks] = [summed(this.near(book, 'bids')).reverse(), summed(this.near(book, 'asks'))];
    this.places = places;
    this.plot.setData([
      [...bids, ...asks].map((each) => each[0]),
      [...bids.map((each) => each[1]), ...asks.map(() => null)],
      [...bids.map(() => null), ...asks.map((each) => each[1])],
    ]);
    this.tell();
  }

  // Without levels so far away that all others would shrink to a line.
  near(book, side) {
    const best = Number(book[side][0]?.[0]);
    const far = [...book.bids, ...book.asks].map(([price]) => Math.abs(price - best)).sort((one, two_) => one - two_);
    const reach = 3 * (far[Math.floor(far.length / 2)] ?? 0);
    return book[side].filter(([price]) => Math.abs(price - best) <= reach);
  }

  tell() {
    const [prices, bids, asks] = this.plot.data;
    const index = this.plot.cursor.idx;
    const size = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 3 });
    let text = '';
    if (index !== null && index !== undefined && prices[index] !== undefined) {
      const bid = bids[index] !== null;
      text = `${size(bid ? bids[index] : asks[index])} ${bid ? 'bid from' : 'asked up to'} ${number(prices[index], this.places)}`;
    } else if (prices.length) {
      text = `${size(bids[0] ?? 0)} bid, ${size(asks.at(-1) ?? 0)} asked`;
    }
    if (this.readout.textContent !== text) this.readout.textContent = text;
  }
}
