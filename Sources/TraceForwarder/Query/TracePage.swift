/// The page at `/`: the traces of a service, and one trace as a waterfall. It asks the query API like any other client,
/// and needs nothing from elsewhere.
enum TracePage {
  static let headers: [(name: String, value: String)] = [
    // What a guest named a span is text here and can never run: no script but the page's own, nothing from elsewhere.
    (
      "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'"
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
  ]

  static let html = Array(
    #"""
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Kata traces</title>
    <style>
    :root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); --accent: #2a78c8; --bad: #c8362a; }
    body { font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 76rem; }
    header { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin-bottom: 1rem; }
    h1 { font-size: 1.1rem; margin: 0 auto 0 0; }
    select, input, button { font: inherit; padding: .2rem .4rem; }
    table { border-collapse: collapse; width: 100%; }
    th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid var(--line); }
    td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
    a { color: var(--accent); }
    .bad { color: var(--bad); font-weight: 600; }
    .row { display: grid; grid-template-columns: minmax(14rem, 34%) 1fr; border-bottom: 1px solid var(--line); cursor: pointer; }
    .row:hover, .row:focus { background: var(--line); outline: none; }
    .name { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; padding: .15rem .4rem; }
    .name small { opacity: .7; }
    .lane { position: relative; min-height: 1.5rem; overflow: hidden; }
    .bar { position: absolute; top: .3rem; height: .9rem; min-width: 2px; border-radius: 2px; background: var(--accent); }
    .bar.bad { background: var(--bad); }
    .lane span { position: absolute; top: .1rem; font-size: .8rem; padding: 0 .3rem; white-space: nowrap; }
    .detail { padding: .4rem 1rem .8rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
    .detail dt { font-weight: 600; float: left; clear: left; margin-right: .5rem; }
    .detail dd { margin: 0; }
    .detail h3 { font-size: .9rem; margin: .6rem 0 .2rem; clear: both; }
    .warning { color: var(--bad); }
    </style>
    <header><h1><a href="#" id="home">Kata traces</a></h1>
    <label>Service <select id="service"></select></label>
    <label>Operation <select id="operation"></select></label>
    <label>Tag <input id="tag" size="18" placeholder="key:value"></label>
    <label>Least <input id="least" size="6" placeholder="10ms"></label>
    <button id="find">Find</button></header>
    <main id="main"></main>
    <script src="page.js"></script>
    """#.utf8)

  static let script = Array(
    #"""
    'use strict';
    const $ = id => document.getElementById(id);
    const element = (name, text, attributes = {}) => {
      const result = document.createElement(name);
      if (text !== undefined) result.textContent = text;
      for (const [key, value] of Object.entries(attributes)) result.setAttribute(key, value);
      return result;
    };
    const duration = us => us >= 1e6 ? (us / 1e6).toFixed(2) + ' s' : us >= 1e3 ? (us / 1e3).toFixed(2) + ' ms' : us + ' µs';
    const moment = us => new Date(us / 1000).toISOString().replace('T', ' ').replace('Z', '');
    const isBad = span => span.tags.some(tag => tag.key === 'error' && tag.value === true);
    async function get(path) {
      const answer = await fetch(path);
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.errors ? body.errors[0].msg : answer.status);
      return body.data;
    }
    function bounds(trace) {
      const start = Math.min(...trace.spans.map(span => span.startTime));
      const end = Math.max(...trace.spans.map(span => span.startTime + span.duration));
      return {start, length: Math.max(1, end - start)};
    }
    function root(trace) {
      return trace.spans.find(span => !span.references.some(r => r.refType === 'CHILD_OF')) || trace.spans[0];
    }
    function list(traces) {
      const table = element('table');
      const head = table.createTHead().insertRow();
      for (const [title, kind] of [['Started (UTC)', ''], ['Trace', ''], ['Services', ''], ['Spans', 'number'], ['Errors', 'number'], ['Duration', 'number']])
        head.append(element('th', title, {class: kind}));
      const rows = table.createTBody();
      for (const trace of traces) {
        const {start, length} = bounds(trace), bad = trace.spans.filter(isBad).length, row = rows.insertRow();
        row.insertCell().textContent = moment(start);
        row.insertCell().append(element('a', root(trace).operationName, {href: '#trace=' + trace.traceID}));
        row.insertCell().textContent = [...new Set(Object.values(trace.processes).map(p => p.serviceName))].join(', ');
        for (const [text, kind] of [[trace.spans.length, 'number'], [bad, bad ? 'number bad' : 'number'], [duration(length), 'number']]) {
          const cell = row.insertCell();
          cell.textContent = text;
          cell.className = kind;
        }
      }
      $('main').replaceChildren(traces.length ? table : element('p', 'No traces yet. They appear here as agents and runtimes send their spans.'));
    }
    function ordered(trace) {
      const ids = new Set(trace.spans.map(span => span.spanID)), children = new Map(), result = [];
      for (const span of trace.spans) {
        const parent = span.references.find(r => r.refType === 'CHILD_OF' && ids.has(r.spanID) && r.spanID !== span.spanID);
        const key = parent ? parent.spanID : '';
        children.set(key, [...(children.get(key) || []), span]);
      }
      const seen = new Set();
      const stack = (children.get('') || []).slice().reverse().map(span => [span, 0]);
      while (stack.length) {
        const [span, depth] = stack.pop();
        if (seen.has(span.spanID)) continue;
        seen.add(span.spanID);
        result.push([span, depth]);
        for (const child of (children.get(span.spanID) || []).slice().reverse()) stack.push([child, depth + 1]);
      }
      for (const span of trace.spans) if (!seen.has(span.spanID)) result.push([span, 0]);
      return result;
    }
    function pairs(tags) {
      const result = element('dl');
      for (const tag of tags) result.append(element('dt', tag.key), element('dd', String(tag.value)));
      return result;
    }
    function detail(span, process, start) {
      const result = element('div', undefined, {class: 'detail'});
      for (const warning of span.warnings || []) result.append(element('p', warning, {class: 'warning'}));
      result.append(element('h3', 'Tags'), pairs(span.tags), element('h3', 'Process'), pairs(process.tags));
      if (span.logs.length) result.append(element('h3', 'Logs'));
      for (const log of span.logs) result.append(element('div', '+' + duration(log.timestamp - start)), pairs(log.fields));
      result.append(element('h3', 'Span'), element('div', span.spanID));
      return result;
    }
    function waterfall(trace) {
      const {start, length} = bounds(trace), view = element('section', undefined, {id: 'waterfall'});
      const title = element('h2', root(trace).operationName);
      view.append(title, element('p', trace.traceID + ' · ' + moment(start) + ' UTC · ' + duration(length) + ' · ' + trace.spans.length + ' spans'));
      for (const [span, depth] of ordered(trace)) {
        const process = trace.processes[span.processID], bad = isBad(span);
        const row = element('div', undefined, {class: 'row', tabindex: 0});
        const name = element('div', undefined, {class: 'name'});
        name.style.paddingLeft = (0.4 + Math.min(depth, 20) * 0.9) + 'rem';
        name.append(element('span', span.operationName + ' ', bad ? {class: 'bad'} : {}), element('small', process.serviceName));
        if (span.warnings && span.warnings.length) name.append(element('span', ' ⚠', {class: 'warning', title: span.warnings.join('\n')}));
        const lane = element('div', undefined, {class: 'lane'}), bar = element('div', undefined, {class: bad ? 'bar bad' : 'bar'});
        const left = (span.startTime - start) / length * 100, width = span.duration / length * 100;
        bar.style.left = left + '%';
        bar.style.width = width + '%';
        const label = element('span', duration(span.duration));
        if (left + width < 85) label.style.left = left + width + '%'; else label.style.right = (100 - left) + '%';
        lane.append(bar, label);
        row.append(name, lane);
        let open = null;
        const toggle = () => { if (open) { open.remove(); open = null; } else { open = detail(span, process, start); row.after(open); } };
        row.addEventListener('click', toggle);
        row.addEventListener('keydown', event => { if (event.key === 'Enter') toggle(); });
        view.append(row);
      }
      $('main').replaceChildren(view);
    }
    async function show() {
      try {
        const match = /^#trace=([0-9a-f]+)$/.exec(location.hash);
        if (match) return waterfall((await get('api/traces/' + match[1]))[0]);
        const services = await get('api/services'), chosen = $('service').value;
        $('service').replaceChildren(...services.map(name => element('option', name)));
        if (services.includes(chosen)) $('service').value = chosen;
        if (!services.length) return list([]);
        const service = $('service').value, operation = $('operation').value;
        const names = await get('api/services/' + encodeURIComponent(service) + '/operations');
        $('operation').replaceChildren(element('option', 'all'), ...names.map(name => element('option', name)));
        if (names.includes(operation)) $('operation').value = operation;
        const query = new URLSearchParams({service, limit: 200});
        if ($('operation').value !== 'all') query.set('operation', $('operation').value);
        if ($('tag').value) query.set('tag', $('tag').value);
        if ($('least').value) query.set('minDuration', $('least').value);
        list(await get('api/traces?' + query));
      } catch (error) {
        $('main').replaceChildren(element('p', 'The forwarder answered: ' + error.message, {class: 'warning'}));
      }
    }
    for (const id of ['service', 'operation']) $(id).addEventListener('change', show);
    for (const id of ['tag', 'least']) $(id).addEventListener('keydown', event => { if (event.key === 'Enter') show(); });
    $('find').addEventListener('click', () => { location.hash = ''; show(); });
    addEventListener('hashchange', show);
    show();
    """#.utf8)
}
