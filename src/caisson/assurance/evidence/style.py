"""How the report's page looks: system fonts, one column, dark where the reader's system is, legible on paper."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5d6877;--paper:#fff;--card:#f5f6f8;--line:#dfe3e8;
--holds:#1a7f4b;--broken:#c0271f;--undetermined:#a66a00;--manual:#1f6fb2;--not_applicable:#9aa3ae}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--dim:#98a3b1;--paper:#14181e;--card:#1c222a;--line:#2e3641;
--holds:#4cc38a;--broken:#ff6b60;--undetermined:#e0a53b;--manual:#62a8e5;--not_applicable:#6b7683}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:2.1rem;line-height:1.15;margin:.1rem 0 .6rem}
h2{font-size:1.2rem;margin:2.4rem 0 .7rem}
h2 .dim{font-size:.85rem;font-weight:400;margin-left:.5rem}
p{margin:.3rem 0}
a{color:inherit}
.over{color:var(--dim);font-size:.85rem}
.lead{font-size:1.2rem}
.dim{color:var(--dim);font-size:.88rem}
b.broken{color:var(--broken)}b.holds{color:var(--holds)}
.tiles{display:grid;grid-template-columns:repeat(5,1fr);gap:.6rem;margin:1.6rem 0 0}
.tile{background:var(--card);border-radius:.5rem;border-top:.25rem solid;padding:.7rem .8rem}
.tile b{display:block;font-size:1.7rem;line-height:1.1}
.tile span{font-size:.82rem;color:var(--dim)}
.tile.holds{border-color:var(--holds)}.tile.broken{border-color:var(--broken)}
.tile.undetermined{border-color:var(--undetermined)}.tile.manual{border-color:var(--manual)}
.tile.not_applicable{border-color:var(--not_applicable)}
.first{list-style:none;padding:0;margin:0}
.first li{border-left:.25rem solid var(--broken);background:var(--card);border-radius:.3rem;margin:.4rem 0}
.first a{display:block;padding:.5rem .8rem;text-decoration:none}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
.grid th{font-weight:500;font-size:.82rem;text-align:left;padding:.3rem .5rem;color:var(--dim)}
.grid tbody th{color:var(--ink);white-space:nowrap}
.grid tbody th a{text-decoration:none}
.grid td{padding:.3rem .5rem}
.grid tbody tr{border-top:1px solid var(--line)}
.mark{display:inline-block;width:.72rem;height:.72rem;border-radius:.2rem;margin:0 .16rem .1rem 0;vertical-align:middle}
.mark.holds{background:var(--holds)}.mark.broken{background:var(--broken)}.mark.undetermined{background:var(--undetermined)}
.mark.manual{background:var(--manual)}
.mark.not_applicable{background:transparent;border:1.5px solid var(--not_applicable)}
.key{margin-left:.7rem;white-space:nowrap}
.badge{display:inline-block;min-width:7.2rem;font-size:.76rem;font-weight:600;white-space:nowrap}
.badge.holds{color:var(--holds)}.badge.broken{color:var(--broken)}.badge.undetermined{color:var(--undetermined)}
.badge.manual{color:var(--manual)}.badge.not_applicable{color:var(--dim)}
.control{border-top:1px solid var(--line)}
.control>summary{display:grid;grid-template-columns:7.2rem 5rem 1fr;
padding:.55rem 0;cursor:pointer;align-items:baseline}
.control>summary::-webkit-details-marker{display:none}
summary{list-style:none}
.control>summary .reason{grid-column:3;color:var(--dim);font-size:.88rem;overflow-wrap:anywhere}
.control[open]>summary .title{font-weight:600}
.body{margin:0 0 1rem 7.2rem}
dl{display:grid;grid-template-columns:8.5rem 1fr;gap:.15rem .8rem;margin:.2rem 0 .9rem;font-size:.9rem}
dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
.part{display:grid;grid-template-columns:7.2rem 1fr;border-top:1px dotted var(--line);padding:.5rem 0;font-size:.92rem}
.check{margin:.3rem 0;background:var(--card);border-radius:.4rem;padding:.4rem .7rem}
.check>summary{cursor:pointer;overflow-wrap:anywhere}
.check .badge{min-width:6rem}
code{font:.86em ui-monospace,"SFMono-Regular",Menlo,Consolas,monospace;overflow-wrap:anywhere}
.steps{font-size:.8rem;margin:.5rem 0;table-layout:fixed}
.steps th{text-align:left;font-weight:500;color:var(--dim)}
.steps th:first-child,.steps td:first-child{width:1.4rem}
.steps th:nth-child(3),.steps td:nth-child(3){width:22%}
.steps td{border-top:1px solid var(--line);padding:.2rem .4rem .2rem 0;vertical-align:top;overflow-wrap:anywhere}
.steps .witness td:nth-child(2)::before{content:"witness: ";color:var(--dim)}
.steps .note td{color:var(--dim)}
footer{border-top:1px solid var(--line);margin-top:3rem}
@media(max-width:40rem){.tiles{grid-template-columns:repeat(2,1fr)}.body{margin-left:0}
.control>summary{grid-template-columns:1fr}.control>summary .reason{grid-column:1}.part,dl{grid-template-columns:1fr}}
@media print{main{max-width:none;padding:0}.control,.check{break-inside:avoid}a{text-decoration:none}}
"""
"""The whole of it."""
