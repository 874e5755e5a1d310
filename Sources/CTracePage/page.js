'use strict';
const $ = id => document.getElementById(id);
// Control and direction characters of a hostile name are shown, not obeyed.
const visible = value => String(value).replace(/[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
  c => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
// Makes an element; texts among its children become text and nothing else.
function make(name, attributes, ...children) {
  const result = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (key.startsWith('on')) result.addEventListener(key.slice(2), value);
    else if (key.startsWith('--')) result.style.setProperty(key, value);
    else if (value !== undefined && value !== false) result.setAttribute(key, value === true ? '' : value);
  result.append(...children.filter(child => child !== undefined && child !== null));
  return result;
}
const foreign = (value, attributes) => make('bdi', {dir: 'ltr', ...attributes}, visible(value));
const plural = (count, word) => count.toLocaleString('en') + ' ' + word + (count === 1 ? '' : 's');
function duration(us) {
  for (const [unit, size] of [['h', 3.6e9], ['min', 6e7], ['s', 1e6], ['ms', 1e3]])
    if (us >= size) return (us >= 1000 * size ? Math.round(us / size) : Number((us / size).toPrecision(3))) + ' ' + unit;
  return Math.round(us) + ' µs';
}
const moment = us => new Date(us / 1000).toISOString().replace('T', ' ').replace('Z', ' UTC');
function ago(us) {
  const seconds = Math.max(0, Date.now() / 1000 - us / 1e6);
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]])
    if (seconds >= size) return plural(Math.floor(seconds / size), unit) + ' ago';
  return 'just now';
}
const colours = new Map();
// Hues far apart, so that neighbours never look alike, and none of the reds that errors have.
function colour(service) {
  if (!colours.has(service)) colours.set(service, `oklch(64% .14 ${60 + (190 + colours.size * 173) % 280})`);
  return colours.get(service);
}
const chip = (service, text) => make('span', {class: 'chip', '--c': colour(service)}, foreign(service), text);

async function get(path) {
  const answer = await fetch(path);
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new Error(body.errors ? body.errors[0].msg : body.error ? body.error.message : 'status ' + answer.status);
  return body;
}
const problem = text => make('p', {class: 'problem', role: 'alert'}, visible(text));
// An empty name is a name, and has to be seen and clicked on.
const named = text => text || '(no name)';
const hash = () => new URLSearchParams(location.hash.slice(1));
const fields = ['service', 'operation', 'tags', 'min', 'last', 'limit'];

