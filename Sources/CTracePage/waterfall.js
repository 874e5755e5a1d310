const rowsAtOnce = 400;
const isBad = span => span.tags.some(tag => tag.key === 'error' && String(tag.value) === 'true');

// The spans as a tree, depth first: parents before children, children by time. Spans that hang on no root come last.
function ordered(spans) {
  const first = new Map(), nodes = spans.map(span => ({span, children: [], depth: 0}));
  for (const node of nodes) if (!first.has(node.span.spanID)) first.set(node.span.spanID, node);
  const roots = [];
  for (const node of nodes) {
    const link = node.span.references.find(r => r.refType === 'CHILD_OF' && r.traceID === node.span.traceID);
    const parent = link && first.get(link.spanID);
    if (parent && parent !== node) parent.children.push(node); else roots.push(node);
  }
  const result = [], seen = new Set();
  for (const root of [...roots, ...nodes]) {
    const stack = [[root, 0]];
    while (stack.length) {
      const [node, depth] = stack.pop();
      if (seen.has(node)) continue;
      seen.add(node);
      node.depth = depth;
      node.at = result.push(node) - 1;
      for (let i = node.children.length - 1; i >= 0; i--) stack.push([node.children[i], depth + 1]);
    }
  }
  // Behind the last span below each: what folding it hides.
  const open = [];
  for (const node of result) {
    while (open.length && open[open.length - 1].depth >= node.depth) open.pop().end = node.at;
    open.push(node);
  }
  for (const node of open) node.end = result.length;
  return result;
}
// A text that may be a megabyte long: its beginning, and the rest when asked for.
function long(text, limit = 2000) {
  if (visible(text).length <= limit) return [foreign(text)];
  const part = foreign(String(text).slice(0, limit / 2) + '…');
  const all = make('button', {type: 'button', onclick: () => { part.textContent = visible(text); all.remove(); }}, 'All ' + plural(text.length, 'character'));
  return [part, ' ', all];
}
const pairs = tags => make('dl', {}, ...tags.flatMap(tag => [make('dt', {}, foreign(tag.key)), make('dd', {}, ...long(tag.value))]));
const part = (title, ...content) => make('section', {}, make('h3', {}, title), ...content);

