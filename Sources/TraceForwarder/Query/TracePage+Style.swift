extension TracePage {
  static let style = #"""
    :root {
      color-scheme: light dark;
      --back: light-dark(#fff, #15181c); --panel: light-dark(#f5f7f9, #1d2126); --text: light-dark(#1c2126, #e4e8ec);
      --dim: light-dark(#5b6670, #9aa5b0); --line: light-dark(#dfe4e9, #30363d); --accent: light-dark(#1f6fbf, #6cb0f0);
      --bad: light-dark(#b3261e, #ff8a80); --warn: light-dark(#8a5a00, #f0b849); --wide: minmax(16rem, 36%) 1fr;
    }
    * { box-sizing: border-box; }
    body { margin: 0; background: var(--back); color: var(--text); font: 14px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
    a { color: var(--accent); text-decoration: none; }
    a:hover { text-decoration: underline; }
    :focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; border-radius: 3px; }
    header { display: flex; flex-wrap: wrap; gap: .5rem 1.5rem; align-items: end; padding: .6rem 1rem; background: var(--panel); border-bottom: 1px solid var(--line); }
    h1 { font-size: 1.15rem; margin: 0 auto .25rem 0; letter-spacing: -.01em; }
    h1 a { color: inherit; }
    h2 { font-size: 1.25rem; margin: 0; overflow-wrap: anywhere; }
    form { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end; }
    label { display: grid; font-size: .75rem; color: var(--dim); }
    select, input, button { font: inherit; font-size: .875rem; color: var(--text); background: var(--back); border: 1px solid var(--line); border-radius: 4px; padding: .2rem .45rem; height: 1.9rem; min-width: 4.5rem; max-width: 15rem; }
    [hidden] { display: none !important; }
    button { cursor: pointer; }
    button:hover { border-color: var(--accent); }
    form > button { background: light-dark(#1f6fbf, #2a69a8); color: #fff; border-color: transparent; padding-inline: .9rem; }
    main { padding: 1rem; max-width: 110rem; margin: auto; outline: none; }
    .note { color: var(--dim); padding: 2rem 0; text-align: center; }
    .problem, .warning { color: var(--warn); }
    .problem { padding: .5rem .75rem; border: 1px solid; border-radius: 4px; margin: 0 0 1rem; overflow-wrap: anywhere; }
    .bad { color: var(--bad); font-weight: 600; }
    .dim, small { color: var(--dim); font-size: .8125rem; font-weight: 400; }
    .mono, dl, code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .8125rem; }
    bdi { unicode-bidi: isolate; }
    .chip { display: inline-flex; align-items: center; gap: .35rem; margin: .1rem .75rem .1rem 0; font-size: .8125rem; color: var(--dim); overflow-wrap: anywhere; }
    .chip::before { content: ""; flex: none; width: .65rem; height: .65rem; border-radius: 2px; background: var(--c); }
    .count { margin: 0 0 .5rem; }

    table { border-collapse: collapse; width: 100%; }
    th { text-align: left; font-size: .75rem; font-weight: 600; color: var(--dim); }
    th, td { padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
    tbody tr:hover { background: var(--panel); }
    .trace { overflow-wrap: anywhere; min-width: 14rem; }
    .trace a { font-weight: 600; }
    .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
    .length { width: 22%; min-width: 7rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
    .length i { display: block; height: .35rem; min-width: 2px; margin-top: .2rem; border-radius: 2px; background: var(--accent); }

    .top { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; align-items: baseline; margin-bottom: .25rem; }
    .facts { display: flex; flex-wrap: wrap; gap: 0 1.25rem; margin: 0 0 .5rem; color: var(--dim); }
    .facts b { color: var(--text); font-weight: 600; }
    .tools { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: .5rem 0; }
    .tools input[type=checkbox] { min-width: 0; height: auto; }
    .tools label { display: flex; align-items: center; gap: .35rem; font-size: .8125rem; }
    .axis, .row { display: grid; grid-template-columns: var(--wide); }
    .axis { position: sticky; top: 0; z-index: 2; background: var(--back); border-bottom: 1px solid var(--line); font-size: .75rem; color: var(--dim); }
    .axis > b { padding: .3rem .5rem; }
    .ticks { position: relative; height: 1.8rem; }
    .ticks span { position: absolute; height: 100%; padding: .3rem; border-left: 1px solid var(--line); white-space: nowrap; }
    .ticks span:last-child { right: 0; border: 0; }
    ol { list-style: none; margin: 0; padding: 0; border-bottom: 1px solid var(--line); }
    .row { content-visibility: auto; contain-intrinsic-size: auto 1.75rem; border-bottom: 1px solid color-mix(in srgb, var(--line) 45%, transparent); }
    .row:hover, .row.open { background: var(--panel); }
    .row.dull { opacity: .35; }
    .left { display: flex; align-items: stretch; min-width: 0; border-left: 3px solid var(--c); padding-left: calc(min(var(--depth), 16) * .8rem); }
    .left button { border: 0; background: none; border-radius: 0; height: auto; min-width: 0; max-width: none; padding: .2rem .3rem; }
    .fold { width: 1.4rem; flex: none; color: var(--dim); }
    .name { flex: 1; min-width: 0; text-align: left; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
    .lane { position: relative; min-height: 1.75rem; overflow: hidden; cursor: pointer; background: linear-gradient(90deg, var(--line) 1px, transparent 1px) 0 / 25% 100%; }
    .bar { position: absolute; top: .45rem; height: .85rem; min-width: 2px; border-radius: 2px; background: var(--c); }
    .bar.bad { box-shadow: 0 0 0 2px var(--back), 0 0 0 3.5px var(--bad); }
    .mark { position: absolute; top: .25rem; width: 1.5px; height: 1.25rem; background: var(--text); }
    .time { position: absolute; top: .3rem; font-size: .75rem; color: var(--dim); white-space: nowrap; padding: 0 .4rem; font-variant-numeric: tabular-nums; }
    .detail { padding: .75rem 1rem 1rem; border-left: 3px solid var(--c); background: var(--panel); }
    .detail h3 { font-size: .8125rem; margin: .9rem 0 .25rem; }
    .detail p { margin: .25rem 0; overflow-wrap: anywhere; }
    .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); gap: 0 2rem; }
    dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; margin: 0; border-top: 1px solid var(--line); }
    dt, dd { margin: 0; padding: .15rem .75rem .15rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; max-width: 20rem; }
    dt { color: var(--dim); }
    dd { white-space: pre-wrap; max-width: none; }
    .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
    #more { margin: 1rem auto; display: block; }

    @media (max-width: 46rem) {
      :root { --wide: 1fr; }
      .axis > b, .wide { display: none; }
      main { padding: .75rem .5rem; }
      dl { grid-template-columns: 1fr; }
      dt { border: 0; padding-bottom: 0; }
    }
    """#
}
