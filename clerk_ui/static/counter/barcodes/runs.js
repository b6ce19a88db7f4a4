// From a line across a picture to the widths of its light and dark stretches.

const LEAST_CONTRAST = 30; // of 255, between the lightest and the darkest nearby; below it there is nothing to read
const BLOCKS = 24;

/**
 * The widths along a line of brightness values, light first, then dark and light in turn. The threshold follows the
 * light on the card; an edge lies where the brightness crosses it, between two pixels.
 */
export function runsOf(line) {
  const threshold = thresholds(line);
  const widths = [];
  let start = 0;
  let dark = false;
  for (let x = 0; x < line.length; x += 1) {
    const isDark = line[x] < threshold[x];
    if (isDark === dark) continue;
    const edge = x === 0 ? 0 : x - 1 + crossing(line[x - 1] - threshold[x - 1], line[x] - threshold[x]);
    widths.push(edge - start);
    start = edge;
    dark = isDark;
  }
  widths.push(line.length - start);
  if (dark) widths.push(0); // always ends in light, so that reading backwards begins with light as well
  return widths;
}

function crossing(before, after) {
  const span = Math.abs(before) + Math.abs(after);
  return span === 0 ? 0.5 : Math.abs(before) / span;
}

/** Half way between the lightest and the darkest of the neighbourhood; nothing is dark where all is alike. */
function thresholds(line) {
  const size = Math.max(8, Math.ceil(line.length / BLOCKS));
  const count = Math.ceil(line.length / size);
  const low = new Float32Array(count).fill(255);
  const high = new Float32Array(count);
  for (let x = 0; x < line.length; x += 1) {
    const block = Math.floor(x / size);
    if (line[x] < low[block]) low[block] = line[x];
    if (line[x] > high[block]) high[block] = line[x];
  }
  const threshold = new Float32Array(line.length);
  for (let block = 0; block < count; block += 1) {
    const from = Math.max(0, block - 1);
    const to = Math.min(count, block + 2);
    const darkest = Math.min(...low.subarray(from, to));
    const lightest = Math.max(...high.subarray(from, to));
    const value = lightest - darkest < LEAST_CONTRAST ? -1 : (darkest + lightest) / 2;
    threshold.fill(value, block * size, (block + 1) * size);
  }
  return threshold;
}

/** How badly `count` widths from `at` fit a pattern of modules: 0 is perfect, Infinity is out of the question. */
export function misfit(widths, at, pattern) {
  let total = 0;
  let modules = 0;
  for (let place = 0; place < pattern.length; place += 1) {
    total += widths[at + place];
    modules += pattern[place];
  }
  if (!(total > 0)) return Infinity;
  const module = total / modules;
  let sum = 0;
  for (let place = 0; place < pattern.length; place += 1) {
    const off = Math.abs(widths[at + place] / module - pattern[place]);
    if (off > WORST) return Infinity;
    sum += off;
  }
  return sum / modules;
}

const WORST = 0.75; // modules that one stretch may be off

/** The pattern that fits best, as its place in the list, or -1 where none fits well and better than all others. */
export function best(widths, at, patterns, limit) {
  let found = -1;
  let least = limit;
  let second = limit;
  for (let place = 0; place < patterns.length; place += 1) {
    const off = misfit(widths, at, patterns[place]);
    if (off < least) {
      second = least;
      least = off;
      found = place;
    } else if (off < second) second = off;
  }
  return second - least > CLEARLY || second === limit ? found : -1;
}

const CLEARLY = 0.02;

/** The sum of `count` widths from `at`. */
export function span(widths, at, count) {
  let total = 0;
  for (let place = 0; place < count; place += 1) total += widths[at + place];
  return total;
}
