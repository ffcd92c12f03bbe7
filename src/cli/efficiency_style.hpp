// The style sheet of heff's HTML report: light or dark as the reader prefers.
#pragma once

namespace hyades {

constexpr const char* kEfficiencyStyle = R"(
:root { color-scheme: light dark; --ground: #fcfcfb; --ink: #1b1b1a; --soft: #6b6a66;
  --rule: #e4e3df; --accent: #2a78d6; --warn: #eda100; --bad: #e34948; --panel: #f3f2ef; }
@media (prefers-color-scheme: dark) { :root { --ground: #1a1a19; --ink: #edecea; --soft: #a3a29c;
  --rule: #383835; --accent: #3987e5; --warn: #c98500; --bad: #e66767; --panel: #252523; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h1 + p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; vertical-align: baseline;
  border-bottom: 1px solid var(--rule); font-variant-numeric: tabular-nums; }
th { font-weight: 500; color: var(--soft); white-space: nowrap; }
.number { text-align: right; white-space: nowrap; }
.note, footer { color: var(--soft); font-size: .87rem; }
td.note { width: 100%; overflow-wrap: anywhere; }
.gauge div { width: 8rem; height: .5rem; border-radius: .25rem; background: var(--rule);
  overflow: hidden; }
.gauge i { display: block; height: 100%; background: var(--accent); }
ul { list-style: none; padding: 0; margin: 0; }
li { padding: .1rem 0 .1rem .8rem; margin: 0 0 .7rem; border-left: 3px solid var(--warn); }
li.problem { border-color: var(--bad); }
li b { font-weight: 600; }
code { white-space: nowrap; font-size: .93em; }
pre { white-space: pre-wrap; background: var(--panel); padding: .7rem .9rem; border-radius: .4rem; overflow-x: auto;
  margin: 0; }
figure { margin: 0 0 1.4rem; }
figcaption { color: var(--soft); font-size: .87rem; }
figcaption b { color: var(--ink); font-weight: 600; font-size: .95rem; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11px; font-variant-numeric: tabular-nums; }
.grid { stroke: var(--rule); } .axis { stroke: var(--soft); }
.line { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
.band { fill: var(--accent); opacity: .18; }
.limit { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 4; }
footer { margin-top: 2.5rem; }
)";

}  // namespace hyades
