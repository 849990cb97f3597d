package main

import (
	"bytes"
	"fmt"
	"html"
	"os"
	"slices"
	"strings"
	"testing"

	"zoobench/internal/testenv"
)

// flowFile is the picture of the flow of data that the documents show.
const flowFile = "docs/flow.svg"

// A flowRoom is a package in the picture, or a file where it is no package.
type flowRoom struct {
	name, does string
	file       bool
	x, y, w    int
}

// A flowArrow is data on its way from one room to another. By is the package that carries it: it is one of the two or
// imports them.
type flowArrow struct {
	from, to, by, what string
	x1, y1, x2, y2     int
}

const roomHeight = 52

// The worker's process is a frame of its own.
const frameX, frameY, frameW, frameH = 20, 150, 940, 292

var flowRooms = []flowRoom{
	{"experiments.yaml", "questions and axes", true, 20, 30, 150},
	{"bench/experiment", "combinations as jobs", false, 208, 30, 160},
	{"bench/runner", "one process a task", false, 418, 30, 160},
	{"bench/record", "a JSON line, on disk", false, 622, 30, 150},
	{"reports", "tables, page, plots", false, 800, 30, 160},

	{"zoo", "papers' tables, as graphs", false, 50, 188, 190},
	{"zoo/weights", "checkpoint or generator", false, 280, 188, 190},
	{"datasets", "images as tensors, labels", false, 510, 188, 190},
	{"bench/load", "scenarios and the clock", false, 740, 188, 190},
	{"zoo/engine", "fuses nodes, lays out the arena, chooses algorithms, packs weights; then runs", false, 50, 286, 880},
	{"kernels", "slices and sizes: the microkernels of one instruction set, tiles shared out over workers", false, 50, 374, 880},
}

var flowArrows = []flowArrow{
	{"experiments.yaml", "bench/experiment", "bench/experiment", "", 170, 56, 208, 56},
	{"bench/experiment", "bench/runner", "bench/runner", "jobs", 368, 56, 418, 56},
	{"bench/runner", "bench/record", "bench/runner", "", 578, 56, 622, 56},
	{"bench/record", "reports", "reports", "", 772, 56, 800, 56},
	{"bench/runner", "bench/runner", "bench/runner", "task", 470, 82, 470, 150},
	{"bench/runner", "bench/runner", "bench/runner", "record", 526, 150, 526, 82},
	{"zoo", "zoo/engine", "bench/runner", "graph", 145, 240, 145, 286},
	{"zoo/weights", "zoo/engine", "bench/runner", "tensors", 375, 240, 375, 286},
	{"datasets", "zoo/engine", "bench/runner", "images", 605, 240, 605, 286},
	{"bench/load", "zoo/engine", "bench/runner", "queries", 835, 240, 835, 286},
	{"zoo/engine", "kernels", "zoo/engine", "calls", 490, 338, 490, 374},
}

// flowSVG draws the flow.
func flowSVG() []byte {
	var b bytes.Buffer
	text := func(x, y int, style, s string) {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" %s>%s</text>\n", x, y, style, html.EscapeString(s))
	}
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 980 462" font-family="system-ui, sans-serif" font-size="12"
  fill="#1b1f24">
<title>The flow of data through zoobench</title>
<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="6" markerHeight="6" orient="auto">
  <path d="M0,0 L8,4 L0,8 z" fill="#57606a"/></marker></defs>
<rect width="980" height="462" rx="8" fill="#ffffff"/>
`)
	fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#f6f8fa\" stroke=\"#57606a\" "+
		"stroke-dasharray=\"5 4\"/>\n",
		frameX, frameY, frameW, frameH)
	text(frameX+14, frameY+22, `fill="#57606a"`, "worker process: the same program, one task, then it ends")
	for _, r := range flowRooms {
		fill, stroke := "#ddf4ff", "#0969da"
		if r.file {
			fill, stroke = "#fff8c5", "#9a6700"
		}
		fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\" fill=\"%s\" stroke=\"%s\"/>\n", r.x, r.y, r.w,
			roomHeight, fill, stroke)
		text(r.x+r.w/2, r.y+22, `text-anchor="middle" font-weight="600" font-size="13"`, r.name)
		text(r.x+r.w/2, r.y+40, `text-anchor="middle"`, r.does)
	}
	for _, a := range flowArrows {
		fmt.Fprintf(&b, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#57606a\" stroke-width=\"1.5\" marker-end=\"url(#tip)\"/>\n",
			a.x1, a.y1, a.x2, a.y2)
		if a.what != "" && a.y1 == a.y2 {
			text((a.x1+a.x2)/2-3, a.y1-6, `text-anchor="middle" fill="#57606a"`, a.what)
		} else if a.what != "" {
			text(a.x1+8, (a.y1+a.y2)/2+4, `fill="#57606a"`, a.what)
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// TestFlow holds the picture to the code that draws it, and what it shows to the rules of imports: its rooms are packages,
// and whoever carries data from one to another may import both.
func TestFlow(t *testing.T) {
	allowed := rules(t)
	files := map[string]bool{}
	for _, r := range flowRooms {
		if _, known := allowed[r.name]; !known && !r.file {
			t.Errorf("%s: such a package has no floor", r.name)
		}
		if files[r.name] = r.file; r.file {
			if _, err := os.Stat(r.name); err != nil {
				t.Error(err)
			}
		}
	}
	for _, a := range flowArrows {
		for _, end := range []string{a.from, a.to} {
			if isFile, drawn := files[end]; !drawn {
				t.Errorf("%s → %s: %s is not drawn", a.from, a.to, end)
			} else if !isFile && end != a.by && !slices.Contains(allowed[a.by], end) {
				t.Errorf("%s → %s: %s carries it and may not import %s, only %s", a.from, a.to, a.by, end, strings.Join(allowed[a.by], ", "))
			}
		}
	}
	testenv.Golden(t, flowFile, flowSVG())
}