function detail(view, node) {
  const {span} = node, process = view.trace.processes[span.processID];
  const links = span.references.filter(r => r.refType !== 'CHILD_OF');
  return make('div', {class: 'detail', id: 'detail-' + node.at, '--c': colour(process.serviceName)},
    make('p', {}, make('b', {}, ...long(named(span.operationName), 400)), ' ', make('small', {}, foreign(process.serviceName))),
    make('p', {class: 'dim'}, `${duration(span.duration)}, from +${duration(span.startTime - view.start)} · ${moment(span.startTime)} · span `,
      make('a', {class: 'mono', href: `#trace=${view.trace.traceID}&span=${span.spanID}`}, span.spanID)),
    ...(span.warnings || []).map(text => make('p', {class: 'warning'}, '⚠ ' + visible(text))),
    make('div', {class: 'columns'},
      span.tags.length ? part('Tags', pairs(span.tags)) : null,
      process.tags.length ? part('Process', pairs(process.tags)) : null),
    span.logs.length ? part('Logs', ...span.logs.flatMap(log =>
      [make('p', {class: 'mono'}, '+' + duration(log.timestamp - view.start)), pairs(log.fields)])) : null,
    links.length ? part('Links', ...links.map(r =>
      make('p', {class: 'mono'}, make('a', {href: `#trace=${r.traceID}&span=${r.spanID}`}, `${r.traceID} ${r.spanID}`)))) : null);
}
function toggle(view, node, isOpen = !node.detail) {
  const button = node.row.querySelector('.name');
  if (isOpen === !!node.detail) return;
  if (isOpen) node.row.after(node.detail = detail(view, node)); else { node.detail.remove(); node.detail = null; }
  button.setAttribute('aria-expanded', isOpen);
  node.row.classList.toggle('open', isOpen);
}
function row(view, node) {
  const {span} = node, service = view.trace.processes[span.processID].serviceName, bad = isBad(span), warned = (span.warnings || []).length;
  const left = (span.startTime - view.start) / view.length * 100, width = span.duration / view.length * 100;
  const bar = make('div', {class: bad ? 'bar bad' : 'bar'}), time = make('span', {class: 'time'}, duration(span.duration));
  bar.style.left = left + '%';
  bar.style.width = width + '%';
  if (left + width < 85) time.style.left = left + width + '%';
  else if (left > 15) time.style.right = 100 - left + '%';
  else { time.style.right = 100 - left - width + '%'; time.style.color = '#10151a'; }
  const marks = span.logs.slice(0, 50).map(log => {
    const mark = make('i', {class: 'mark'});
    mark.style.left = (log.timestamp - view.start) / view.length * 100 + '%';
    return mark;
  });
  const fold = node.children.length ? make('button', {class: 'fold', type: 'button', 'aria-expanded': !node.folded,
    'aria-label': plural(node.end - node.at - 1, 'span') + ' below', onclick: () => setFolded(view, [node], !node.folded)}, node.folded ? '▸' : '▾')
    : make('span', {class: 'fold'});
  const name = make('button', {class: 'name', type: 'button', 'aria-expanded': false, title: visible(span.operationName).slice(0, 500),
    onclick: () => toggle(view, node), onkeydown: event => move(view, node, event)},
    bad ? make('span', {class: 'bad'}, '✖ ', make('span', {class: 'hidden'}, 'error: ')) : null, warned ? make('span', {class: 'warning'}, '⚠ ') : null,
    foreign(named(span.operationName).slice(0, 500), {class: bad ? 'bad' : undefined}), ' ', make('small', {}, foreign(service)),
    make('span', {class: 'hidden'}, `, ${duration(span.duration)}, from +${duration(span.startTime - view.start)}, depth ${node.depth}`));
  node.row = make('li', {class: 'row', '--c': colour(service), '--depth': node.depth}, make('div', {class: 'left'}, fold, name),
    make('div', {class: 'lane', 'aria-hidden': true, onclick: () => toggle(view, node)}, bar, ...marks, time));
  node.row.classList.toggle('dull', view.found !== null && !view.found.has(node));
  return node.row;
}
function move(view, node, event) {
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (step) {
    const names = [...view.list.querySelectorAll('.name')];
    (names[names.indexOf(event.currentTarget) + step] || event.currentTarget).focus();
  } else if (node.children.length && (event.key === 'ArrowLeft' || event.key === 'ArrowRight')) {
    setFolded(view, [node], event.key === 'ArrowLeft');
  } else return;
  event.preventDefault();
}
function setFolded(view, nodes, folded) {
  const focused = view.nodes.find(node => node.row && node.row.contains(document.activeElement));
  for (const node of nodes) node.folded = folded;
  const count = Math.max(rowsAtOnce, view.list.children.length);
  draw(view, count);
  if (focused && focused.row.isConnected) focused.row.querySelector('.name').focus();
}
// Draws the first rows anew; more are added as they are scrolled to.
function draw(view, count = rowsAtOnce) {
  view.list.replaceChildren();
  for (const node of view.nodes) node.detail = node.row = null;
  view.next = 0;
  extend(view, count);
}
function extend(view, count = rowsAtOnce, until = -1) {
  const rows = [];
  while (view.next < view.nodes.length && (rows.length < count || view.next <= until)) {
    const node = view.nodes[view.next];
    rows.push(row(view, node));
    view.next = node.folded ? node.end : view.next + 1;
  }
  view.list.append(...rows);
  view.more.hidden = view.next >= view.nodes.length;
  view.more.textContent = plural(view.nodes.length - view.next, 'more span');
}
function find(view, text, onlyBad) {
  text = text.trim().toLowerCase();
  const has = list => list.some(tag => (tag.key + '=' + tag.value).toLowerCase().includes(text));
  const fits = ({span}) => (!onlyBad || isBad(span)) && (!text || span.operationName.toLowerCase().includes(text) || span.spanID.includes(text)
    || view.trace.processes[span.processID].serviceName.toLowerCase().includes(text) || has(span.tags) || span.logs.some(log => has(log.fields)));
  view.found = text || onlyBad ? new Set(view.nodes.filter(fits)) : null;
  view.status.textContent = view.found ? view.found.size + ' found' : '';
  for (const node of view.nodes) if (node.row) node.row.classList.toggle('dull', view.found !== null && !view.found.has(node));
  const hit = view.found && [...view.found][0];
  if (hit) reveal(view, hit);
}
function reveal(view, node) {
  if (!node.row) {
    for (const other of view.nodes) if (other.at < node.at && node.at < other.end) other.folded = false;
    draw(view);
    extend(view, 0, node.at);
  }
  node.row.scrollIntoView({block: 'center'});
}
async function trace(from, isCurrent) {
  const id = from.get('trace');
  if (view && view.id === id && $('main').contains(view.list)) return openSpan(from.get('span'));
  $('main').replaceChildren(make('p', {class: 'note'}, 'Loading…'));
  const answer = await get('api/traces/' + encodeURIComponent(id));
  if (!isCurrent()) return;
  waterfall(id, answer);
  openSpan(from.get('span'));
}
function openSpan(id) {
  const node = id && view.nodes.find(node => node.span.spanID === id);
  if (!node) return;
  reveal(view, node);
  toggle(view, node, true);
  node.row.querySelector('.name').focus({preventScroll: true});
}
let view = null;
function waterfall(id, answer) {
  const trace = answer.data[0], nodes = ordered(trace.spans), services = new Map();
  let start = Infinity, end = 0, bad = 0, depth = 0, warned = 0;
  for (const node of nodes) {
    const {span} = node, service = trace.processes[span.processID].serviceName;
    start = Math.min(start, span.startTime);
    end = Math.max(end, span.startTime + span.duration);
    services.set(service, (services.get(service) || 0) + 1);
    if (isBad(span)) bad++;
    if ((span.warnings || []).length) warned++;
    depth = Math.max(depth, node.depth + 1);
  }
  for (const service of [...services.keys()].sort()) colour(service);
  const root = nodes[0].span, length = Math.max(1, end - start);
  const more = make('button', {id: 'more', type: 'button', onclick: () => extend(view)});
  view = {id, trace, nodes, start, length, more, found: null, list: make('ol', {id: 'waterfall', 'aria-label': 'Spans'}), status: make('span', {role: 'status', class: 'dim'})};
  const text = make('input', {type: 'search', placeholder: 'Find in spans', 'aria-label': 'Find in spans', size: 24, spellcheck: 'false', oninput: again});
  const only = make('input', {type: 'checkbox', onchange: again});
  function again() { find(view, text.value, only.checked); }
  const tool = (title, folded) => make('button', {type: 'button', onclick: () => setFolded(view, nodes.filter(node => node.children.length && (node.depth > 0 || !folded)), folded)}, title);
  const fact = (label, value, kind) => make('span', {}, label + ' ', make('b', {class: kind}, value));
  const tick = (part, text) => {
    const result = make('span', {}, text);
    if (part < 1) result.style.left = part * 100 + '%';
    return result;
  };
  document.title = visible(named(root.operationName)).slice(0, 80) + ' · Kata traces';
  draw(view);
  $('main').replaceChildren(
    ...[...(trace.warnings || []), ...(answer.errors || []).map(e => e.msg)].map(problem),
    make('div', {class: 'top'}, make('h2', {}, ...long(named(root.operationName), 400), ' ', make('small', {}, foreign(trace.processes[root.processID].serviceName))),
      make('span', {class: 'dim'}, make('a', {href: 'api/traces/' + trace.traceID, download: trace.traceID + '.jaeger.json'}, 'Jaeger JSON'), ' · ',
        make('a', {href: 'api/v3/traces/' + trace.traceID, download: trace.traceID + '.otlp.json'}, 'OTLP JSON'))),
    make('p', {class: 'facts'}, fact('trace', trace.traceID, 'mono'), fact('started', moment(start)), fact('took', duration(length)), fact('spans', nodes.length.toLocaleString('en')),
      fact('depth', depth), fact('errors', bad, bad ? 'bad' : ''), warned ? fact('warnings', warned, 'warning') : null),
    make('div', {}, ...[...services].map(([service, count]) => chip(service, '· ' + count.toLocaleString('en')))),
    make('div', {class: 'tools'}, text, make('label', {}, only, 'errors only'), tool('Fold all', true), tool('Unfold all', false), view.status),
    make('div', {class: 'axis', 'aria-hidden': true}, make('b', {}, 'Operation'), make('div', {class: 'ticks'}, ...[0, .25, .5, .75, 1].map(part => tick(part, duration(length * part))))),
    view.list, more);
  new IntersectionObserver(entries => { if (entries.some(e => e.isIntersecting) && !more.hidden) extend(view); }, {rootMargin: '600px'}).observe(more);
}