// Fills a choice with names, the first of which stands for all.
function choose(field, names, value) {
  $(field).replaceChildren(make('option', {value: ''}, 'all'), ...names.map(name => make('option', {value: name}, visible(name))));
  if (value && !names.includes(value)) $(field).append(make('option', {value}, visible(value)));
  $(field).value = value || '';
}
// key=value and key:value, values in quotes where they have spaces; a key alone means true.
function tags(text) {
  const result = {};
  for (const [, key, , quoted, plain] of text.matchAll(/([^\s=:]+)([=:](?:"([^"]*)"|(\S*)))?/g))
    result[key] = quoted ?? plain ?? 'true';
  return JSON.stringify(result);
}
function parameters(from) {
  const now = Date.now(), last = Number(from.get('last') || 0);
  const start = last ? now - last * 1000 : 0;
  const query = new URLSearchParams({'query.startTimeMin': new Date(start).toISOString(), 'query.startTimeMax': '2262-01-01T00:00:00Z',
    'query.searchDepth': from.get('limit') || 100});
  for (const [name, field] of [['serviceName', 'service'], ['operationName', 'operation'], ['durationMin', 'min']])
    if (from.get(field)) query.set('query.' + name, from.get(field).replace(field === 'min' ? ' ' : '', ''));
  if (from.get('tags')) query.set('query.attributes', tags(from.get('tags')));
  return query;
}
function listRow(summary, longest) {
  const start = Number(BigInt(summary.minStartTimeUnixNano) / 1000n);
  const length = Number(BigInt(summary.maxEndTimeUnixNano) / 1000n) - start;
  const bar = make('i');
  bar.style.width = length / longest * 100 + '%';
  // A root that has come has a service, whatever its name is.
  const name = summary.rootOperationName || summary.rootServiceName ? foreign(named(summary.rootOperationName)) : 'root span not received yet';
  return make('tr', {},
    make('td', {class: 'trace'}, make('a', {href: '#trace=' + summary.traceId}, name), ' ', make('small', {class: 'mono wide'}, summary.traceId.slice(0, 8)),
      make('div', {}, ...summary.services.map(s => chip(s.name, '· ' + s.spanCount.toLocaleString('en'))))),
    make('td', {class: 'number'}, summary.spanCount.toLocaleString('en')),
    make('td', {class: summary.errorSpanCount ? 'number bad' : 'number dim'}, summary.errorSpanCount.toLocaleString('en')),
    make('td', {class: 'length'}, duration(length), bar),
    make('td', {class: 'number wide', title: moment(start)}, ago(start), make('div', {class: 'dim'}, moment(start).slice(0, 19))));
}
function listView(summaries, isFiltered) {
  if (!summaries.length)
    return [make('p', {class: 'note'}, isFiltered ? 'No trace fits.' : 'No traces yet. They appear here as agents and runtimes send their spans.')];
  const length = s => Number(BigInt(s.maxEndTimeUnixNano) - BigInt(s.minStartTimeUnixNano)) / 1000;
  const longest = summaries.reduce((most, s) => Math.max(most, length(s)), 1);
  return [
    make('p', {class: 'count dim', role: 'status'}, plural(summaries.length, 'trace') + ', the newest first'),
    make('table', {}, make('thead', {}, make('tr', {}, ...[['Trace', ''], ['Spans', 'number'], ['Errors', 'number'], ['Duration', ''], ['Started', 'number wide']]
      .map(([title, kind]) => make('th', {class: kind, scope: 'col'}, title)))),
    make('tbody', {}, ...summaries.map(s => listRow(s, longest))))];
}
async function list(from, isCurrent) {
  const service = from.get('service') || '';
  const names = service ? (await get('api/v3/operations?service=' + encodeURIComponent(service))).operations.map(o => o.name) : [];
  const {summaries} = await get('api/v3/trace-summaries?' + parameters(from));
  if (!isCurrent()) return;
  choose('operation', [...new Set(names)], from.get('operation'));
  document.title = 'Kata traces';
  $('main').replaceChildren(...listView(summaries, [...from.keys()].length > 0));
  // The first spans may still be on their way.
  if (!summaries.length) setTimeout(() => isCurrent() && show(), 2000);
}

// The parameters of a search of the Jaeger UI, whose links lead here, as the page's own.
function adopt() {
  const from = new URLSearchParams(location.search), to = new URLSearchParams();
  if (location.hash || !location.search) return;
  const units = {s: 1, m: 60, h: 3600, d: 86400, w: 604800}, look = /^(\d+)([smhdw])$/.exec(from.get('lookback') || '');
  for (const [name, field] of [['service', 'service'], ['operation', 'operation'], ['minDuration', 'min'], ['limit', 'limit']])
    if (from.get(name) && from.get(name) !== 'all') to.set(field, from.get(name));
  if (look) to.set('last', look[1] * units[look[2]]);
  let words = from.getAll('tag');
  try {
    words = words.concat(Object.entries(JSON.parse(from.get('tags') || '{}')).map(([key, value]) => `${key}=${value}`));
  } catch { /* no tags then */ }
  const word = text => {
    const [, key, value] = /^([^=:]*)[=:]?(.*)$/s.exec(text);
    return /\s/.test(value) ? `${key}="${value}"` : `${key}=${value}`;
  };
  if (words.length) to.set('tags', words.map(word).join(' '));
  history.replaceState(null, '', location.pathname + '#' + to);
}

let shown = 0;
async function show() {
  const number = ++shown, isCurrent = () => number === shown, from = hash();
  for (const field of ['tags', 'min', 'last', 'limit']) {
    if (!from.has(field)) continue;
    if ($(field).tagName === 'SELECT' && ![...$(field).options].some(o => o.value === from.get(field)))
      $(field).append(make('option', {value: from.get(field)}, field === 'last' ? duration(from.get(field) * 1e6) : visible(from.get(field))));
    $(field).value = from.get(field);
  }
  try {
    const {services} = await get('api/v3/services');
    if (isCurrent()) choose('service', services, from.get('service'));
    if (from.has('trace')) await trace(from, isCurrent); else await list(from, isCurrent);
  } catch (error) {
    if (isCurrent()) $('main').replaceChildren(problem(error.message));
  }
}
function search() {
  const to = new URLSearchParams();
  for (const field of fields) if ($(field).value.trim() && !(field === 'limit' && $(field).value === '100')) to.set(field, $(field).value.trim());
  if (location.hash.slice(1) === to.toString()) show(); else location.hash = to;
}
$('form').addEventListener('submit', event => { event.preventDefault(); search(); });
$('service').addEventListener('change', () => { $('operation').value = ''; search(); });
for (const field of ['operation', 'last', 'limit']) $(field).addEventListener('change', search);
addEventListener('hashchange', show);
addEventListener('DOMContentLoaded', () => { adopt(); show(); });
