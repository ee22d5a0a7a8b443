/** The page's style sheet: light and dark, wide and narrow, screen and paper. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #fff; --panel: #f6f8fa; --line: #d0d7de; --accent: #0550ae; --changed: #fff3bf; --now: #ddf4ff; --bad: #b3261e; --good: #146c2e; --maybe: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4af; --paper: #0d1117; --panel: #161b22; --line: #3a434d; --accent: #79c0ff; --changed: #4d3f00; --now: #12304f; --bad: #ff8a80; --good: #6fdd8b; --maybe: #f2c14e; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 100rem; margin: 0 auto; padding: 1rem 1.25rem 3rem; }
h1 { font-size: 1.35rem; margin: .25rem 0; } h2 { font-size: 1.05rem; margin: 1.25rem 0 .5rem; } h3 { font-size: .9rem; margin: 1rem 0 .25rem; color: var(--soft); }
code, pre, svg text, td, .subject { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
code, pre, td, .subject { font-size: .82rem; }
.verdict { display: inline-block; margin: 0; padding: .1rem .6rem; border: 2px solid currentColor; border-radius: 1rem; font-weight: 700; text-transform: uppercase; letter-spacing: .04em; }
.violation { color: var(--bad); } .pass { color: var(--good); } .inconclusive { color: var(--maybe); }
.message { font-size: 1.05rem; margin: .25rem 0; overflow-wrap: anywhere; } .subject { color: var(--soft); margin: .25rem 0; overflow-wrap: anywhere; }
.overview { display: flex; flex-wrap: wrap; gap: .4rem; list-style: none; padding: 0; margin: 0 0 1rem; }
.dot { display: inline-block; width: .7em; height: .7em; border-radius: 50%; background: currentColor; }
button { font: inherit; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .2rem .6rem; cursor: pointer; }
button:disabled { opacity: .4; cursor: default; } button[aria-current=true] { outline: 2px solid var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.stepper { position: sticky; top: 0; z-index: 2; display: flex; flex-wrap: wrap; align-items: center; gap: .5rem; padding: .5rem 0; background: var(--paper); border-bottom: 1px solid var(--line); }
.stepper input { flex: 1 1 12rem; accent-color: var(--accent); min-width: 8rem; } .stepper output { min-width: 7.5rem; font-variant-numeric: tabular-nums; } .keys { color: var(--soft); font-size: .8rem; }
.columns { display: grid; gap: 0 1.5rem; grid-template-columns: minmax(0, 1fr); }
@media (min-width: 70rem) { .columns { grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); } .wide { position: sticky; top: 3rem; align-self: start; } .diagram { max-height: calc(100vh - 10rem); } }
figure { margin: 0; } .diagram { overflow: auto; border: 1px solid var(--line); border-radius: 6px; max-height: 70vh; }
svg { display: block; } svg text { font-size: 11px; fill: var(--ink); } svg text.lane { font: 600 12px system-ui, sans-serif; } svg text.number, svg text.small { fill: var(--soft); }
.now { fill: var(--now); } .hit { fill: transparent; } .step { cursor: pointer; } .current text { font-weight: 700; }
.life { stroke: var(--line); stroke-width: 2; } .point { fill: var(--soft); } .point.switch { fill: var(--accent); stroke: var(--accent); stroke-width: 3; }
.wait rect { fill: var(--paper); stroke: var(--maybe); stroke-dasharray: 3 3; } .wait text { fill: var(--maybe); font-style: italic; }
.arrow line { stroke: var(--accent); stroke-width: 1.5; } .arrow.hand-over line { stroke-dasharray: 5 3; } .tip { fill: var(--accent); }
figcaption { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .8rem; color: var(--soft); padding: .35rem 0; }
.swatch { display: inline-block; width: .8em; height: .8em; border-radius: 2px; vertical-align: -1px; } .swatch.waiting { border: 1px dashed var(--maybe); } .swatch.line { height: 0; border-top: 2px solid var(--accent); vertical-align: 4px; }
.current-step ul { padding-left: 1.1rem; margin: .25rem 0; overflow-wrap: anywhere; } .because { color: var(--soft); font-style: italic; margin: .25rem 0; } small { color: var(--soft); }
.source pre, .about pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .5rem; margin: 0; overflow: auto; } .source i { color: var(--soft); font-style: normal; user-select: none; }
.source span { display: block; min-width: max-content; } .source .passed { background: var(--changed); }
table { border-collapse: collapse; margin: .25rem 0 .5rem; } caption { text-align: left; font-weight: 600; } th, td { border: 1px solid var(--line); padding: .1rem .4rem; text-align: left; font-size: .8rem; } th { font-weight: 600; background: var(--panel); } thead td { border: 0; }
.scroll { overflow-x: auto; background: linear-gradient(90deg, var(--paper) 30%, transparent) left / 2rem 100% no-repeat local, linear-gradient(-90deg, var(--paper) 30%, transparent) right / 2rem 100% no-repeat local, linear-gradient(90deg, #0004, transparent) left / .7rem 100% no-repeat, linear-gradient(-90deg, #0004, transparent) right / .7rem 100% no-repeat; } .changed { background: var(--changed) !important; font-weight: 700; } .empty { color: var(--soft); } .free { opacity: .45; }
.strip { display: grid; gap: 2px; margin: .5rem 0; overflow-x: auto; } .page-number { color: var(--soft); font-size: .72rem; } .entry { background: var(--panel); border: 1px solid var(--line); border-top: 4px solid; border-radius: 4px; padding: .2rem .35rem; font-size: .78rem; overflow-wrap: anywhere; }
.mark { display: inline-block; margin: .1rem .2rem 0 0; padding: 0 .35rem; border: 1px solid var(--line); border-radius: .7rem; background: var(--paper); color: var(--ink); }
.tables { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1rem; } .graph { width: 100%; max-width: 35rem; height: auto; } .node rect { fill: var(--panel); stroke: var(--ink); } .edge path { fill: none; stroke: var(--accent); stroke-width: 1.5; } svg.graph text { font-size: 12px; }
.trace { margin-top: 1rem; } .trace li { margin: .15rem 0; overflow-wrap: anywhere; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media print { :root { --ink: #000; --paper: #fff; --panel: #fff; --soft: #444; --line: #999; --changed: #eee; --now: #eee; } .stepper, nav { display: none; } .diagram { max-height: none; overflow: visible; } .columns { display: block; } .wide { position: static; } svg { max-width: 100%; height: auto; } .trace::details-content { content-visibility: visible; height: auto; } .trace > ol { display: block; } }
`
