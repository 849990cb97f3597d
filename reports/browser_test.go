package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"zoobench/bench/record"
)

// chromium is the path of a headless browser. Without one the test is skipped, unless CI is to have one.
func chromium(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("REQUIRE_CHROMIUM") == "1" {
		t.Fatal("no Chromium, and REQUIRE_CHROMIUM=1")
	}
	t.Skip("no Chromium on this machine: apt-get install chromium")
	return ""
}

// A tab is an open page and what went wrong in it.
type tab struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	bad []string
}

// open writes the page of records and opens it in a browser of that width.
func open(t *testing.T, width int64, records []record.Record) *tab {
	t.Helper()
	path := chromium(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "report.html")
	if err := os.WriteFile(file, pageOf(t, records, nil), 0o666); err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx}
	url := "file://" + file
	err := chromedp.Listen(ctx, func(event any) {
		text := ""
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			text = "an exception: " + e.ExceptionDetails.Text
			if x := e.ExceptionDetails.Exception; x != nil {
				text += " " + fmt.Sprint(x.Description)
			}
		case *runtime.EventConsoleAPICalled:
			text = fmt.Sprintf("console: %v", e.Type)
		case *log.EventEntryAdded:
			text = e.Entry.Text
		case *network.EventRequestWillBeSent:
			if e.Request.URL != url && !strings.HasPrefix(e.Request.URL, "data:") {
				text = "request of " + e.Request.URL
			}
		case *page.EventJavascriptDialogOpening:
			text = "a dialog: " + e.Message
		}
		if text != "" {
			b.mu.Lock()
			b.bad = append(b.bad, text)
			b.mu.Unlock()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var phone []chromedp.EmulateViewportOption
	if width < 500 {
		phone = append(phone, chromedp.EmulateMobile)
	}
	b.do(chromedp.EmulateViewport(width, 900, phone...), chromedp.Navigate(url))
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, text := range b.bad {
			t.Errorf("the page: %s", text)
		}
	})
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// eval returns a JavaScript expression's value as JSON has it.
func (b *tab) eval(expression string) string {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	text, err := json.Marshal(v)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b *tab) want(what, expression, want string) {
	b.t.Helper()
	if have := b.eval(expression); have != want {
		b.t.Errorf("%s: %s is %s, want %s", what, expression, have, want)
	}
}

// shot keeps a screenshot where ZOOBENCH_SHOTS names a folder.
func (b *tab) shot(name string, take chromedp.Action[[]byte]) {
	dir := os.Getenv("ZOOBENCH_SHOTS")
	if dir == "" {
		return
	}
	b.t.Helper()
	png, err := chromedp.Run(b.ctx, take)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o666); err != nil {
		b.t.Fatal(err)
	}
}

// firstRows are the names in the first rows of the table that are not hidden.
const firstRows = `[...document.querySelectorAll("#table tbody tr:not([hidden])")].slice(0,3)
	.map(r=>r.firstElementChild.textContent).join(" ")`

