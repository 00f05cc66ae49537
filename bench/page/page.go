// Package page renders the result of a load test as one self-contained HTML page: tables and plots, no scripts, nothing
// fetched.
package page

import (
	"fmt"
	"html/template"
	"io"
)

// Page is what is shown.
type Page struct {
	Title    string
	Subtitle string // what ran, when, where, at which commit
	Passed   bool
	Targets  []Target
	Tables   []Table
	Plots    []Plot
}

// Target is one stated goal and what was reached.
type Target struct {
	Name, Want, Got string
	Held            bool
}

// Table is a titled table; numbers are formatted by the caller. The first column is the row's name.
type Table struct {
	Title string
	Note  string
	Head  []string
	Rows  [][]string
}

// Plot is lines over a common x axis.
type Plot struct {
	Title  string
	XLabel string
	YLabel string
	LogY   bool // decades; values below a billionth are left out
	Series []Series
}

// Series is one line.
type Series struct {
	Name   string
	Points []Point
}

// Point is one value.
type Point struct{ X, Y float64 }

// Write renders p.
func Write(w io.Writer, p *Page) error {
	t, err := template.New("page").Funcs(template.FuncMap{"plot": svg}).Parse(source)
	if err != nil {
		panic("BUG: page template: " + err.Error())
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("render page: %w", err)
	}
	return nil
}

const source = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title>
<style>
:root{color-scheme:light dark;--fg:#0f172a;--mute:#64748b;--line:#cbd5e1;--bg:#fff;--card:#f8fafc;--good:#15803d;--bad:#b91c1c;
--s0:#2563eb;--s1:#dc2626;--s2:#d97706;--s3:#059669;--s4:#7c3aed;--s5:#64748b}
@media (prefers-color-scheme:dark){:root{--fg:#e2e8f0;--mute:#94a3b8;--line:#334155;--bg:#0b1120;--card:#111a2e;--good:#4ade80;--bad:#f87171;
--s0:#60a5fa;--s1:#f87171;--s2:#fbbf24;--s3:#34d399;--s4:#a78bfa;--s5:#94a3b8}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1120px;padding:24px 16px 64px;font:15px/1.5 system-ui,"DejaVu Sans",sans-serif;color:var(--fg);background:var(--bg)}
h1{font-size:26px;margin:0}h2{font-size:17px;margin:32px 0 8px}.sub{color:var(--mute);margin:4px 0 16px}
.verdict{display:inline-block;padding:2px 10px;border-radius:999px;font-weight:600;border:1.5px solid}
.good{color:var(--good)}.bad{color:var(--bad)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal}th{color:var(--mute);font-weight:600;font-size:13px}
.note{color:var(--mute);font-size:13px;margin:6px 0 0}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,500px),1fr));gap:16px;margin-top:24px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px}
figcaption{font-weight:600;margin-bottom:6px}svg{width:100%;height:auto;display:block}
svg text{fill:var(--mute);font-size:11px}.grid{stroke:var(--line);stroke-width:.6}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;font-size:12px;color:var(--mute);margin-top:4px}
.legend i{display:inline-block;width:14px;height:3px;border-radius:2px;margin-right:5px;vertical-align:middle}
.line{fill:none;stroke-width:1.6;stroke-linejoin:round}
.c0{stroke:var(--s0)}.c1{stroke:var(--s1)}.c2{stroke:var(--s2)}.c3{stroke:var(--s3)}.c4{stroke:var(--s4)}.c5{stroke:var(--s5)}
.b0{background:var(--s0)}.b1{background:var(--s1)}.b2{background:var(--s2)}.b3{background:var(--s3)}.b4{background:var(--s4)}.b5{background:var(--s5)}
</style>
</head>
<body>
<header>
<h1>{{.Title}}</h1>
<p class="sub">{{.Subtitle}}</p>
{{if .Passed}}<span class="verdict good">all targets held</span>{{else}}<span class="verdict bad">not all targets held</span>{{end}}
</header>
<main>
{{if .Targets}}<h2>Targets</h2>
<div class="scroll"><table><thead><tr><th scope="col">target</th><th scope="col">wanted</th><th scope="col">reached</th><th scope="col">held</th></tr></thead><tbody>
{{range .Targets}}<tr><td>{{.Name}}</td><td>{{.Want}}</td><td>{{.Got}}</td><td class="{{if .Held}}good{{else}}bad{{end}}">{{if .Held}}yes{{else}}no{{end}}</td></tr>
{{end}}</tbody></table></div>{{end}}
{{range .Tables}}<h2>{{.Title}}</h2>
<div class="scroll"><table><thead><tr>{{range .Head}}<th scope="col">{{.}}</th>{{end}}</tr></thead><tbody>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</tbody></table></div>{{if .Note}}<p class="note">{{.Note}}</p>{{end}}
{{end}}
<div class="plots">
{{range .Plots}}<figure><figcaption>{{.Title}}</figcaption>{{plot .}}
<div class="legend">{{range $i, $s := .Series}}<span><i class="b{{$i}}"></i>{{$s.Name}}</span>{{end}}</div></figure>
{{end}}</div>
</main>
</body>
</html>
`