func TestPageInBrowser(t *testing.T) {
	b := open(t, 1280, layered(troubled(measured(zoo(t), 3))))
	all := b.eval(`document.querySelectorAll("#table tbody tr").length`)
	b.want("rows", `document.getElementById("count").textContent`, fmt.Sprintf(`"%s of %s rows"`, all, all))
	b.want("points", `document.querySelectorAll("#chart .mark").length > 5`, "true")
	b.want("front", `document.querySelectorAll("#chart .front").length`, "1")
	b.want("intervals", `document.querySelectorAll("#chart .bar").length > 5`, "true")
	b.want("no column cut", `(s => s.scrollWidth <= s.clientWidth)(document.querySelector("#results .scroll"))`, "true")
	b.shot("page-1280", chromedp.FullScreenshot(100))

	// Sorting, both ways, what is missing last.
	params := `document.querySelector('th[data-field=params] button')`
	b.eval(params + `.click()`)
	b.want("sort", `document.querySelector("th[data-field=params]").ariaSort`, `"ascending"`)
	up := b.eval(firstRows)
	b.eval(params + `.click()`)
	if down := b.eval(firstRows); !strings.Contains(up, "mobilenetv2_050") || !strings.Contains(down, "vgg16") {
		t.Errorf("sort: ascending %s, descending %s", up, down)
	}
	b.want("missing last", `document.querySelector("#table tbody tr:last-child td[class*=missing]") !== null`, "true")

	// The filter is the plot's as well.
	b.do(chromedp.SendKeys("#filter", "vgg"), chromedp.Sleep(400*time.Millisecond))
	b.want("filter", `[...document.querySelectorAll("#table tbody tr:not([hidden])")].every(r=>r.textContent.includes("vgg"))`, "true")
	b.want("filter of the plot",
		`document.querySelectorAll("#chart .mark").length <= document.querySelectorAll("#table tbody tr:not([hidden])").length`, "true")
	b.eval(`document.getElementById("reset").click()`)
	b.want("reset", `document.getElementById("count").textContent`, fmt.Sprintf(`"%s of %s rows"`, all, all))

	// Other axes.
	for _, axis := range []string{"macs", "params", "latency_p90_ns", "peak_rss_bytes", "year", "latency_p50_ns"} {
		b.eval(fmt.Sprintf(`(s => { s.value = %q; s.onchange() })(document.getElementById("x"))`, axis))
		b.want("axis "+axis, `document.querySelector("#chart svg").getAttribute("aria-label")
			.includes(document.getElementById("x").selectedOptions[0].textContent)`, "true")
		b.want("points on "+axis, `[...document.querySelectorAll("#chart .mark")].every(m => !m.outerHTML.includes("NaN"))`, "true")
	}

	// Hovering, and the keyboard.
	b.eval(`document.querySelector("#chart").scrollIntoView()`)
	b.eval(`(m => { const r = m.getBoundingClientRect(); m.dispatchEvent(new PointerEvent("pointermove",
		{bubbles: true, clientX: r.x, clientY: r.y})) })(document.querySelector("#chart .mark"))`)
	b.want("hover", `!document.getElementById("tip").hidden && document.getElementById("tip").textContent.includes("latency")`, "true")
	b.do(chromedp.Focus("#chart svg"), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	b.want("said", `document.getElementById("said").textContent.length > 10`, "true")
	b.want("one point is at", `document.querySelectorAll("#chart .mark.at").length`, "1")
	b.do(chromedp.KeyEvent(kb.Enter), chromedp.Sleep(100*time.Millisecond))
	b.want("dialog", `document.getElementById("panel").open`, "true")
	b.do(chromedp.KeyEvent(kb.Escape), chromedp.Sleep(100*time.Millisecond))
	b.want("closed", `document.getElementById("panel").open`, "false")

	// Details by the table: stages, layers, histogram, roofline.
	b.eval(`[...document.querySelectorAll("#table tbody button")].find(b=>b.textContent.startsWith("resnet18")).click()`)
	b.want("details", `["Stages", "Roofline", "Latency of each run", "All 3 layers"]
		.every(s => document.getElementById("panel").textContent.includes(s))`, "true")
	b.want("histogram", `document.querySelectorAll("#panel svg rect").length > 3`, "true")
	b.shot("panel", chromedp.CaptureScreenshot())
	b.eval(`document.querySelector("#panel button").click()`)

	// Findings: by verdict.
	b.eval(`document.querySelector(".counts button").click()`)
	b.want("findings", `(v => [...document.querySelectorAll("#claims .claim:not([hidden])")].every(c => c.dataset.verdict === v))(
		document.querySelector(".counts button").dataset.verdict)`, "true")
	b.want("no empty theme", `[...document.querySelectorAll(".theme:not([hidden])")].every(t => t.querySelector(".claim:not([hidden])"))`,
		"true")
	b.eval(`document.querySelector(".counts button").click()`)
	b.want("all findings", `document.querySelectorAll(".claim[hidden], .theme[hidden]").length`, "0")
	b.want("folded", `document.getElementById("untested").open`, "false")

	// Their own plots, which hold in the page.
	b.eval(`document.querySelector("#finding-macs-mispredict-latency img").scrollIntoView()`)
	b.do(chromedp.Sleep(500 * time.Millisecond))
	b.want("plot of a finding",
		`(i => i.complete && i.naturalWidth > 400 && i.alt.length > 20)(document.querySelector("#finding-macs-mispredict-latency img"))`, "true")

	// Dark.
	b.eval(`document.documentElement.dataset.theme = "light"; document.getElementById("theme").click()`)
	b.want("dark", `getComputedStyle(document.documentElement).backgroundColor`, `"rgb(20, 23, 26)"`)
	b.shot("page-dark", chromedp.CaptureScreenshot())

	// What a screen reader needs.
	b.want("names", `[...document.querySelectorAll("button, select, input, [role=application], [role=region]")]
		.every(e => e.textContent || e.ariaLabel || e.getAttribute("aria-label") || e.labels?.length)`, "true")
	b.want("one h1", `document.querySelectorAll("h1").length`, "1")
}

// TestPagePrint prints the page from dark colours: on paper it is light, without what only a screen can do, and the table
// is whole.
func TestPagePrint(t *testing.T) {
	b := open(t, 1280, layered(measured(zoo(t), 3)))
	b.eval(`document.documentElement.dataset.theme = "dark"; dispatchEvent(new Event("beforeprint"))`)
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	b.want("paper", `getComputedStyle(document.documentElement).backgroundColor`, `"rgb(255, 255, 255)"`)
	b.want("no controls", `[...document.querySelectorAll("nav, .filters, .axes, .counts, #theme, #save")]
		.every(e => e.getClientRects().length === 0)`, "true")
	b.want("whole table", `(s => s.scrollHeight <= s.clientHeight + 1)(document.querySelector("#results .scroll"))`, "true")
	b.want("findings with a verdict are open", `[...document.querySelectorAll("#claims details")].every(c => c.open)`, "true")
	b.want("plots of findings",
		`(i => i.length > 0 && i.every(p => p.complete && p.naturalWidth > 400))([...document.querySelectorAll("#claims .claim img")])`, "true")
	b.shot("page-print", chromedp.FullScreenshot(100))
}

// TestPageCurves joins the points of one network over batch sizes, and shows them for the finding that is about them.
func TestPageCurves(t *testing.T) {
	b := open(t, 1280, append(sweep(t), pipelined(t)...))
	b.eval(`(s => { s.value = "batch"; s.onchange() })(document.getElementById("x"))`)
	b.want("curves", `document.querySelectorAll("#chart .curve").length >= 4`, "true")
	b.want("no front", `document.querySelectorAll("#chart .front").length`, "0")
	b.shot("page-curves", chromedp.CaptureScreenshot())
	b.eval(`document.querySelector("#finding-batch-curve .show").click()`)
	b.want("its axes", `document.getElementById("y").value`, `"images_per_s"`)
	b.eval(`[...document.querySelectorAll("#table tbody tr")]
		.find(r=>r.textContent.startsWith("alexnet") && r.textContent.includes("threads 2")).querySelector("button").click()`)
	b.want("stages", `["decoding an image", "time until ready"].every(s => document.getElementById("panel").textContent.includes(s))`, "true")
}

// TestPageOneSet holds the page's plots to accuracies over one set of images, and the page to saying which.
func TestPageOneSet(t *testing.T) {
	b := open(t, 1280, mixed(t))
	const note = `document.getElementById("plot-note").textContent`
	b.want("points", `document.querySelectorAll("#chart .mark").length`, "12")
	b.want("note", note+`.includes("comes from 200 images of val. Left out, because theirs comes from other images: ") && `+
		note+`.includes("(1000 images of imagenetv2)")`, "true")
	b.eval(`(s => { s.value = "published_top1"; s.onchange() })(document.getElementById("y"))`)
	b.want("published", note+`.includes("published top-1 comes from imagenet-1k validation") && `+
		note+`.includes("(imagenetv2 matched-frequency)")`, "true")
	b.eval(`[...document.querySelectorAll("#table tbody tr")]
		.find(r => r.textContent.includes("images of val")).querySelector("button").click()`)
	b.want("details", `[...document.querySelectorAll("#panel dt")].find(e => e.textContent === "top-1 on")?.nextSibling.textContent`,
		`"200 images of val, SHA-256 aaaaaaaaaa"`)
}

// TestPageWidths opens the page on a phone and a tablet: nothing but the tables scrolls sideways.
func TestPageWidths(t *testing.T) {
	for _, width := range []int64{375, 768} {
		t.Run(fmt.Sprint(width), func(t *testing.T) {
			b := open(t, width, measured(zoo(t), 3))
			b.want("width", `document.documentElement.scrollWidth <= innerWidth`, "true")
			b.want("estimates", `(all => all.length > 5 && all.every(e => e.scrollWidth <= e.clientWidth &&
				parseFloat(getComputedStyle(e).fontSize) >= 13 && e.querySelector(".line").clientWidth >= 150))(
				[...document.querySelectorAll(".est")])`, "true")
			b.eval(`for (const d of document.querySelectorAll("#claims details")) d.open = true`)
			b.want("evidence", fmt.Sprintf(`(all => all.length > 5 && all.every(e => %d > 720 || e.scrollWidth <= e.clientWidth))`+
				`([...document.querySelectorAll("#claims .evidence")])`, width), "true")
			b.eval(`for (const d of document.querySelectorAll("#claims details")) d.open = false`)
			b.want("points", `document.querySelectorAll("#chart .mark").length > 5`, "true")
			b.shot(fmt.Sprintf("page-%d", width), chromedp.FullScreenshot(100))
			b.eval(`document.querySelector("#table tbody button").click()`)
			b.want("panel", `document.getElementById("panel").scrollWidth <= document.getElementById("panel").clientWidth + 1`, "true")
		})
	}
}

// TestPageHostile opens a page whose every text from outside tries to be markup, and expects no script of theirs to run.
func TestPageHostile(t *testing.T) {
	b := open(t, 1280, hostilePage(t))
	b.want("no script ran", `window.pwned === undefined`, "true")
	b.want("no image", `document.querySelectorAll("img:not(.shown), iframe, object").length`, "0")
	b.want("text stands", `document.querySelector("#table tbody tr th").textContent.includes("<img")`, "true")
	b.eval(`document.querySelector("#table tbody button").click()`)
	b.eval(`document.querySelector("#chart .mark").dispatchEvent(new PointerEvent("pointermove", {bubbles: true, clientX: 5, clientY: 5}))`)
	b.want("still none", `window.pwned === undefined && document.querySelectorAll("img:not(.shown), iframe, object").length === 0`, "true")
}

// TestPageQuick holds a page of a thousand rows to drawing and filtering without a pause that a reader would notice.
func TestPageQuick(t *testing.T) {
	b := open(t, 1280, thousand(t))
	b.want("rows", `document.querySelectorAll("#table tbody tr").length`, "1000")
	ms, err := chromedp.Run(b.ctx, chromedp.Evaluate[float64](`(() => {
		const t = performance.now();
		document.getElementById("reset").click();
		document.querySelector("th[data-field=macs] button").click();
		return performance.now() - t
	})()`))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("filter, draw and sort 1000 rows: %.0f ms", ms)
	if ms > 2000 {
		t.Errorf("filter, draw and sort take %.0f ms, want under 2000 even on a busy machine", ms)
	}
}
